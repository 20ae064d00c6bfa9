//! From a layer to what carries telemetry in it: UDP (RFC 768), TCP (RFC 9293), SCTP (RFC 9260), or a part of an IP packet.
//!
//! Packets are read as everywhere else ([`finderscope_wire::packet`]), through VLAN tags, labels and tunnels; the outermost
//! transport that is no tunnel counts. Everything is a position in the frame; no function copies, and none reads past the end.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use finderscope_wire::packet::{Layer, Packet, layers};
use finderscope_wire::{Problem, WireError};

use super::Skip;

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const SCTP: u8 = 132;
const UDP_HEADER_BYTES: usize = 8;
const IPV6_HEADER_BYTES: usize = 40;
const IPV6_FRAGMENT: u8 = 44;

/// What a frame holds.
#[derive(Debug)]
pub(super) enum Found {
    Udp(Udp),
    /// A TCP segment, from its header on.
    Tcp(Carried),
    /// An SCTP packet, from its header on.
    Sctp(Carried),
    Fragment(Fragment),
}

#[derive(Debug)]
pub(super) struct Udp {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: Range<usize>,
}

/// What IP carries.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) range: Range<usize>,
}

/// A part of an IP packet.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) identification: u32,
    /// What the whole packet begins with.
    pub(super) protocol: u8,
    /// Where `payload` belongs in the whole.
    pub(super) offset: usize,
    pub(super) more: bool,
    pub(super) payload: Range<usize>,
}

/// Finds what carries telemetry in bytes that begin with `layer`.
pub(super) fn find(layer: Layer, bytes: &[u8]) -> Result<Found, Skip> {
    let mut reason = Skip::NotIp;
    for packet in layers(layer, bytes) {
        match look(&packet, bytes) {
            Ok(found) => return Ok(found),
            Err(skip) => reason = skip,
        }
        if !packet.tunnel.is_some_and(|tunnel| tunnel.has_inner()) {
            break;
        }
    }
    Err(reason)
}

fn look(packet: &Packet, bytes: &[u8]) -> Result<Found, Skip> {
    let addresses = packet.src_addr.zip(packet.dst_addr);
    let (Some((source, destination)), Some(l3)) = (addresses, packet.l3_offset) else {
        return Err(packet.problem.map_or(Skip::NotIp, |problem| reason(&problem)));
    };
    let (source, destination) = (source.into(), destination.into());
    let l3 = l3 as usize;
    let end = packet.ip_total_length.map_or(bytes.len(), |length| l3 + length as usize);
    let more = packet.ip_flags.unwrap_or(0) & 1 != 0;
    if more || packet.is_later_fragment() {
        return fragment(packet, bytes, source, destination, l3, end).map(Found::Fragment);
    }
    let Some(start) = packet.l4_offset else {
        // Headers before the transport's were not whole: their own packet's end, or the capture's, came first.
        let inside = packet.problem.map_or(Skip::NotUdp, |problem| reason(&problem));
        return Err(if inside == Skip::Truncated && end <= bytes.len() { Skip::Malformed } else { inside });
    };
    let start = start as usize;
    match packet.proto {
        Some(UDP) => {
            let udp = read_udp(bytes, start..end, source, destination)?;
            let payload = bytes.get(udp.payload.clone()).ok_or(Skip::Truncated)?;
            let tunnelled = packet.tunnel.is_some_and(|tunnel| tunnel.has_inner());
            if tunnelled && !is_telemetry(payload) { Err(Skip::NotUdp) } else { Ok(Found::Udp(udp)) }
        }
        Some(protocol @ (TCP | SCTP)) => {
            let source = SocketAddr::new(source, u16_at(bytes, start)?);
            let destination = SocketAddr::new(destination, u16_at(bytes, start + 2)?);
            let carried = Carried { source, destination, range: start..end };
            Ok(if protocol == TCP { Found::Tcp(carried) } else { Found::Sctp(carried) })
        }
        _ => Err(Skip::NotUdp),
    }
}

fn reason(problem: &WireError) -> Skip {
    match problem.problem {
        Problem::Truncated { .. } => Skip::Truncated,
        // Bytes that are no IP where IP was announced by nobody but a guess.
        Problem::Value(_) if problem.field.ends_with(".version") => Skip::NotIp,
        _ => Skip::Malformed,
    }
}

/// Whether a datagram to a tunnel's port is telemetry that uses this port by chance: tunnels' headers do not begin so.
fn is_telemetry(payload: &[u8]) -> bool {
    matches!(payload, [0, 1 | 5..=10, ..] | [0, 0, 0, 2 | 4 | 5, ..])
}

fn fragment(
    packet: &Packet,
    bytes: &[u8],
    source: IpAddr,
    destination: IpAddr,
    l3: usize,
    end: usize,
) -> Result<Fragment, Skip> {
    let (start, protocol) = match packet.ip_version {
        Some(6) => v6_part(bytes, l3)?,
        _ => (l3 + usize::from(byte_at(bytes, l3)? & 15) * 4, byte_at(bytes, l3 + 9)?),
    };
    let leads_on = matches!(protocol, UDP | TCP | SCTP | 4 | 41 | 47 | 60 | 94 | 97 | 115 | 137);
    if !leads_on {
        return Err(Skip::NotUdp);
    }
    if start >= end {
        return Err(Skip::Malformed);
    }
    if end > bytes.len() {
        return Err(Skip::Truncated);
    }
    let offset = usize::from(packet.fragment_offset.unwrap_or(0)) * 8;
    let more = packet.ip_flags.unwrap_or(0) & 1 != 0;
    let identification = packet.fragment_id.unwrap_or(0);
    Ok(Fragment { source, destination, identification, protocol, offset, more, payload: start..end })
}

/// Where the part of an IPv6 packet begins, and what the whole begins with (RFC 8200 section 4.5): both stand in and behind the
/// fragment header, and headers behind that one are part of the whole.
fn v6_part(bytes: &[u8], l3: usize) -> Result<(usize, u8), Skip> {
    const HEADERS_MAX: usize = 10;
    let (mut next, mut at) = (byte_at(bytes, l3 + 6)?, l3 + IPV6_HEADER_BYTES);
    for _ in 0..HEADERS_MAX {
        if next == IPV6_FRAGMENT {
            return Ok((at + 8, byte_at(bytes, at)?));
        }
        let unit = if next == 51 { 4 } else { 8 };
        next = byte_at(bytes, at)?;
        at += 8 + usize::from(byte_at(bytes, at + 1)?) * unit;
    }
    Err(Skip::Malformed)
}

/// Reads the UDP header of an IP payload. Its own length decides: Ethernet pads short frames.
fn read_udp(bytes: &[u8], payload: Range<usize>, source: IpAddr, destination: IpAddr) -> Result<Udp, Skip> {
    let at = payload.start;
    let source = SocketAddr::new(source, u16_at(bytes, at)?);
    let destination = SocketAddr::new(destination, u16_at(bytes, at + 2)?);
    let length = usize::from(u16_at(bytes, at + 4)?);
    if length < UDP_HEADER_BYTES || at + length > payload.end {
        return Err(Skip::Malformed);
    }
    if at + length > bytes.len() {
        return Err(Skip::Truncated);
    }
    Ok(Udp { source, destination, payload: at + UDP_HEADER_BYTES..at + length })
}

fn byte_at(bytes: &[u8], at: usize) -> Result<u8, Skip> {
    bytes.get(at).copied().ok_or(Skip::Truncated)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Skip> {
    let pair = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied();
    pair.map(u16::from_be_bytes).ok_or(Skip::Truncated)
}
