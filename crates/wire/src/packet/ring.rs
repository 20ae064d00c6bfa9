//! IEEE 802.5's token ring, IEEE 802.4's token bus, and FDDI: addresses, and IEEE 802.2 below.

use super::{Packet, Walk, link};
use crate::Reader;

/// Set in the source's first byte where a route follows (IEEE 802.5 annex C).
const ROUTED: u8 = 0x80;

/// Access control, frame control, addresses, and perhaps the route that the frame takes.
pub(super) fn token_ring(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    r.u8("token_ring.access_control")?;
    let control = r.u8("token_ring.frame_control")?;
    packet.dst_mac = Some(r.array("token_ring.dst_mac")?);
    let [first, rest @ ..]: [u8; 6] = r.array("token_ring.src_mac")?;
    let [a, b, c, d, e] = rest;
    packet.src_mac = Some([first & !ROUTED, a, b, c, d, e]);
    if first & ROUTED != 0 {
        let mut route = r;
        let length = usize::from(route.u8("token_ring.route")? & 0x1F);
        r.bytes("token_ring.route", length)?;
    }
    below(packet, control, r)
}

/// Token bus and FDDI (RFC 1390) have one byte of frame control.
pub(super) fn one_byte(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let control = r.u8("fddi.frame_control")?;
    packet.dst_mac = Some(r.array("fddi.dst_mac")?);
    packet.src_mac = Some(r.array("fddi.src_mac")?);
    below(packet, control, r)
}

/// All three say by two bits whether the frame is the ring's own or carries IEEE 802.2.
fn below(packet: &mut Packet, control: u8, r: Reader<'_>) -> Walk {
    if control & 0xC0 == 0x40 {
        return link::llc(packet, r, 0);
    }
    packet.payload_offset = r.place();
    Ok(())
}
