//! MPLS: label stacks (RFC 3032), and the pseudowires below them (RFC 4385, RFC 4448).

use super::{Layer, Packet, TunnelKind, Walk, ip, tunnel};
use crate::{Problem, Reader};

/// Deeper than any network stacks them; more are an attempt to keep us busy.
const MPLS_LABELS_MAX: u8 = 16;
const BOTTOM: u32 = 0x100;
/// An Ethernet header.
const FRAME_MIN: usize = 14;

/// A label stack, and what is below. Nothing in it says what that is: routers look at the first four bits, and so do we.
pub(super) fn stack(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    if packet.mpls_labels == 0 {
        packet.mpls_offset = r.place().unwrap_or(u32::MAX);
    }
    let bottom = loop {
        if packet.mpls_labels == MPLS_LABELS_MAX {
            return Err(r.error("mpls", Problem::TooDeep(MPLS_LABELS_MAX.into())));
        }
        let entry = r.u32("mpls.label")?;
        packet.mpls_label.get_or_insert(entry >> 12);
        packet.mpls_labels += 1;
        if entry & BOTTOM != 0 {
            break entry >> 12;
        }
    };
    payload(packet, Some(bottom), r)
}

/// What a stack carries, whose lowest label was `label`.
pub(super) fn payload(packet: &mut Packet, label: Option<u32>, r: Reader<'_>) -> Walk {
    match r.rest() {
        [first, ..] if first >> 4 == 4 => ip::v4(packet, r),
        [first, ..] if first >> 4 == 6 => ip::v6(packet, r),
        rest => {
            packet.payload_offset = r.place();
            if rest.len() >= FRAME_MIN {
                pseudowire(packet, label, r)?;
            }
            Ok(())
        }
    }
}

/// An Ethernet pseudowire: its control word's first four bits are zero (RFC 4385 section 3). Without one the frame begins at once, and
/// unless its first byte begins with 0 (as well as 4 or 6), that cannot be mistaken. Of the two readings of a zero, the one
/// whose Ethernet type is known wins.
fn pseudowire(packet: &mut Packet, label: Option<u32>, mut r: Reader<'_>) -> Walk {
    let bare = r;
    let word = r.u32("mpls.control_word")?;
    let controlled = word >> 28 == 0;
    if word >> 28 == 1 {
        // An associated channel (RFC 5586): OAM, and nobody's packet.
        return Ok(());
    }
    let known = |r: Reader<'_>| {
        let etype = r.rest().get(12..14).and_then(|etype| etype.first_chunk::<2>());
        etype.is_some_and(|etype| tunnel::is_usual_etype(u16::from_be_bytes(*etype)))
    };
    let body = if controlled && (known(r) || !known(bare)) { r } else { bare };
    tunnel::begin(packet, TunnelKind::Pseudowire, label, Layer::Ethernet, body);
    Ok(())
}

/// The labels of `packet`, read from `bytes` again: a stack is rare, and room for one in every packet is not free.
pub(super) fn labels<'a>(packet: &Packet, bytes: &'a [u8]) -> impl Iterator<Item = u32> + Clone + use<'a> {
    let stack = bytes.get(packet.mpls_offset as usize..).unwrap_or_default();
    let entries = stack.as_chunks::<4>().0.iter().take(packet.mpls_labels.into());
    entries.map(|entry| u32::from_be_bytes(*entry) >> 12)
}
