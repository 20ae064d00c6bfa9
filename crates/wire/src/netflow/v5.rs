//! NetFlow version 5: one header, then up to thirty records of one fixed layout.
//!
//! [`Message::read`] borrows the records in place. A count that the datagram does not hold, or bytes
//! beyond it, cost nothing that is there: [`Message::problem`] and [`Message::excess`] say so.

use zerocopy::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{Problem, Reader, WireError};

/// The version number in the header.
pub const VERSION: u16 = 5;

/// Most records that the format lets an exporter put in one datagram; nobody is refused for more.
pub const RECORDS_MAX: usize = 30;

/// The 24 bytes before the records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Header {
    /// 5.
    pub version: U16,
    /// Records in this datagram, as claimed.
    pub count: U16,
    /// Milliseconds since the exporter booted.
    pub uptime_ms: U32,
    /// Seconds since 1970 at the exporter.
    pub unix_seconds: U32,
    /// The rest of that second. Some exporters put microseconds here.
    pub unix_nanoseconds: U32,
    /// Number of the first flow in this datagram, of all that were sent.
    pub flow_sequence: U32,
    /// Kind of the switching engine.
    pub engine_type: u8,
    /// Slot of the switching engine.
    pub engine_id: u8,
    /// Two bits of mode, 14 of interval; see [`Header::sampling`].
    pub sampling: U16,
}

/// One flow: 48 bytes. Addresses are in network order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Record {
    /// Source address.
    pub source: [u8; 4],
    /// Destination address.
    pub destination: [u8; 4],
    /// Next router's address.
    pub next_hop: [u8; 4],
    /// ifIndex of the input interface.
    pub input: U16,
    /// ifIndex of the output interface.
    pub output: U16,
    /// Packets in the flow.
    pub packets: U32,
    /// Bytes of layer 3 in the flow.
    pub octets: U32,
    /// Uptime at the first packet, in milliseconds.
    pub first_ms: U32,
    /// Uptime at the last packet, in milliseconds.
    pub last_ms: U32,
    /// Source port.
    pub source_port: U16,
    /// Destination port; of ICMP, type × 256 + code.
    pub destination_port: U16,
    /// Unused.
    pub pad1: u8,
    /// All TCP flags seen, ORed.
    pub tcp_flags: u8,
    /// IP protocol.
    pub protocol: u8,
    /// IP type of service.
    pub tos: u8,
    /// AS of the source, origin or peer.
    pub source_as: U16,
    /// AS of the destination, origin or peer.
    pub destination_as: U16,
    /// Prefix length of the source.
    pub source_mask: u8,
    /// Prefix length of the destination.
    pub destination_mask: u8,
    /// Unused.
    pub pad2: U16,
}

/// The header's sampling word, taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sampling {
    /// 0 none, 1 deterministic, 2 random.
    pub mode: u8,
    /// One packet in this many, 14 bits.
    pub interval: u16,
}

impl Sampling {
    /// The word of a header in its two parts.
    pub const fn of_word(word: u16) -> Self {
        Self { mode: (word >> 14) as u8, interval: word & 0x3fff }
    }

    /// What to multiply by: 1 where nothing is sampled, never 0.
    ///
    /// Some exporters state an interval and leave the mode at 0; an interval above 1 is believed.
    pub const fn rate(self) -> u16 {
        if self.interval > 1 { self.interval } else { 1 }
    }

    /// The word as it stands in the header; bits that do not fit are lost.
    pub const fn to_word(self) -> u16 {
        ((self.mode as u16) << 14) | (self.interval & 0x3fff)
    }
}

impl Header {
    /// The sampling word in its two parts.
    pub const fn sampling(&self) -> Sampling {
        Sampling::of_word(self.sampling.get())
    }

    /// The header's time in nanoseconds since 1970; a fraction of a second or more counts as none.
    pub const fn export_ns(&self) -> i64 {
        let fraction = self.unix_nanoseconds.get() as i64;
        self.unix_seconds.get() as i64 * 1_000_000_000 + if fraction < 1_000_000_000 { fraction } else { 0 }
    }
}

/// A version 5 datagram, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    header: &'a Header,
    records: &'a [Record],
    excess: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a datagram. Fails only when the header is not there or is another version's.
    pub fn read(datagram: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(datagram);
        let header: &Header = reader.header("header")?;
        if header.version.get() != VERSION {
            return Err(WireError::new("version", 0, Problem::Version(header.version.get().into())));
        }
        let whole = usize::from(header.count.get()).min(reader.len() / size_of::<Record>());
        let (records, excess) = <[Record]>::ref_from_prefix_with_elems(reader.rest(), whole)
            .map_err(|_| reader.error("records", Problem::Truncated { needed: whole, left: reader.len() }))?;
        Ok(Self { header, records, excess })
    }

    /// The header.
    pub const fn header(&self) -> &'a Header {
        self.header
    }

    /// The records that are wholly there, at most as many as the header counts.
    pub const fn records(&self) -> &'a [Record] {
        self.records
    }

    /// What is wrong with the datagram: a count of more records than are there.
    pub fn problem(&self) -> Option<WireError> {
        let count = usize::from(self.header.count.get());
        let problem = Problem::TooLong { length: count, maximum: self.records.len() };
        (count > self.records.len()).then(|| WireError::new("count", 2, problem))
    }

    /// The bytes after the last record: trailing ones, or the beginning of a record that was cut.
    pub const fn excess(&self) -> &'a [u8] {
        self.excess
    }
}

/// Appends a datagram of `records`. Version and count are filled in; the rest of `header` is taken as it is.
pub fn encode(header: &Header, records: &[Record], out: &mut Vec<u8>) -> Result<(), WireError> {
    let count = u16::try_from(records.len()).map_err(|_| {
        let problem = Problem::TooLong { length: records.len(), maximum: usize::from(u16::MAX) };
        WireError::new("count", 2, problem)
    })?;
    let header = Header { version: VERSION.into(), count: count.into(), ..*header };
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(records.as_bytes());
    Ok(())
}
