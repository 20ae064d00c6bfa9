//! A page's bytes in frames of zstd.
//!
//! A page may be several frames, one after the other: whoever decompresses a page reads them as one (RFC 8878, section 2).
//! Whoever wants a single row decompresses those frames alone that have bytes of it. So pages stay large, with their few heads
//! and index entries, and a row is cheap all the same. Each frame has tables of its own, which take some fifty bytes: what is
//! unpacked in no time, since it hardly shrinks or nearly vanishes, is not cut.

use std::io;
use std::ops::Range;

use zstd::zstd_safe::{self, CCtx, CParameter, InBuffer, OutBuffer, ResetDirective};

use crate::settings::FRAMES;

/// Bytes from which on a piece is cut into frames.
const CUT_BYTES: usize = 12 << 10;
/// A piece that shrinks to less than this part of itself is not cut.
const VANISHING: usize = 16;
/// Fewer bytes than this are no piece, but go with the next.
const PIECE_BYTES: usize = 64;
/// What a frame or block costs at most, its header and what may lie in the compressor's way.
const SEAM_BYTES: usize = 64;

/// How a page becomes frames.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frames<'a> {
    /// It is one.
    One,
    /// One begins at each of these places.
    At(&'a [usize]),
    /// A piece from seam to seam is [`FRAMES`] of them, where that is of use.
    OfPieces,
}

/// A compressor.
pub(super) struct Zstd {
    context: CCtx<'static>,
    /// A piece's first frame, while it is not known whether there will be others.
    first: Vec<u8>,
}

impl Zstd {
    pub(super) fn new(level: i32) -> io::Result<Self> {
        let mut context = CCtx::create();
        context.set_parameter(CParameter::CompressionLevel(level)).map_err(failed)?;
        Ok(Self { context, first: Vec::new() })
    }

    /// Adds `plain`, compressed, with a block of its own for each kind of bytes, since each block has its own table of codes.
    pub(super) fn compress(
        &mut self,
        plain: &[u8],
        seams: &[usize],
        frames: Frames<'_>,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let pieces = |seams| pieces(seams, plain.len());
        if plain.is_empty() {
            // No frame at all would be an error to whoever reads it.
            return self.whole(plain, out);
        }
        match frames {
            Frames::One => self.frame(plain, pieces(seams), out),
            Frames::At(starts) => {
                let ends = starts.iter().skip(1).copied().chain([plain.len()]);
                ends.scan(0, |from, end| Some(std::mem::replace(from, end)..end))
                    .try_for_each(|part| self.whole(&plain[part], out))
            }
            Frames::OfPieces => self.in_parts(plain, pieces(seams), out),
        }
    }

    fn in_parts(&mut self, plain: &[u8], pieces: Vec<Range<usize>>, out: &mut Vec<u8>) -> io::Result<()> {
        let mut together: Vec<Range<usize>> = Vec::new();
        for piece in pieces {
            let parts = plain[piece.clone()].chunks(piece.len().div_ceil(FRAMES));
            if piece.len() < CUT_BYTES || !self.is_worth_it(parts.clone().next().unwrap_or_default())? {
                together.push(piece);
                continue;
            }
            self.frame(plain, std::mem::take(&mut together), out)?;
            out.extend_from_slice(&self.first);
            parts.skip(1).try_for_each(|part| self.whole(part, out))?;
        }
        self.frame(plain, together, out)
    }

    /// Compresses a piece's first frame, and says whether there should be others.
    fn is_worth_it(&mut self, part: &[u8]) -> io::Result<bool> {
        let mut first = std::mem::take(&mut self.first);
        first.clear();
        self.whole(part, &mut first)?;
        self.first = first;
        Ok(self.first.len() < part.len() && self.first.len() * VANISHING > part.len())
    }

