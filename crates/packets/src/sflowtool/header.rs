//! The decoding of a sampled header, step by step, as sflowtool does it: Ethernet with VLAN tags and IEEE 802.2,
//! IEEE 802.11's addresses, IPv4, IPv6 with its extension headers, and ICMP, TCP and UDP. Tunnels and labels stay shut.
//!
//! Names and the columns of a line come from the same steps, in the same order. [`crate`]'s other users read headers
//! with [`finderscope_wire::packet`], which goes further: here the point is to say what sflowtool says.

use std::net::IpAddr;

use finderscope_wire::packet::HeaderProtocol;

/// One thing that was found in a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// To.
    DstMac([u8; 6]),
    /// From.
    SrcMac([u8; 6]),
    /// The radio that sent.
    TxMac([u8; 6]),
    /// The radio that received.
    RxMac([u8; 6]),
    /// A VLAN tag; the outermost has depth 0.
    Vlan {
        /// How many tags were before it.
        depth: u32,
        /// The VLAN.
        id: u16,
        /// Its priority.
        priority: u8,
    },
    /// SNAP of another organisation.
    SnapOui([u8; 3]),
    /// The Ethernet type behind all tags.
    Etype(u16),
    /// An IPv4 header begins here.
    Ipv4(usize),
    /// An IPv6 header begins here.
    Ipv6(usize),
    /// IPv4's length of the packet.
    TotalLength(u16),
    /// IPv6's flow label.
    Label(u32),
    /// IPv6's length of what follows.
    PayloadLength(u16),
    /// From.
    Source(IpAddr),
    /// To.
    Destination(IpAddr),
    /// The transport.
    Protocol(u8),
    /// Type of service or traffic class.
    Tos(u8),
    /// Time to live or hop limit.
    Ttl(u8),
    /// Names the datagram that a fragment belongs to.
    Id(u16),
    /// Where a fragment goes; told when it is not the first.
    FragmentOffset(u16),
    /// An IPv6 header between the first and the transport.
    Extension {
        /// How many were before it.
        nth: u32,
        /// Its number.
        number: u8,
    },
    /// ICMP's type and code.
    Icmp(u8, u8),
    /// TCP's ports.
    TcpPorts(u16, u16),
    /// TCP's flags, eight bits.
    TcpFlags(u8),
    /// UDP's ports and its length.
    Udp(u16, u16, u16),
    /// What is no header any more begins here, which may be behind the bytes that there are.
    Payload(usize),
    /// Nobody here knows what the bytes begin with.
    NotDecoded,
}

