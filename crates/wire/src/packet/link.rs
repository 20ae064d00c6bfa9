//! Ethernet, its VLAN tags, and MPLS.

use super::{Packet, Walk, ip};
use crate::{Problem, Reader};

/// IEEE 802.1Q, 802.1ad, and the numbers that vendors took before 802.1ad.
const VLAN_TYPES: [u16; 5] = [0x8100, 0x88A8, 0x9100, 0x9200, 0x9300];
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;
const MPLS_UNICAST: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;

/// Deeper than any network stacks them; more are an attempt to keep us busy.
const VLAN_TAGS_MAX: u8 = 8;
const MPLS_LABELS_MAX: u8 = 16;

/// Below this, the two bytes are an IEEE 802.3 length (IEEE 802.3 section 3.2.6).
const ETYPE_MIN: u16 = 0x0600;

/// Ethernet II or IEEE 802.3, from the destination's address on.
pub(super) fn ethernet(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    packet.dst_mac = Some(r.array("ethernet.dst_mac")?);
    packet.src_mac = Some(r.array("ethernet.src_mac")?);
    let mut etype = r.u16("ethernet.type")?;
    while VLAN_TYPES.contains(&etype) {
        if packet.vlan_tags == VLAN_TAGS_MAX {
            return Err(r.error("vlan", Problem::TooDeep(VLAN_TAGS_MAX.into())));
        }
        vlan(packet, r.u16("vlan.tci")?);
        etype = r.u16("vlan.type")?;
    }
    if etype >= ETYPE_MIN { network(packet, etype, r) } else { llc(packet, r) }
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

/// IEEE 802.2, and SNAP with an Ethernet type in it (RFC 1042).
fn llc(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let whole = r;
    let [dsap, ssap, control] = r.array("llc")?;
    if [dsap, ssap, control] != [0xAA, 0xAA, 0x03] {
        packet.payload_offset = Some(whole.offset());
        return Ok(());
    }
    let oui: [u8; 3] = r.array("snap.oui")?;
    let etype = r.u16("snap.type")?;
    // RFC 1042 has 00-00-00; IEEE 802.1H bridges use 00-00-F8. Others number their own protocols.
    if oui == [0, 0, 0] || oui == [0, 0, 0xF8] {
        return network(packet, etype, r);
    }
    packet.payload_offset = Some(r.offset());
    Ok(())
}

fn network(packet: &mut Packet, etype: u16, r: Reader<'_>) -> Walk {
    packet.etype = Some(etype);
    match etype {
        IPV4 => ip::v4(packet, r),
        IPV6 => ip::v6(packet, r),
        MPLS_UNICAST | MPLS_MULTICAST => mpls(packet, r),
        _ => {
            packet.payload_offset = Some(r.offset());
            Ok(())
        }
    }
}

/// A label stack (RFC 3032), and the IP packet below, told by its first four bits as all routers do.
pub(super) fn mpls(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    loop {
        if packet.mpls_labels == MPLS_LABELS_MAX {
            return Err(r.error("mpls", Problem::TooDeep(MPLS_LABELS_MAX.into())));
        }
        let entry = r.u32("mpls.label")?;
        packet.mpls_label.get_or_insert(entry >> 12);
        packet.mpls_labels += 1;
        if entry & 0x100 != 0 {
            break;
        }
    }
    match r.rest().first().map(|first| first >> 4) {
        Some(4) => ip::v4(packet, r),
        Some(6) => ip::v6(packet, r),
        _ => {
            packet.payload_offset = Some(r.offset());
            Ok(())
        }
    }
}
