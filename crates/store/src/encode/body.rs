//! The bytes of a page before compression.
//!
//! Long runs of one byte are counted, not spelled out: a number's upper bytes are nearly always runs, and neither
//! writing them nor looking for matches in them need cost anything. [`Body::lz4`] turns the runs into matches and
//! everything else into literals; [`Body::plain`] spells them out for a compressor that looks for more.

use arrow::buffer::NullBuffer;

use super::lz4;

/// A run shorter than this is not worth its length.
const RUN_BYTES: usize = 16;

/// `length` times `byte`, after the first `at` bytes that are spelled out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) at: usize,
    pub(super) byte: u8,
    pub(super) length: usize,
}

/// A page's bytes.
#[derive(Debug, Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    in_runs: usize,
    seams: Vec<usize>,
    breaks: Vec<usize>,
}

impl Body {
    /// Makes it empty; what it has allocated stays.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
        self.in_runs = 0;
        self.seams.clear();
        self.breaks.clear();
    }

    /// Notes that bytes of another kind begin here: a compressor does better to count them by themselves.
    pub(super) fn seam(&mut self) {
        self.seams.push(self.len());
    }

    /// Where bytes of another kind begin.
    pub(super) fn seams(&self) -> &[usize] {
        &self.seams
    }

    /// Notes that what begins here is wanted without what came before it: a compressor must not refer to that.
    pub(super) fn part(&mut self) {
        self.breaks.push(self.len());
    }

    /// Where parts begin that are compressed by themselves.
    pub(super) fn breaks(&self) -> &[usize] {
        &self.breaks
    }

    /// How many bytes it stands for.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len() + self.in_runs
    }

    /// Where bytes can be added.
    pub(super) const fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Adds a run.
    pub(super) fn fill(&mut self, byte: u8, length: usize) {
        if length < RUN_BYTES {
            self.bytes.resize(self.bytes.len() + length, byte);
            return;
        }
        let at = self.bytes.len();
        self.in_runs += length;
        match self.runs.last_mut() {
            Some(last) if last.at == at && last.byte == byte => last.length += length,
            _ => self.runs.push(Run { at, byte, length }),
        }
    }

    /// Adds bytes of which some may be runs.
    pub(super) fn stream(&mut self, bytes: impl Iterator<Item = u8>) {
        let from = self.bytes.len();
        self.bytes.extend(bytes);
        let blocks = self.bytes[from..].chunks_exact(RUN_BYTES);
        let count = blocks.len();
        let even =
            blocks.filter(|block| block.iter().fold(0, |differs, &byte| differs | (byte ^ block[0])) == 0).count();
        if even * 4 > count {
            self.shorten(from);
        }
    }

    /// Finds the runs among the bytes from `from` on.
    fn shorten(&mut self, from: usize) {
        let end = self.bytes.len();
        let (mut read, mut kept) = (from, from);
        while read < end {
            let byte = self.bytes[read];
            let length = run_length(&self.bytes[read..end], byte);
            if length >= RUN_BYTES {
                self.in_runs += length;
                self.runs.push(Run { at: kept, byte, length });
            } else {
                self.bytes.copy_within(read..read + length, kept);
                kept += length;
            }
            read += length;
        }
        self.bytes.truncate(kept);
    }

    /// The definition levels of a column that may be null, as pages of version 1 begin with them.
    pub(super) fn levels(&mut self, nulls: Option<&NullBuffer>, rows: usize) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        match nulls {
            Some(nulls) => bitmap(&mut self.bytes, nulls),
            None => level_run(&mut self.bytes, 1, rows),
        }
        let length = u32::try_from(self.bytes.len() - at - 4).expect("a page has far fewer rows than 2^32");
        self.bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// All bytes, spelled out.
    pub(super) fn plain<'a>(&'a self, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        if self.runs.is_empty() {
            return &self.bytes;
        }
        scratch.clear();
        let mut from = 0;
        for run in &self.runs {
            scratch.extend_from_slice(&self.bytes[from..run.at]);
            scratch.resize(scratch.len() + run.length, run.byte);
            from = run.at;
        }
        scratch.extend_from_slice(&self.bytes[from..]);
        scratch
    }

    /// As one block of LZ4.
    pub(super) fn lz4(&self, out: &mut Vec<u8>) {
        lz4::block(&self.bytes, &self.runs, out);
    }
}

fn run_length(bytes: &[u8], byte: u8) -> usize {
    let pattern = [byte; 8];
    let whole = bytes.chunks_exact(8).take_while(|chunk| *chunk == pattern).count() * 8;
    whole + bytes[whole..].iter().take_while(|&&other| other == byte).count()
}

/// A number in seven bits a byte, the lowest first.
pub(super) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The same level for `count` cells.
pub(super) fn level_run(out: &mut Vec<u8>, level: u8, count: usize) {
    varint(out, (count as u64) << 1);
    out.push(level);
}

/// Levels 0 and 1 from a bitmap: its bytes as they are, and runs where many words in a row are all alike.
fn bitmap(out: &mut Vec<u8>, nulls: &NullBuffer) {
    /// Words of 64 cells from which on a run is worth it.
    const ALIKE: usize = 4;
    let chunks = nulls.inner().bit_chunks();
    let words: Vec<u64> = chunks.iter().collect();
    let (mut from, mut at) = (0, 0);
    while at < words.len() {
        let alike = match words[at] {
            0 | u64::MAX => words[at..].iter().take_while(|&&word| word == words[at]).count(),
            _ => 1,
        };
        if alike >= ALIKE {
            literal_levels(out, &words[from..at], 0, 0);
            level_run(out, (words[at] & 1) as u8, alike * 64);
            from = at + alike;
        }
        at += alike;
    }
    literal_levels(out, &words[from..], chunks.remainder_bits(), chunks.remainder_len());
}

fn literal_levels(out: &mut Vec<u8>, words: &[u64], rest: u64, rest_bits: usize) {
    let rest_bytes = rest_bits.div_ceil(8);
    let groups = words.len() * 8 + rest_bytes;
    if groups == 0 {
        return;
    }
    varint(out, (groups as u64) << 1 | 1);
    words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    out.extend_from_slice(&rest.to_le_bytes()[..rest_bytes]);
}
