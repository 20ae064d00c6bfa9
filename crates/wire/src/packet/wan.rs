//! Links between two ends: PPP, HDLC, frame relay, X.25, ATM and SMDS.

use super::{Packet, Walk, ip, link, mpls};
use crate::Reader;

const ALL_STATIONS: [u8; 2] = [0xFF, 0x03];
/// Cisco's HDLC: an address of 0F (unicast) or 8F (broadcast), then zero.
const CISCO: [[u8; 2]; 2] = [[0x0F, 0], [0x8F, 0]];
const UNNUMBERED: u8 = 0x03;

/// From the protocol on, or from address and control, which a link may leave out (RFC 1661, RFC 1662).
pub(super) fn ppp(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    if r.rest().starts_with(&ALL_STATIONS) {
        r.u16("ppp.address")?;
    }
    let protocol = match r.u8("ppp.protocol")? {
        // Compressed: a protocol's last bit is set, that of its first byte never.
        low if low & 1 != 0 => u16::from(low),
        high => u16::from(high) << 8 | u16::from(r.u8("ppp.protocol")?),
    };
    match protocol {
        0x0021 => ip::v4(packet, r),
        0x0057 => ip::v6(packet, r),
        0x0281 | 0x0283 => mpls::stack(packet, r),
        0x0031 => bridged(packet, r),
        _ => {
            packet.payload_offset = r.place();
            Ok(())
        }
    }
}

/// A bridged frame (RFC 3518 section 4.2): flags, the kind of MAC, perhaps a LAN's number.
fn bridged(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const LAN_ID: u8 = 0x40;
    const ETHERNET: u8 = 1;
    let [flags, kind] = r.array("ppp.bridge")?;
    if flags & LAN_ID != 0 {
        r.u32("ppp.lan_id")?;
    }
    if kind == ETHERNET {
        return link::ethernet(packet, r);
    }
    packet.payload_offset = r.place();
    Ok(())
}

/// PPP in HDLC's framing, or Cisco's way, which has an Ethernet type.
pub(super) fn hdlc(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    if CISCO.iter().any(|address| r.rest().starts_with(address)) {
        r.u16("hdlc.address")?;
        let etype = r.u16("hdlc.type")?;
        return link::ether_type(packet, etype, r);
    }
    ppp(packet, r)
}

/// An address of two to four bytes, then a network layer protocol's number (RFC 2427) or, Cisco's way, an Ethernet type.
pub(super) fn frame_relay(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const ADDRESS_BYTES_MAX: usize = 4;
    for _ in 0..ADDRESS_BYTES_MAX {
        if r.u8("frame_relay.address")? & 1 != 0 {
            break;
        }
    }
    if r.rest().first() != Some(&UNNUMBERED) {
        let etype = r.u16("frame_relay.type")?;
        return link::ether_type(packet, etype, r);
    }
    r.u8("frame_relay.control")?;
    nlpid(packet, r)
}

/// A network layer protocol's number (ISO/IEC TR 9577), perhaps behind a byte of padding.
pub(super) fn nlpid(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    if r.rest().first() == Some(&0) {
        r.u8("nlpid.padding")?;
    }
    match r.u8("nlpid")? {
        0xCC => ip::v4(packet, r),
        0x8E => ip::v6(packet, r),
        0x80 => link::snap(packet, r, 0),
        0xCF => ppp(packet, r),
        _ => {
            packet.payload_offset = r.place();
            Ok(())
        }
    }
}

/// A data packet: its call agreed on IP (RFC 1356), so that no other protocol begins with IP's version.
pub(super) fn x25(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const MODULO_128: u8 = 0x20;
    let first = r.u8("x25.general_format")?;
    r.u8("x25.channel")?;
    let kind = r.u8("x25.type")?;
    let is_data = kind & 1 == 0;
    if is_data && first & MODULO_128 != 0 {
        r.u8("x25.sequence")?;
    }
    if is_data && r.rest().first().is_some_and(|first| matches!(first >> 4, 4 | 6)) {
        return ip::either(packet, r);
    }
    packet.payload_offset = r.place();
    Ok(())
}

/// The interface protocol's header of 36 bytes, then IEEE 802.2 (RFC 1209).
pub(super) fn smds(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const HEADER_BYTES: usize = 36;
    r.bytes("smds.header", HEADER_BYTES)?;
    link::llc(packet, r, 0)
}

/// IEEE 802.2 (RFC 2684 section 5), or a protocol alone that its circuit agreed on.
pub(super) fn aal5(packet: &mut Packet, r: Reader<'_>) -> Walk {
    const BRIDGE_PADDING: usize = 2;
    match r.rest() {
        [first, ..] if matches!(first >> 4, 4 | 6) && *first != 0x42 => ip::either(packet, r),
        [0, 0, ..] => bridged_circuit(packet, r),
        _ => link::llc(packet, r, BRIDGE_PADDING),
    }
}

/// Two bytes of padding, then an Ethernet frame (RFC 2684 section 6.2).
fn bridged_circuit(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    r.u16("aal5.padding")?;
    link::ethernet(packet, r)
}
