//! IEEE 802.11: data frames, aggregates of frames, and of payloads.

use super::{Packet, Walk, link};
use crate::Reader;

const DATA: u8 = 2;
/// Bits of a data frame's subtype.
const QOS: u8 = 8;
const NULL: u8 = 4;
/// Bits of the second byte.
const TO_SYSTEM: u8 = 1;
const FROM_SYSTEM: u8 = 2;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
/// In the control of a service class: the payload is an aggregate.
const AGGREGATE: u8 = 0x80;

/// A frame (IEEE 802.11 section 9.3.2). Of management and control, the addresses; of data that is not encrypted, all.
pub(super) fn frame(packet: &mut Packet, mut r: Reader<'_>, padded: bool) -> Walk {
    let start = r.offset();
    let [first, flags] = r.array("wifi.frame_control")?;
    r.u16("wifi.duration")?;
    let (kind, subtype) = (first >> 2 & 3, first >> 4);
    let one: [u8; 6] = r.array("wifi.address_1")?;
    if kind == 1 {
        // Control frames have one address, some have two, and none has a payload.
        packet.dst_mac = Some(one);
        return Ok(());
    }
    let two: [u8; 6] = r.array("wifi.address_2")?;
    let three: [u8; 6] = r.array("wifi.address_3")?;
    let fragment = r.u16("wifi.sequence")?.swap_bytes() & 0x000F;
    let (dst, src) = match flags & (TO_SYSTEM | FROM_SYSTEM) {
        TO_SYSTEM => (three, two),
        FROM_SYSTEM => (one, three),
        0 => (one, two),
        _ => (three, r.array("wifi.address_4")?),
    };
    let mut aggregate = false;
    if kind == DATA && subtype & QOS != 0 {
        let [control, _]: [u8; 2] = r.array("wifi.qos")?;
        aggregate = control & AGGREGATE != 0;
    }
    let readable = kind == DATA && subtype & NULL == 0 && flags & PROTECTED == 0 && fragment == 0;
    // Each payload of an aggregate has addresses of its own; the frame's are those of the radios.
    if !(readable && aggregate) {
        (packet.dst_mac, packet.src_mac) = (Some(dst), Some(src));
    }
    if kind == DATA && subtype & QOS != 0 && flags & ORDER != 0 {
        r.u32("wifi.ht_control")?;
    }
    if padded {
        let over = (r.offset() - start) % 4;
        r.bytes("wifi.padding", (4 - over) % 4)?;
    }
    match (readable, aggregate) {
        (false, _) => {
            packet.payload_offset = r.place();
            Ok(())
        }
        (true, true) => amsdu(packet, r),
        (true, false) => link::llc(packet, r, 0),
    }
}

/// An aggregate of frames (section 9.7): a delimiter before each. The first is read.
pub(super) fn ampdu(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const SIGNATURE: u8 = b'N';
    if r.rest().get(3) == Some(&SIGNATURE) {
        r.u32("wifi.delimiter")?;
    }
    frame(packet, r, false)
}

/// A part of an aggregate of payloads (section 9.3.2.2): addresses, length, IEEE 802.2.
pub(super) fn amsdu(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    packet.dst_mac = Some(r.array("wifi.dst_mac")?);
    packet.src_mac = Some(r.array("wifi.src_mac")?);
    r.u16("wifi.length")?;
    link::llc(packet, r, 0)
}
