//! Byte strings without their nulls: how long each is, and all their bytes.

use std::borrow::Cow;

use arrow::array::{Array, BinaryArray};

use super::interner::{Interner, Short};
use super::numbers::nulls_of;

/// The cells of a column that are not null.
pub(super) struct Strings<'a> {
    pub(super) lengths: Vec<i32>,
    pub(super) bytes: Cow<'a, [u8]>,
}

impl<'a> Strings<'a> {
    pub(super) fn of(array: &'a BinaryArray) -> Self {
        let (offsets, bytes) = (array.value_offsets(), array.value_data());
        let lengths = |start: usize, end: usize| offsets[start..=end].windows(2).map(|ends| ends[1] - ends[0]);
        let within = |start: usize, end: usize| &bytes[offsets[start] as usize..offsets[end] as usize];
        let Some(nulls) = nulls_of(array) else {
            return Self { lengths: lengths(0, array.len()).collect(), bytes: Cow::Borrowed(within(0, array.len())) };
        };
        let mut kept = Self { lengths: Vec::new(), bytes: Cow::Owned(Vec::new()) };
        for (start, end) in nulls.valid_slices() {
            kept.lengths.extend(lengths(start, end));
            kept.bytes.to_mut().extend_from_slice(within(start, end));
        }
        kept
    }

    /// Each string.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut left = &self.bytes[..];
        self.lengths.iter().map(move |&length| {
            let (string, rest) = left.split_at(length as usize);
            left = rest;
            string
        })
    }

    /// The smallest and largest.
    pub(super) fn ends(&self) -> Option<(&[u8], &[u8])> {
        self.iter().fold(None, |ends, string| {
            let (least, most) = ends.unwrap_or((string, string));
            Some((least.min(string), most.max(string)))
        })
    }

    /// As runs of places in a dictionary, where that is much shorter: places, and how often each stands there.
    pub(super) fn runs(&self, dictionary: &mut Interner<Short>) -> Option<Vec<(u32, usize)>> {
        /// Rows of a run, on the average, from which on runs are shorter, and runs that may be shorter at the start.
        const ROWS: usize = 8;
        const SHORT: usize = 64;
        let mut runs: Vec<(u32, usize)> = Vec::new();
        let (mut row, mut at) = (0, 0);
        while row < self.lengths.len() {
            let length = self.lengths[row] as usize;
            let string = &self.bytes[at..at + length];
            let alike = self.alike(row, at, string);
            runs.push((dictionary.place(Short::new(string)?), alike));
            row += alike;
            at += alike * length;
            if runs.len() > SHORT + row / ROWS {
                return None;
            }
        }
        Some(runs)
    }

    /// How many strings from `row` on are `string`, whose bytes are at `at`.
    fn alike(&self, row: usize, at: usize, string: &[u8]) -> usize {
        let most = match string.len() {
            0 => usize::MAX,
            length => 1 + repeated(&self.bytes[at..], length) / length,
        };
        self.lengths[row..].iter().take(most).take_while(|&&length| length as usize == string.len()).count()
    }
}

/// How many bytes after the first `length` are those of `length` bytes before.
fn repeated(bytes: &[u8], length: usize) -> usize {
    let whole = bytes[length..].chunks_exact(8).zip(bytes.chunks_exact(8)).take_while(|(some, before)| some == before);
    let whole = whole.count() * 8;
    whole + bytes[length + whole..].iter().zip(&bytes[whole..]).take_while(|(byte, before)| byte == before).count()
}