    /// Adds a frame of these pieces, which follow each other; none for none.
    fn frame(&mut self, plain: &[u8], pieces: Vec<Range<usize>>, out: &mut Vec<u8>) -> io::Result<()> {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Ok(()) };
        let all = &plain[first.start..last.end];
        match pieces.len() {
            1 => self.whole(all, out),
            _ => self.in_blocks(plain, &pieces, all.len(), out),
        }
    }

    /// Adds a frame.
    fn whole(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let at = out.len();
        out.resize(at + zstd_safe::compress_bound(plain.len()), 0);
        let length = self.context.compress2(&mut out[at..], plain).map_err(failed)?;
        out.truncate(at + length);
        Ok(())
    }

    /// Adds a frame with a block for each piece, or more.
    fn in_blocks(&mut self, plain: &[u8], pieces: &[Range<usize>], length: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let zstd = &mut self.context;
        out.reserve(zstd_safe::compress_bound(length) + SEAM_BYTES * pieces.len());
        zstd.reset(ResetDirective::SessionOnly).map_err(failed)?;
        zstd.set_pledged_src_size(Some(length as u64)).map_err(failed)?;
        let at = out.len();
        let mut out = OutBuffer::around_pos(out, at);
        let mut left = length;
        for piece in pieces {
            let mut input = InBuffer::around(&plain[piece.clone()]);
            while input.pos() < piece.len() {
                has_room(&out)?;
                zstd.compress_stream(&mut out, &mut input).map_err(failed)?;
            }
            left -= piece.len();
            while left > 0 && zstd.flush_stream(&mut out).map_err(failed)? > 0 {
                has_room(&out)?;
            }
        }
        while zstd.end_stream(&mut out).map_err(failed)? > 0 {
            has_room(&out)?;
        }
        Ok(())
    }
}

/// What lies between seams; the first piece is that from the start on.
fn pieces(seams: &[usize], length: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::with_capacity(seams.len() + 1);
    let mut from = 0;
    for &end in seams.iter().chain([&length]) {
        if end - from >= PIECE_BYTES || end == length && end > from {
            pieces.push(from..end);
            from = end;
        }
    }
    pieces
}

fn failed(code: usize) -> io::Error {
    io::Error::other(zstd_safe::get_error_name(code))
}

/// The compressor asks for ever for room that it does not get.
fn has_room(out: &OutBuffer<'_, Vec<u8>>) -> io::Result<()> {
    if out.pos() < out.capacity() {
        return Ok(());
    }
    Err(io::Error::other("a page takes more room than it should when compressed"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn noise(length: usize, mut random: u64) -> impl Iterator<Item = u8> {
        (0..length).map(move |_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 24) as u8
        })
    }

    /// Bytes that shrink to some two thirds.
    fn some(length: usize, random: u64) -> Vec<u8> {
        noise(length, random).map(|byte| byte % 40).collect()
    }

    /// The lengths of the frames, and all that they hold.
    fn unpack(mut packed: &[u8]) -> (Vec<usize>, Vec<u8>) {
        let (mut lengths, mut all) = (Vec::new(), Vec::new());
        while !packed.is_empty() {
            let (frame, rest) = packed.split_at(zstd_safe::find_frame_compressed_size(packed).unwrap());
            let plain = zstd::bulk::decompress(frame, 1 << 20).unwrap();
            assert_eq!(zstd_safe::get_frame_content_size(frame).unwrap(), Some(plain.len() as u64));
            lengths.push(plain.len());
            all.extend(plain);
            packed = rest;
        }
        (lengths, all)
    }

    fn check(plain: &[u8], seams: &[usize], frames: Frames<'_>, lengths: &[usize]) {
        let mut packed = Vec::new();
        Zstd::new(1).unwrap().compress(plain, seams, frames, &mut packed).unwrap();
        let (found, all) = unpack(&packed);
        assert!(all == plain, "{} bytes became {}", plain.len(), all.len());
        assert_eq!(found, lengths);
        assert!(zstd::decode_all(&packed[..]).unwrap() == plain, "who reads a page as one stream reads all frames");
    }

    #[test]
    fn what_shrinks_is_cut_and_what_vanishes_or_does_not_shrink_stays_together() {
        let rows = 16_384;
        let (some, noise): (Vec<u8>, Vec<u8>) = (some(rows, 1), noise(rows, 2).collect());
        let plain = [&[7; 10][..], &some, &some, &noise, &vec![0; 2 * rows]].concat();
        let seams = [10, 10 + rows, 10 + 2 * rows, 10 + 3 * rows];
        let first = (rows + 10).div_ceil(FRAMES);
        let parts = [first, first, first, rows + 10 - 3 * first, 4_096, 4_096, 4_096, 4_096, 3 * rows];
        check(&plain, &seams, Frames::OfPieces, &parts);
        check(&plain, &seams, Frames::One, &[plain.len()]);
        check(&plain, &[], Frames::One, &[plain.len()]);
        let few = &some[..CUT_BYTES - 1];
        check(few, &[], Frames::OfPieces, &[few.len()]);
        check(&[], &[], Frames::OfPieces, &[0]);
    }

    #[test]
    fn parts_are_frames_of_their_own() {
        let plain = some(10_000, 4);
        check(&plain, &[], Frames::At(&[0, 4_096, 8_192]), &[4_096, 4_096, 1_808]);
        check(&plain, &[], Frames::At(&[0]), &[10_000]);
    }
}
