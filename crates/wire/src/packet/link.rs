//! Ethernet, its VLAN tags, what an Ethernet type announces, and PPPoE.

use super::{Layer, Packet, TunnelKind, Walk, ip, mpls, tunnel, wan};
use crate::{Problem, Reader, WireError};

/// IEEE 802.1Q, 802.1ad, and the numbers that vendors took before 802.1ad.
const VLAN_TYPES: [u16; 5] = [0x8100, 0x88A8, 0x9100, 0x9200, 0x9300];
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;
const MPLS_UNICAST: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
/// IEEE 802.1ah: a customer's frame in a provider's.
const BACKBONE: u16 = 0x88E7;
/// Cisco's metadata, which carries a security group tag.
const CISCO_METADATA: u16 = 0x8909;
/// RFC 8300.
pub(super) const NSH: u16 = 0x894F;
/// What GRE and Geneve announce an Ethernet frame with.
pub(super) const BRIDGED: u16 = 0x6558;
/// What GRE announces PPP with.
pub(super) const PPP: u16 = 0x880B;

/// Deeper than any network stacks them; more are an attempt to keep us busy.
const VLAN_TAGS_MAX: u8 = 8;

/// Frames bridged in each other, each with a header that leads to the next: every link that can carry another comes by here.
const FRAMES_MAX: u8 = 4;

/// Below this, the two bytes are an IEEE 802.3 length (IEEE 802.3 section 3.2.6).
const ETYPE_MIN: u16 = 0x0600;

/// Ethernet II or IEEE 802.3, from the destination's address on.
pub(super) fn ethernet(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    if packet.frames == FRAMES_MAX {
        return Err(r.error("ethernet", Problem::TooDeep(FRAMES_MAX.into())));
    }
    packet.frames += 1;
    let is_outer = packet.src_mac.is_none();
    let dst = r.array("ethernet.dst_mac")?;
    if is_outer {
        packet.dst_mac = Some(dst);
    }
    let src = r.array("ethernet.src_mac")?;
    if is_outer {
        packet.src_mac = Some(src);
    }
    let mut etype = r.u16("ethernet.type")?;
    if VLAN_TYPES.contains(&etype) {
        etype = vlans(packet, &mut r)?;
    }
    if etype >= ETYPE_MIN { network(packet, etype, r) } else { llc(packet, r, 0) }
}

/// What follows an Ethernet type, which may be a VLAN tag's. Linux's cooked captures have numbers below those of
/// Ethernet types, of which 4 is IEEE 802.2.
pub(super) fn ether_type(packet: &mut Packet, mut etype: u16, mut r: Reader<'_>) -> Walk {
    if VLAN_TYPES.contains(&etype) {
        etype = vlans(packet, &mut r)?;
    }
    match etype {
        4 => llc(packet, r, 0),
        _ => network(packet, etype, r),
    }
}

/// Steps over tags, of which the first one's type was read, and gives the type behind them.
fn vlans(packet: &mut Packet, r: &mut Reader<'_>) -> Result<u16, WireError> {
    loop {
        if packet.vlan_tags == VLAN_TAGS_MAX {
            return Err(r.error("vlan", Problem::TooDeep(VLAN_TAGS_MAX.into())));
        }
        vlan(packet, r.u16("vlan.tci")?);
        let etype = r.u16("vlan.type")?;
        if !VLAN_TYPES.contains(&etype) {
            return Ok(etype);
        }
    }
}

fn vlan(packet: &mut Packet, tci: u16) {
    let (id, priority) = (Some(tci & 0x0FFF), Some((tci >> 13) as u8));
    match packet.vlan_tags {
        0 => (packet.vlan_id, packet.vlan_priority) = (id, priority),
        1 => (packet.inner_vlan_id, packet.inner_vlan_priority) = (id, priority),
        _ => {}
    }
    packet.vlan_tags += 1;
}

/// IEEE 802.2, and SNAP with an Ethernet type (RFC 1042) or a bridged frame in it (RFC 2684, RFC 2427), before which ATM
/// has `padding`.
pub(super) fn llc(packet: &mut Packet, mut r: Reader<'_>, padding: usize) -> Walk {
    let whole = r;
    match r.array("llc")? {
        [0xAA, 0xAA, 0x03] => snap(packet, r, padding),
        // IP's own access point, before RFC 1042.
        [0x06, 0x06, 0x03] => ip::either(packet, r),
        // A network layer protocol's number follows (RFC 2684 section 5.1).
        [0xFE, 0xFE, 0x03] => wan::nlpid(packet, r),
        _ => {
            packet.payload_offset = whole.place();
            Ok(())
        }
    }
}

/// From the organisation on.
pub(super) fn snap(packet: &mut Packet, mut r: Reader<'_>, padding: usize) -> Walk {
    let oui: [u8; 3] = r.array("snap.oui")?;
    let kind = r.u16("snap.type")?;
    match (oui, kind) {
        // RFC 1042 has 00-00-00; IEEE 802.1H bridges use 00-00-F8.
        ([0, 0, 0 | 0xF8], etype) => network(packet, etype, r),
        // With and without a check sequence at the end.
        ([0, 0x80, 0xC2], 1 | 7) => {
            r.bytes("snap.padding", padding)?;
            ethernet(packet, r)
        }
        // Others number their own protocols.
        _ => {
            packet.payload_offset = r.place();
            Ok(())
        }
    }
}

/// What an Ethernet type announces.
fn network(packet: &mut Packet, etype: u16, r: Reader<'_>) -> Walk {
    packet.etype = Some(etype);
    match etype {
        IPV4 => ip::v4(packet, r),
        IPV6 => ip::v6(packet, r),
        MPLS_UNICAST | MPLS_MULTICAST => mpls::stack(packet, r),
        _ => other(packet, etype, r),
    }
}

#[cold]
fn other(packet: &mut Packet, etype: u16, mut r: Reader<'_>) -> Walk {
    match etype {
        PPPOE_SESSION => pppoe(packet, r),
        // Linux's number for PPP's frames in a cooked capture is the type that GRE has for it.
        PPP => wan::ppp(packet, r),
        BRIDGED => ethernet(packet, r),
        NSH => tunnel::service_function(packet, r),
        BACKBONE => {
            let tag = r.u32("backbone.i_tag")?;
            tunnel::begin(packet, TunnelKind::Backbone, Some(tag & 0x00FF_FFFF), Layer::Ethernet, r);
            Ok(())
        }
        CISCO_METADATA => metadata(packet, r),
        _ => {
            packet.payload_offset = r.place();
            Ok(())
        }
    }
}

/// Eight bytes: version and length (1 and 1), options, group; and the type of what follows, which Ethernet has last and GRE first.
fn metadata(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let [a, b, .., y, z] = r.array::<8>("metadata.header")?;
    let etype = if [a, b] == [1, 1] { [y, z] } else { [a, b] };
    match u16::from_be_bytes(etype) {
        // One is stepped over: a second says nothing more.
        CISCO_METADATA => {
            packet.payload_offset = r.place();
            Ok(())
        }
        etype => network(packet, etype, r),
    }
}

/// A session's packet of PPPoE, from its version on (RFC 2516 section 4).
pub(super) fn pppoe(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let start = r;
    let [version, code] = r.array("pppoe.version")?;
    if version != 0x11 || code != 0 {
        return Err(start.error("pppoe.version", Problem::Value(version.into())));
    }
    r.u16("pppoe.session_id")?;
    let length = r.u16("pppoe.length")?;
    wan::ppp(packet, ip::narrow(r, Some(length.into())))
}
