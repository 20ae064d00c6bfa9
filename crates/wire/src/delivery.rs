//! Deliveries: a datagram as it came, and the one frame in which it is kept and carried.
//!
//! The frame has three homes: a link (`relay://`), the disk (the journal) and a Kafka topic. Whoever
//! holds a frame can forward the datagram later with its first source address and port, or decode it
//! again as it was decoded live. A home brings its own outer length and checksum; the frame has none.
//!
//! | bytes | field | what |
//! |---|---|---|
//! | 1 | `version` | 1; another layout gets another number |
//! | 1 | `scheme` | how it came: 0 udp, 1 tcp, 2 tls, 3 dtls, 4 sctp, 5 relay, 6 hex, 7 pcap, 8 kafka |
//! | 1 | `flags` | 1: the source is IPv6; 2: the listener is IPv6; 4: an identity is there; no others |
//! | 8 | `sequence` | the number that the journal gave it |
//! | 8 | `received_ns` | receive time, signed, ns since 1970 UTC |
//! | 4 or 16 | `source.address` | who sent it |
//! | 2 | `source.port` | |
//! | 4 or 16 | `listener.address` | the local address that took it |
//! | 2 | `listener.port` | |
//! | 1 + n | `identity` | only with flag 4: a length, and so many bytes of UTF-8 |
//! | the rest | `datagram` | at most 65,535 bytes |
//!
//! Integers are big-endian. Mapped addresses (`::ffff:10.0.0.1`) are written and read as the IPv4
//! addresses that they mean; zones and flow labels of IPv6 socket addresses are not kept.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::{Problem, Reader, WireError, Writer};

#[cfg(test)]
mod tests;

/// The longest datagram a frame carries: what UDP and IPFIX lengths of 16 bits can say.
pub const DATAGRAM_BYTES_MAX: usize = 65_535;
/// The longest identity, in bytes of UTF-8.
pub const IDENTITY_BYTES_MAX: usize = 255;
/// The shortest frame: IPv4 on both sides, no identity, no datagram.
pub const FRAME_BYTES_MIN: usize = 3 + 8 + 8 + 2 * (4 + 2);
/// The longest frame: IPv6 on both sides, the longest identity and the longest datagram.
pub const FRAME_BYTES_MAX: usize = 3 + 8 + 8 + 2 * (16 + 2) + 1 + IDENTITY_BYTES_MAX + DATAGRAM_BYTES_MAX;

const VERSION: u8 = 1;
const SOURCE_IS_V6: u8 = 1;
const LISTENER_IS_V6: u8 = 2;
const HAS_IDENTITY: u8 = 4;

/// A datagram as it came, with all that is known of how it came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Delivery<'a> {
    /// The journal's number for it; 0 as long as no journal has taken it.
    pub sequence: u64,
    /// When it was received, in ns since 1970 UTC; the kernel's time where there is one.
    pub received_ns: i64,
    /// Who sent it, un-mapped.
    pub source: SocketAddr,
    /// Which of our ends took it.
    pub listener: Listener,
    /// Whom the transport vouches for: the name in a verified certificate.
    pub identity: Option<&'a str>,
    /// The datagram, or one message of a stream.
    pub bytes: &'a [u8],
}

/// The end that took a delivery. Prints as an endpoint, `udp://0.0.0.0:6343`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Listener {
    /// How deliveries come in there.
    pub scheme: Scheme,
    /// Its local address; unspecified with port 0 where there is no socket, as for files.
    pub address: SocketAddr,
}

/// The ways in which a delivery can come; the discriminant is the frame's byte.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Scheme {
    /// A datagram socket.
    Udp = 0,
    /// A plain stream (RFC 7011 section 10.4).
    Tcp = 1,
    /// A stream over TLS.
    Tls = 2,
    /// Datagrams over DTLS.
    Dtls = 3,
    /// An SCTP association.
    Sctp = 4,
    /// Another Finderscope's relay link.
    Relay = 5,
    /// A line of hexadecimal digits.
    Hex = 6,
    /// A capture file.
    Pcap = 7,
    /// A Kafka topic.
    Kafka = 8,
}

impl<'a> Delivery<'a> {
    /// The address that is meant: IPv4 where IPv6 maps it, with zone and flow label dropped.
    pub fn unmapped(address: SocketAddr) -> SocketAddr {
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }

