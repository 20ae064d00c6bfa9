//! L2TP's data: version 2 (RFC 2661), version 3 over UDP and over IP (RFC 3931).

use super::{TunnelKind, begin, is_usual_etype, name};
use crate::Reader;
use crate::packet::{Layer, Packet, Walk};

const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;

/// From the flags on. Control messages, and what is not L2TP, are no tunnel.
pub(super) fn over_udp(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let Ok(flags) = r.u16("l2tp.flags") else { return Ok(()) };
    if flags & CONTROL != 0 {
        return Ok(());
    }
    match flags & 0x000F {
        2 => version_2(packet, flags, r),
        3 => {
            r.u16("l2tp.reserved")?;
            let session = r.u32("l2tp.session_id")?;
            version_3(packet, session, r);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn version_2(packet: &mut Packet, flags: u16, mut r: Reader<'_>) -> Walk {
    // Bits that must be zero.
    if flags & 0x34F0 != 0 {
        return Ok(());
    }
    if flags & LENGTH != 0 {
        r.u16("l2tp.length")?;
    }
    let id = r.u32("l2tp.tunnel_id")?;
    if flags & SEQUENCE != 0 {
        r.u32("l2tp.sequence")?;
    }
    if flags & OFFSET != 0 {
        let offset = r.u16("l2tp.offset")?;
        r.bytes("l2tp.offset_pad", offset.into())?;
    }
    begin(packet, TunnelKind::L2tp2, Some(id), Layer::Ppp, r);
    Ok(())
}

/// Version 3 straight over IP: a session, of which zero means control.
pub(super) fn over_ip(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let session = r.u32("l2tp.session_id")?;
    if session != 0 {
        version_3(packet, session, r);
    }
    Ok(())
}

/// Both ends agreed beforehand on a cookie of 0, 4 or 8 bytes, on a sublayer of 0 or 4, and on what is carried; the packet says nothing of
/// it. An Ethernet frame is recognised by a usual type in its place; everything else is left alone.
fn version_3(packet: &mut Packet, session: u32, r: Reader<'_>) {
    for before in [0, 4, 8, 12] {
        let mut frame = r;
        if frame.bytes("l2tp.cookie", before).is_err() {
            break;
        }
        let fields = frame.rest().get(12..).and_then(|rest| rest.first_chunk::<3>());
        if let Some(&[high, low, first]) = fields
            && is_frame(u16::from_be_bytes([high, low]), first)
        {
            return begin(packet, TunnelKind::L2tp3, Some(session), Layer::Ethernet, frame);
        }
    }
    name(packet, TunnelKind::L2tp3, Some(session));
}

const fn is_frame(etype: u16, first: u8) -> bool {
    match etype {
        0x0800 => first >> 4 == 4,
        0x86DD => first >> 4 == 6,
        other => is_usual_etype(other),
    }
}
