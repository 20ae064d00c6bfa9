//! Places in a dictionary: runs, or packed into bits (RLE and bit-packing hybrid, in pages of RLE_DICTIONARY).
//!
//! The widths are those that divide a byte or fill some: what is left to do is a compressor's, which counts bytes.

use super::body::{Body, varint};

/// The bits of a place, for a dictionary of `entries`.
fn width(entries: usize) -> u8 {
    match entries {
        0..=2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        17..=0x100 => 8,
        0x101..=0x1_0000 => 16,
        0x1_0001..=0x100_0000 => 24,
        _ => 32,
    }
}

/// Adds runs: each a place, and how often it stands there.
pub(super) fn runs(body: &mut Body, runs: impl Iterator<Item = (u32, usize)>, entries: usize) {
    let width = width(entries);
    let out = body.bytes();
    out.push(width);
    for (place, count) in runs {
        varint(out, (count as u64) << 1);
        out.extend_from_slice(&place.to_le_bytes()[..usize::from(width.div_ceil(8))]);
    }
}

/// Adds places one by one, or as one run where all are the same.
pub(super) fn places(body: &mut Body, places: &[u32], entries: usize) {
    match places {
        [] => runs(body, std::iter::empty(), entries),
        [first, rest @ ..] if rest.iter().fold(0, |differs, place| differs | (place ^ first)) == 0 => {
            runs(body, std::iter::once((*first, places.len())), entries);
        }
        _ => packed(body.bytes(), places, width(entries)),
    }
}

fn packed(out: &mut Vec<u8>, places: &[u32], width: u8) {
    let groups = places.len().div_ceil(8);
    out.push(width);
    varint(out, (groups as u64) << 1 | 1);
    let end = out.len() + groups * usize::from(width);
    match width {
        1 => pack::<8>(out, places),
        2 => pack::<4>(out, places),
        4 => pack::<2>(out, places),
        8 => out.extend(places.iter().map(|&place| place as u8)),
        16 => out.extend(places.iter().flat_map(|&place| (place as u16).to_le_bytes())),
        24 => places.iter().for_each(|place| out.extend_from_slice(&place.to_le_bytes()[..3])),
        _ => places.iter().for_each(|place| out.extend_from_slice(&place.to_le_bytes())),
    }
    // The last group is whole.
    out.resize(end, 0);
}

/// So many to a byte.
fn pack<const IN_BYTE: usize>(out: &mut Vec<u8>, places: &[u32]) {
    let bits = 8 / IN_BYTE;
    let byte =
        |places: &[u32]| places.iter().enumerate().fold(0, |byte, (at, &place)| byte | (place as u8) << (at * bits));
    out.extend(places.chunks(IN_BYTE).map(byte));
}