    /// Appends the frame to `out`. Nothing is written where the identity or the datagram is too long for one.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        at_most("delivery.identity", self.identity.map_or(0, str::len), IDENTITY_BYTES_MAX)?;
        at_most("delivery.datagram", self.bytes.len(), DATAGRAM_BYTES_MAX)?;
        let (source, listener) = (Self::unmapped(self.source), Self::unmapped(self.listener.address));
        let flags = if source.is_ipv6() { SOURCE_IS_V6 } else { 0 }
            | if listener.is_ipv6() { LISTENER_IS_V6 } else { 0 }
            | if self.identity.is_some() { HAS_IDENTITY } else { 0 };
        out.reserve(FRAME_BYTES_MAX - DATAGRAM_BYTES_MAX + self.bytes.len());
        let mut writer = Writer::new(out);
        writer.bytes(&[VERSION, self.listener.scheme as u8, flags]).u64(self.sequence);
        writer.bytes(&self.received_ns.to_be_bytes());
        write_address(&mut writer, source);
        write_address(&mut writer, listener);
        if let Some(identity) = self.identity {
            // The length fits: it was checked above.
            writer.u8(identity.len() as u8).bytes(identity.as_bytes());
        }
        writer.bytes(self.bytes);
        Ok(())
    }

    /// Reads a whole frame, which its home has cut to length. Identity and datagram stay where they are.
    pub fn decode(frame: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(frame);
        let version = reader.u8("delivery.version")?;
        if version != VERSION {
            return Err(WireError::new("delivery.version", 0, Problem::Version(version.into())));
        }
        let scheme = read_scheme(&mut reader)?;
        let flags = read_flags(&mut reader)?;
        let sequence = reader.u64("delivery.sequence")?;
        let received_ns = i64::from_be_bytes(reader.array("delivery.received_ns")?);
        let source = read_address(&mut reader, "delivery.source", flags & SOURCE_IS_V6 != 0)?;
        let address = read_address(&mut reader, "delivery.listener", flags & LISTENER_IS_V6 != 0)?;
        let identity = if flags & HAS_IDENTITY != 0 { Some(read_identity(&mut reader)?) } else { None };
        if reader.len() > DATAGRAM_BYTES_MAX {
            let problem = Problem::TooLong { length: reader.len(), maximum: DATAGRAM_BYTES_MAX };
            return Err(reader.error("delivery.datagram", problem));
        }
        let listener = Listener { scheme, address };
        Ok(Self { sequence, received_ns, source, listener, identity, bytes: reader.rest() })
    }
}

/// Refuses what does not fit, before anything is written.
fn at_most(field: &'static str, length: usize, maximum: usize) -> Result<(), WireError> {
    if length <= maximum {
        return Ok(());
    }
    Err(WireError::new(field, 0, Problem::TooLong { length, maximum }))
}

fn write_address(writer: &mut Writer<'_>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => writer.bytes(&ip.octets()),
        IpAddr::V6(ip) => writer.bytes(&ip.octets()),
    };
    writer.u16(address.port());
}

fn read_address(reader: &mut Reader<'_>, field: &'static str, is_v6: bool) -> Result<SocketAddr, WireError> {
    let ip = match is_v6 {
        true => IpAddr::from(reader.array::<16>(field)?),
        false => IpAddr::from(reader.array::<4>(field)?),
    };
    Ok(Delivery::unmapped(SocketAddr::new(ip, reader.u16(field)?)))
}

fn read_scheme(reader: &mut Reader<'_>) -> Result<Scheme, WireError> {
    let offset = reader.offset();
    let code = reader.u8("delivery.scheme")?;
    let known = Scheme::ALL.into_iter().find(|scheme| *scheme as u8 == code);
    known.ok_or(WireError::new("delivery.scheme", offset, Problem::Value(code.into())))
}

fn read_flags(reader: &mut Reader<'_>) -> Result<u8, WireError> {
    let offset = reader.offset();
    let flags = reader.u8("delivery.flags")?;
    match flags & !(SOURCE_IS_V6 | LISTENER_IS_V6 | HAS_IDENTITY) {
        0 => Ok(flags),
        _ => Err(WireError::new("delivery.flags", offset, Problem::Value(flags.into()))),
    }
}

fn read_identity<'a>(reader: &mut Reader<'a>) -> Result<&'a str, WireError> {
    let length = reader.u8("delivery.identity")?;
    let offset = reader.offset();
    let bytes = reader.bytes("delivery.identity", length.into())?;
    std::str::from_utf8(bytes).map_err(|error| {
        let bad = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        WireError::new("delivery.identity", offset + error.valid_up_to(), Problem::Value(bad.into()))
    })
}

impl Scheme {
    /// Every scheme, in the order of their bytes.
    pub const ALL: [Self; 9] =
        [Self::Udp, Self::Tcp, Self::Tls, Self::Dtls, Self::Sctp, Self::Relay, Self::Hex, Self::Pcap, Self::Kafka];

    /// The word before `://`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Dtls => "dtls",
            Self::Sctp => "sctp",
            Self::Relay => "relay",
            Self::Hex => "hex",
            Self::Pcap => "pcap",
            Self::Kafka => "kafka",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.address)
    }
}
