//! LZ4 blocks from bytes whose runs are known (LZ4 block format).
//!
//! A run is its first byte as a literal and a match that is one byte behind. A long run is its first bytes and matches
//! that double what is there, since decoders copy a match byte by byte where it overlaps with itself. Everything else is
//! literals, so a block costs what copying costs. It is what cut parts are compressed with: the bytes that are left
//! after a number's streams were split are noise to LZ4 anyway (measured).

use super::body::Run;

/// The last match begins at least this many bytes before the end of the block, which is literals; the format wants it.
const TAIL: usize = 12;
/// The shortest match.
const MATCH: usize = 4;
/// A match this long is made of some that do not overlap with themselves, after so many bytes of the run. Decoders copy
/// sixteen bytes at a time, and want that much room.
const LONG: usize = 256;
const START: usize = 64;
const ROOM: usize = 16;

/// Appends a block that stands for `bytes` with `runs` in them.
pub(super) fn block(bytes: &[u8], runs: &[Run], out: &mut Vec<u8>) {
    let mut from = 0;
    let mut left: usize = bytes.len() + runs.iter().map(|run| run.length).sum::<usize>();
    // Literals that a run near the end leaves behind it.
    let mut tail: Vec<u8> = Vec::new();
    for run in runs {
        let literals = &bytes[from..run.at];
        from = run.at;
        left -= literals.len() + run.length;
        // How much of the run has to be literals, so that enough of them follow.
        let kept = if left < TAIL { TAIL.min(run.length) } else { 0 };
        let matched = (run.length - kept).saturating_sub(1);
        tail.extend_from_slice(literals);
        if matched < MATCH {
            tail.resize(tail.len() + run.length, run.byte);
            continue;
        }
        tail.push(run.byte);
        if matched < LONG {
            sequence(out, &tail, Some((1, matched)));
        } else {
            long_run(out, &mut tail, run.byte, matched);
        }
        tail.clear();
        tail.resize(kept, run.byte);
    }
    tail.extend_from_slice(&bytes[from..]);
    sequence(out, &tail, None);
}

/// The literals, the last of which is the first byte of a run, and `left` more of it.
fn long_run(out: &mut Vec<u8>, literals: &mut Vec<u8>, byte: u8, left: usize) {
    literals.resize(literals.len() + START - 1, byte);
    let (mut there, mut left) = (START, left - (START - 1));
    while left > 0 {
        let back = there.min(usize::from(u16::MAX));
        // What is left for the next match is none, or enough for one.
        let now = match left.min(back - ROOM) {
            now if (1..MATCH).contains(&(left - now)) => now - MATCH,
            now => now,
        };
        sequence(out, literals, Some((back, now)));
        literals.clear();
        (there, left) = (there + now, left - now);
    }
}

/// Literals, and a match: how far back, and how long.
fn sequence(out: &mut Vec<u8>, literals: &[u8], matched: Option<(usize, usize)>) {
    let extra = matched.map_or(0, |(_, matched)| matched - MATCH);
    out.push((literals.len().min(15) as u8) << 4 | extra.min(15) as u8);
    length(out, literals.len());
    out.extend_from_slice(literals);
    if let Some((back, _)) = matched {
        out.extend_from_slice(&(back as u16).to_le_bytes());
        length(out, extra);
    }
}

/// What of a length does not fit into its half of the token.
fn length(out: &mut Vec<u8>, length: usize) {
    let Some(mut left) = length.checked_sub(15) else { return };
    while left >= 255 {
        out.push(255);
        left -= 255;
    }
    out.push(left as u8);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use crate::encode::body::Body;

    proptest! {
        #[test]
        fn another_decoder_reads_what_the_block_stands_for(
            pieces in prop::collection::vec((any::<u8>(), prop_oneof![0..40usize, 200..900usize, 60_000..200_000usize], any::<bool>()), 1..12)
        ) {
            let mut body = Body::default();
            for &(byte, length, run) in &pieces {
                if run {
                    body.fill(byte, length);
                } else {
                    body.stream((0..length).map(|at| if at % 300 < 60 { byte } else { (at * 7) as u8 ^ byte }));
                }
            }
            let mut scratch = Vec::new();
            let plain = body.plain(&mut scratch).to_vec();
            prop_assert_eq!(plain.len(), body.len());
            let mut block = Vec::new();
            body.lz4(&mut block);
            prop_assert_eq!(lz4_flex::block::decompress(&block, plain.len()).unwrap(), plain);
        }
    }
}