/// Reads a header and tells what is found. Stops where the bytes stop, or make no sense.
#[inline]
pub(super) fn decode(protocol: HeaderProtocol, bytes: &[u8], tell: &mut impl FnMut(Found)) {
    match protocol {
        HeaderProtocol::ETHERNET => _ = ethernet(bytes, tell),
        HeaderProtocol::IPV4 => _ = ipv4(bytes, 0, tell),
        HeaderProtocol::IPV6 => _ = ipv6(bytes, 0, tell),
        HeaderProtocol::WIFI_MAC => _ = wifi(bytes, tell),
        _ => tell(Found::NotDecoded),
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

#[inline]
fn ethernet(bytes: &[u8], tell: &mut impl FnMut(Found)) -> Option<()> {
    let mut etype = u16_at(bytes, 12)?;
    tell(Found::DstMac(array(bytes, 0)?));
    tell(Found::SrcMac(array(bytes, 6)?));
    let mut at = 14;
    let mut depth = 0;
    while matches!(etype, 0x8100 | 0x88A8 | 0x9100 | 0x9200 | 0x9300) {
        let tag = u16_at(bytes, at)?;
        let behind = u16_at(bytes, at + 2)?;
        tell(Found::Vlan { depth, id: tag & 0xFFF, priority: (tag >> 13) as u8 });
        etype = behind;
        at += 4;
        depth += 1;
    }
    if etype <= 1500 {
        (etype, at) = llc(bytes, at, tell)?;
    }
    tell(Found::Etype(etype));
    match etype {
        0x0800 => ipv4(bytes, at, tell),
        0x86DD => ipv6(bytes, at, tell),
        _ => None,
    }
}

/// IEEE 802.2 with SNAP, or with IP at once: the Ethernet type that it stands for, and where that begins.
fn llc(bytes: &[u8], at: usize, tell: &mut impl FnMut(Found)) -> Option<(u16, usize)> {
    match array::<3>(bytes, at)? {
        [0xAA, 0xAA, 3] => match array(bytes, at + 3)? {
            [0, 0, 0] => Some((u16_at(bytes, at + 6)?, at + 8)),
            oui => {
                tell(Found::SnapOui(oui));
                None
            }
        },
        [6, 6, control] if control & 1 == 1 => Some((0x0800, at + 3)),
        _ => None,
    }
}

/// IEEE 802.11: who sends and receives, by radio and behind it. Only data frames have both.
fn wifi(bytes: &[u8], tell: &mut impl FnMut(Found)) -> Option<()> {
    if bytes.len() < 24 || bytes.first()? >> 2 & 3 != 2 {
        return None;
    }
    let address = |number: usize| array::<6>(bytes, [0, 4, 10, 16, 24].get(number).copied()?);
    let (to_ds, from_ds) = (bytes.get(1)? & 1 == 1, bytes.get(1)? & 2 == 2);
    let (source, destination) = match (to_ds, from_ds) {
        (false, false) => (2, 1),
        (false, true) => (3, 1),
        (true, false) => (2, 3),
        (true, true) => (4, 3),
    };
    if let Some(source) = address(source) {
        tell(Found::SrcMac(source));
    }
    tell(Found::DstMac(address(destination)?));
    tell(Found::TxMac(address(2)?));
    tell(Found::RxMac(address(1)?));
    Some(())
}

#[inline]
fn ipv4(bytes: &[u8], at: usize, tell: &mut impl FnMut(Found)) -> Option<()> {
    let header: [u8; 20] = array(bytes, at)?;
    let [first, tos, l0, l1, i0, i1, f0, f1, ttl, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = header;
    let header_length = usize::from(first & 0xF) * 4;
    if first >> 4 != 4 || header_length < 20 {
        return None;
    }
    tell(Found::Ipv4(at));
    tell(Found::TotalLength(u16::from_be_bytes([l0, l1])));
    tell(Found::Source(IpAddr::from([s0, s1, s2, s3])));
    tell(Found::Destination(IpAddr::from([d0, d1, d2, d3])));
    tell(Found::Protocol(protocol));
    tell(Found::Tos(tos));
    tell(Found::Ttl(ttl));
    tell(Found::Id(u16::from_be_bytes([i0, i1])));
    match u16::from_be_bytes([f0, f1]) & 0x1FFF {
        0 => transport(bytes, at + header_length, protocol, tell),
        offset => {
            tell(Found::FragmentOffset(offset));
            tell(Found::Payload(at + header_length));
            None
        }
    }
}

fn ipv6(bytes: &[u8], at: usize, tell: &mut impl FnMut(Found)) -> Option<()> {
    if bytes.get(at)? >> 4 != 6 {
        return None;
    }
    tell(Found::Ipv6(at));
    let [a, b, c, d, l0, l1, mut next, hops]: [u8; 8] = array(bytes, at)?;
    let source: [u8; 16] = array(bytes, at + 8)?;
    let destination: [u8; 16] = array(bytes, at + 24)?;
    tell(Found::Tos(a << 4 | b >> 4));
    tell(Found::Label(u32::from_be_bytes([0, b & 0xF, c, d])));
    tell(Found::PayloadLength(u16::from_be_bytes([l0, l1])));
    tell(Found::Ttl(hops));
    tell(Found::Source(IpAddr::from(source)));
    tell(Found::Destination(IpAddr::from(destination)));
    let mut at = at + 40;
    let mut nth = 0;
    while matches!(next, 0 | 43 | 44 | 51 | 60) {
        tell(Found::Extension { nth, number: next });
        let [following, length]: [u8; 2] = array(bytes, at)?;
        if next == 44 && u16_at(bytes, at + 2)? >> 3 != 0 {
            tell(Found::Protocol(following));
            tell(Found::FragmentOffset(u16_at(bytes, at + 2)? >> 3));
            tell(Found::Payload(at + 8));
            return None;
        }
        at += match next {
            44 => 8,
            // An authentication header counts in fours, the others in eights (RFC 4302 section 2.2).
            51 => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        next = following;
        nth += 1;
    }
    tell(Found::Protocol(next));
    transport(bytes, at, next, tell)
}

/// Eight bytes are what sflowtool wants to see before it reads any of them.
#[inline]
fn transport(bytes: &[u8], at: usize, protocol: u8, tell: &mut impl FnMut(Found)) -> Option<()> {
    let [a, b, c, d, e, f, _, _]: [u8; 8] = array(bytes, at)?;
    let ports = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    match protocol {
        1 => {
            tell(Found::Icmp(a, b));
            tell(Found::Payload(at + 8));
        }
        6 => {
            tell(Found::TcpPorts(ports.0, ports.1));
            if let Some(flags) = bytes.get(at + 13) {
                tell(Found::TcpFlags(*flags));
            }
            if let Some(length) = bytes.get(at + 12) {
                tell(Found::Payload(at + usize::from(length >> 4) * 4));
            }
        }
        17 => {
            tell(Found::Udp(ports.0, ports.1, u16::from_be_bytes([e, f])));
            tell(Found::Payload(at + 8));
        }
        _ => tell(Found::Payload(at)),
    }
    Some(())
}
