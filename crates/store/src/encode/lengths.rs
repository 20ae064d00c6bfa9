//! Byte strings as their lengths, and then all their bytes (DELTA_LENGTH_BYTE_ARRAY).
//!
//! Lengths are differences packed into bits (DELTA_BINARY_PACKED): addresses of one kind are differences of zero, and a
//! block of those is five bytes.

use super::body::{Body, varint};

/// Differences in a block, and in each of its parts, which have a width of their own.
const BLOCK: usize = 128;
const PART: usize = 32;

/// Adds strings of these lengths whose bytes are `bytes`.
pub(super) fn strings(body: &mut Body, lengths: &[i32], bytes: &[u8]) {
    differences(body.bytes(), lengths);
    body.bytes().extend_from_slice(bytes);
}

fn differences(out: &mut Vec<u8>, values: &[i32]) {
    varint(out, BLOCK as u64);
    varint(out, (BLOCK / PART) as u64);
    varint(out, values.len() as u64);
    varint(out, zigzag(values.first().copied().unwrap_or(0)));
    let mut at = 1;
    while at < values.len() {
        let count = BLOCK.min(values.len() - at);
        let mut differences = [0i32; BLOCK];
        for (difference, pair) in differences.iter_mut().zip(values[at - 1..at + count].windows(2)) {
            *difference = pair[1].wrapping_sub(pair[0]);
        }
        block(out, &differences[..count]);
        at += count;
    }
}

fn block(out: &mut Vec<u8>, differences: &[i32]) {
    let least = differences.iter().copied().min().unwrap_or(0);
    varint(out, zigzag(least));
    let widths = out.len();
    out.extend_from_slice(&[0; BLOCK / PART]);
    for (at, part) in differences.chunks(PART).enumerate() {
        let above = |difference: &i32| difference.wrapping_sub(least) as u32;
        let width = 32 - part.iter().fold(0, |bits, difference| bits | above(difference)).leading_zeros();
        out[widths + at] = width as u8;
        if width > 0 {
            pack(out, part.iter().map(above), width);
        }
    }
}

/// A part is whole, whatever of it is used.
fn pack(out: &mut Vec<u8>, values: impl Iterator<Item = u32>, width: u32) {
    let end = out.len() + PART / 8 * width as usize;
    let (mut bits, mut count) = (0u64, 0);
    for value in values {
        bits |= u64::from(value) << count;
        count += width;
        while count >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push(bits as u8);
    }
    out.resize(end, 0);
}

fn zigzag(value: i32) -> u64 {
    u64::from((value << 1 ^ value >> 31) as u32)
}
