//! From a frame to its UDP payload: link layer, VLAN tags, IPv4 (RFC 791) or IPv6 (RFC 8200), UDP (RFC 768).
//!
//! Everything is a position in the frame; no function copies, and none reads past the end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use super::Skip;

/// Tags and extension headers nested deeper than this are an attack, not a network.
const NESTED_MAX: usize = 8;

const UDP: u8 = 17;
const UDP_HEADER_BYTES: usize = 8;

/// What a frame holds.
#[derive(Debug)]
pub(super) enum Found {
    Udp(Udp),
    Fragment(Fragment),
}

#[derive(Debug)]
pub(super) struct Udp {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: Range<usize>,
}

/// A part of an IP packet.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) identification: u32,
    /// Where `payload` belongs in the whole.
    pub(super) offset: usize,
    pub(super) more: bool,
    pub(super) payload: Range<usize>,
}

/// Finds UDP in a frame of the given link type (tcpdump.org/linktypes).
pub(super) fn find(link: u16, frame: &[u8]) -> Result<Found, Skip> {
    match link {
        1 => tagged(frame, 12),                          // Ethernet
        113 => tagged(frame, 14),                        // Linux cooked v1: protocol is its last field
        276 => ether_type(frame, u16_at(frame, 0)?, 20), // Linux cooked v2: protocol is its first
        0 | 108 => loopback(frame),
        12 | 14 | 101 | 228 | 229 => ip(frame, 0),
        _ => Err(Skip::LinkType),
    }
}

fn tagged(frame: &[u8], at: usize) -> Result<Found, Skip> {
    ether_type(frame, u16_at(frame, at)?, at + 2)
}

fn ether_type(frame: &[u8], mut protocol: u16, mut at: usize) -> Result<Found, Skip> {
    for _ in 0..NESTED_MAX {
        match protocol {
            0x0800 | 0x86dd => return ip(frame, at),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                protocol = u16_at(frame, at + 2)?;
                at += 4;
            }
            _ => return Err(Skip::NotIp),
        }
    }
    Err(Skip::Malformed)
}

/// BSD loopback: an address family in the byte order of whoever captured; IPv6 has a different number in each system.
fn loopback(frame: &[u8]) -> Result<Found, Skip> {
    let family = u32::from_be_bytes(array_at(frame, 0)?);
    match family.min(family.swap_bytes()) {
        2 | 10 | 24 | 28 | 30 => ip(frame, 4),
        _ => Err(Skip::NotIp),
    }
}

fn ip(frame: &[u8], at: usize) -> Result<Found, Skip> {
    match byte_at(frame, at)? >> 4 {
        4 => ipv4(frame, at),
        6 => ipv6(frame, at),
        _ => Err(Skip::NotIp),
    }
}

fn ipv4(frame: &[u8], at: usize) -> Result<Found, Skip> {
    let header = usize::from(byte_at(frame, at)? & 15) * 4;
    let total = usize::from(u16_at(frame, at + 2)?);
    let identification = u16_at(frame, at + 4)?;
    let flags = u16_at(frame, at + 6)?;
    let protocol = byte_at(frame, at + 9)?;
    let source = IpAddr::V4(Ipv4Addr::from(array_at::<4>(frame, at + 12)?));
    let destination = IpAddr::V4(Ipv4Addr::from(array_at::<4>(frame, at + 16)?));
    // Segmentation offload leaves 0 where the sender's own machine captured: then the frame's end counts.
    let end = if total == 0 { frame.len() } else { at + total };
    let payload = at + header..end;
    if header < 20 || payload.start > payload.end {
        return Err(Skip::Malformed);
    }
    if protocol != UDP {
        return Err(Skip::NotUdp);
    }
    let (more, offset) = (flags & 0x2000 != 0, usize::from(flags & 0x1fff) * 8);
    if !more && offset == 0 {
        return read_udp(frame, payload, source, destination).map(Found::Udp);
    }
    let identification = u32::from(identification);
    fragment(frame, Fragment { source, destination, identification, offset, more, payload })
}

fn ipv6(frame: &[u8], at: usize) -> Result<Found, Skip> {
    let length = usize::from(u16_at(frame, at + 4)?);
    let mut next = byte_at(frame, at + 6)?;
    let source = IpAddr::V6(Ipv6Addr::from(array_at::<16>(frame, at + 8)?));
    let destination = IpAddr::V6(Ipv6Addr::from(array_at::<16>(frame, at + 24)?));
    let mut at = at + 40;
    let end = if length == 0 { frame.len() } else { at + length };
    for _ in 0..NESTED_MAX {
        if at > end {
            return Err(Skip::Malformed);
        }
        match next {
            UDP => return read_udp(frame, at..end, source, destination).map(Found::Udp),
            // Hop-by-hop, routing, destination options, mobility: length in units of 8 beyond the first.
            0 | 43 | 60 | 135 => {
                next = byte_at(frame, at)?;
                at += (usize::from(byte_at(frame, at + 1)?) + 1) * 8;
            }
            // Authentication (RFC 4302): length in units of 4 beyond the first two.
            51 => {
                next = byte_at(frame, at)?;
                at += (usize::from(byte_at(frame, at + 1)?) + 2) * 4;
            }
            44 => {
                next = byte_at(frame, at)?;
                let place = u16_at(frame, at + 2)?;
                let identification = u32::from_be_bytes(array_at(frame, at + 4)?);
                at += 8;
                let (more, offset) = (place & 1 != 0, usize::from(place & 0xfff8));
                if more || offset > 0 {
                    if next != UDP {
                        return Err(Skip::NotUdp);
                    }
                    let payload = at..end;
                    return fragment(frame, Fragment { source, destination, identification, offset, more, payload });
                }
            }
            _ => return Err(Skip::NotUdp),
        }
    }
    Err(Skip::Malformed)
}

fn fragment(frame: &[u8], fragment: Fragment) -> Result<Found, Skip> {
    let Range { start, end } = fragment.payload;
    if start >= end {
        return Err(Skip::Malformed);
    }
    if end > frame.len() {
        return Err(Skip::Truncated);
    }
    Ok(Found::Fragment(fragment))
}

/// Reads the UDP header of an IP payload. Its own length decides: Ethernet pads short frames.
pub(super) fn read_udp(bytes: &[u8], payload: Range<usize>, source: IpAddr, destination: IpAddr) -> Result<Udp, Skip> {
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

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Skip> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Skip::Truncated)
}

fn byte_at(bytes: &[u8], at: usize) -> Result<u8, Skip> {
    array_at::<1>(bytes, at).map(|[byte]| byte)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Skip> {
    array_at(bytes, at).map(u16::from_be_bytes)
}
