//! The classic format: a head of 24 bytes, and 16 before each packet, in the machine's own byte order.

use super::Options;
use crate::Shaped;

const MICROSECONDS: u32 = 0xA1B2_C3D4;
const NANOSECONDS: u32 = 0xA1B2_3C4D;
/// What sflowtool says, and more than any sampled header has.
const SNAP_BYTES: u32 = 65_536;

pub(crate) fn head(options: &Options, out: &mut Vec<u8>) {
    let magic = if options.nanoseconds { NANOSECONDS } else { MICROSECONDS };
    out.extend_from_slice(&magic.to_ne_bytes());
    for half in [2_u16, 4] {
        out.extend_from_slice(&half.to_ne_bytes());
    }
    // The time zone and the accuracy are zero in every file there is.
    for word in [0, 0, SNAP_BYTES, u32::from(options.link.0)] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
}

#[inline]
pub(crate) fn record(options: &Options, received_ns: i64, shaped: &Shaped<'_>, out: &mut Vec<u8>) {
    let length = if options.true_length { shaped.true_length } else { shaped.frame_length };
    packet_head(options, received_ns, shaped.bytes.len(), length, out);
    out.extend_from_slice(shaped.bytes);
}

/// What stands before a packet: its time, how many bytes of it follow, and how long it was.
#[inline]
pub(crate) fn packet_head(options: &Options, received_ns: i64, held: usize, length: u32, out: &mut Vec<u8>) {
    // The format has no time before 1970 and none after 2106.
    let time_ns = u64::try_from(received_ns).unwrap_or(0);
    let seconds = u32::try_from(time_ns / 1_000_000_000).unwrap_or(u32::MAX);
    let rest = (time_ns % 1_000_000_000) as u32;
    let fraction = if options.nanoseconds { rest } else { rest / 1_000 };
    let mut head = [0; 16];
    for (field, word) in head.as_chunks_mut::<4>().0.iter_mut().zip([seconds, fraction, held as u32, length]) {
        *field = word.to_ne_bytes();
    }
    out.extend_from_slice(&head);
}
