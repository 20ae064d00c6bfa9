//! Packets inside packets: which tunnel it is, its number, and where the packet inside begins.
//!
//! Protocols of IP that carry packets are certain. Those over UDP are told by their port, and by whatever in their
//! header has only one legal value, since any other program may use that port too.

mod gre;
mod kind;
mod l2tp;
mod udp;

use super::{Layer, Packet, Walk, layer, link};
use crate::{Problem, Reader, WireError};

pub use kind::TunnelKind;
pub(super) use udp::{may_be_tunnel, over_udp};

/// More tunnels in each other than this are not followed.
pub const TUNNELS_MAX: usize = 8;

/// A tunnel that a packet is part of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tunnel {
    /// Which.
    pub kind: TunnelKind,
    /// Its number: VNI, TEID, key, session, whatever the kind calls it.
    pub id: Option<u32>,
    /// Where the packet inside is. None where it cannot be read, or is not there.
    pub(super) inner: Option<Inside>,
}

/// The packet inside a tunnel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Inside {
    pub(super) layer: Layer,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Inside {
    pub(super) fn reader<'a>(&self, bytes: &'a [u8]) -> Option<Reader<'a>> {
        Some(Reader::at(bytes.get(self.start as usize..self.end as usize)?, self.start as usize))
    }
}

impl Tunnel {
    /// Whether there is a packet inside that can be read.
    pub const fn has_inner(&self) -> bool {
        self.inner.is_some()
    }
}

/// The packets in `bytes`, the outermost first, each inside the one before.
pub fn layers(layer: impl Into<Layer>, bytes: &[u8]) -> Layers<'_> {
    let next = Inside { layer: layer.into(), start: 0, end: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
    Layers { bytes, next: Some(next), left: TUNNELS_MAX + 1 }
}

/// What [`layers`] goes through.
#[derive(Clone, Debug)]
pub struct Layers<'a> {
    bytes: &'a [u8],
    next: Option<Inside>,
    left: usize,
}

impl Iterator for Layers<'_> {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        let inside = self.next.take()?;
        self.left = self.left.checked_sub(1)?;
        let mut packet = Packet::read(inside.layer, self.bytes, inside.reader(self.bytes)?);
        self.next = packet.tunnel.and_then(|tunnel| tunnel.inner);
        if self.left == 0 && self.next.is_some() {
            let problem = Problem::TooDeep(TUNNELS_MAX);
            packet.problem.get_or_insert(WireError::new("tunnel", inside.start as usize, problem));
        }
        Some(packet)
    }
}

/// Takes down that a tunnel begins, and with what.
pub(super) fn begin(packet: &mut Packet, kind: TunnelKind, id: Option<u32>, layer: Layer, r: Reader<'_>) {
    let place = r.place().zip(u32::try_from(r.offset() + r.len()).ok());
    let inner = place.filter(|_| !r.is_empty()).map(|(start, end)| Inside { layer, start, end });
    packet.tunnel = Some(Tunnel { kind, id, inner });
}

/// A tunnel of which only its name is plain.
pub(super) fn name(packet: &mut Packet, kind: TunnelKind, id: Option<u32>) {
    packet.tunnel = Some(Tunnel { kind, id, inner: None });
}

/// A packet whose outer headers have no IP is described by the first IP header inside.
#[cold]
pub(super) fn take_network(packet: &mut Packet, bytes: &[u8]) {
    let mut next = packet.tunnel.and_then(|tunnel| tunnel.inner);
    let mut inner = Packet::default();
    for _ in 0..TUNNELS_MAX {
        let Some((inside, reader)) = next.and_then(|inside| Some((inside, inside.reader(bytes)?))) else { break };
        inner = Packet::default();
        inner.problem = layer::walk(&mut inner, inside.layer, reader).err();
        if inner.src_addr.is_some() {
            break;
        }
        next = inner.tunnel.and_then(|tunnel| tunnel.inner);
    }
    let tunnel = packet.tunnel;
    *packet = Packet {
        src_mac: packet.src_mac,
        dst_mac: packet.dst_mac,
        vlan_id: packet.vlan_id,
        vlan_priority: packet.vlan_priority,
        inner_vlan_id: packet.inner_vlan_id,
        inner_vlan_priority: packet.inner_vlan_priority,
        vlan_tags: packet.vlan_tags,
        etype: packet.etype,
        mpls_labels: packet.mpls_labels,
        mpls_label: packet.mpls_label,
        mpls_offset: packet.mpls_offset,
        problem: packet.problem.or(inner.problem),
        tunnel,
        ..inner
    };
}

/// What IP carries beside transports: other packets, perhaps.
#[cold]
pub(super) fn over_ip(packet: &mut Packet, proto: u8, mut r: Reader<'_>) -> Walk {
    match proto {
        // IPv4 (RFC 2003), KA9Q's number for the same, and IPv6 (RFC 4213).
        4 | 94 => begin(packet, TunnelKind::IpInIp, None, Layer::Ipv4, r),
        41 => begin(packet, TunnelKind::IpInIp, None, Layer::Ipv6, r),
        47 => return gre::read(packet, r),
        // EtherIP (RFC 3378): version 3 in the upper four of 16 bits.
        97 => {
            let version = r.u16("etherip.version")? >> 12;
            if version == 3 {
                begin(packet, TunnelKind::EtherIp, None, Layer::Ethernet, r);
            }
        }
        115 => return l2tp::over_ip(packet, r),
        // RFC 4023.
        137 => begin(packet, TunnelKind::MplsInIp, None, Layer::Mpls, r),
        // RFC 8986 section 10.1: an Ethernet frame behind a segment routing header.
        143 => begin(packet, TunnelKind::Srv6, None, Layer::Ethernet, r),
        _ => {}
    }
    Ok(())
}

/// A service function chain's header (RFC 8300): its number, its own length, and what follows.
pub(super) fn service_function(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let start = r;
    let [_flags, length, _kind, next] = r.array("nsh.base")?;
    let length = usize::from(length & 0x3F) * 4;
    let path = r.u32("nsh.service_path")?;
    let minimum = 8;
    let Some(context) = length.checked_sub(minimum) else {
        return Err(start.error("nsh.length", Problem::TooShort { length, minimum }));
    };
    r.bytes("nsh.context", context)?;
    match next {
        1 => begin(packet, TunnelKind::Nsh, Some(path >> 8), Layer::Ipv4, r),
        2 => begin(packet, TunnelKind::Nsh, Some(path >> 8), Layer::Ipv6, r),
        3 => begin(packet, TunnelKind::Nsh, Some(path >> 8), Layer::Ethernet, r),
        5 => begin(packet, TunnelKind::Nsh, Some(path >> 8), Layer::Mpls, r),
        _ => name(packet, TunnelKind::Nsh, Some(path >> 8)),
    }
    Ok(())
}

/// Types that a frame inside a tunnel mostly has; what has none of them is probably no frame.
pub(super) const fn is_usual_etype(etype: u16) -> bool {
    matches!(
        etype,
        0x0800 | 0x0806 | 0x86DD | 0x8100 | 0x88A8 | 0x8847 | 0x8848 | 0x8863 | 0x8864 | 0x88CC | 0x8809 | 0x9000
    )
}

/// IPv4 or IPv6 by the first four bits, for tunnels that do not say.
fn ip_layer(r: Reader<'_>) -> Option<Layer> {
    match r.rest().first()? >> 4 {
        4 => Some(Layer::Ipv4),
        6 => Some(Layer::Ipv6),
        _ => None,
    }
}
