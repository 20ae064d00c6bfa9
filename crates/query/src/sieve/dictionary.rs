//! A chunk's distinct values, decompressed as far as they are asked for.
//!
//! The store cuts a dictionary into frames of so many entries, and says how many in the file's footer. A look-up wants a few
//! entries out of a hundred thousand; a question for all rows wants all. Any other file's dictionary is one part.

use std::ops::Range;

use arrow::array::{ArrayRef, make_view};
use bytes::Bytes;
use parquet::errors::Result;

use super::cells::{Cells, Kind};
use super::packed::Packed;
use super::page::{Page, Present, Values, damaged, number};
use super::raw::Folded;

/// Bytes that a view holds itself.
pub(super) const INLINE: u32 = 12;
/// Cells of one page from which on all entries are decompressed.
const MANY: usize = 256;
/// Cells of one page from which on all views are made, rather than those alone that are wanted.
const MANY_VIEWS: usize = 1_000;

/// A chunk's distinct values.
#[derive(Debug)]
pub(super) struct Dictionary {
    kind: Kind,
    count: usize,
    folded: Folded,
    /// Entries of each part but the last.
    part: usize,
    /// Those parts that were asked for.
    parts: Vec<Option<Entries>>,
    whole: Option<Entries>,
    /// Of all strings, where they are made.
    views: Vec<u128>,
}

/// Some of them, or all.
#[derive(Debug)]
pub(super) enum Entries {
    Numbers(Vec<u64>),
    Strings(Strings),
}

impl Entries {
    /// `count` of them; none where that makes no sense.
    fn read(kind: &Kind, bytes: Bytes, count: usize) -> Option<Self> {
        Some(match kind {
            Kind::Number(_, width) => {
                let all = bytes.get(..count.checked_mul(*width)?)?;
                Self::Numbers(match width {
                    4 => all.as_chunks().0.iter().map(|&cell| u32::from_le_bytes(cell).into()).collect(),
                    _ => all.as_chunks().0.iter().map(|&cell| u64::from_le_bytes(cell)).collect(),
                })
            }
            Kind::Strings(_) => Self::Strings(Strings::read(bytes, count)?),
        })
    }
}

impl Dictionary {
    /// Of its page, whose frames have `part` entries each where the file says so.
    pub(super) fn new(kind: &Kind, folded: Folded, part: Option<usize>) -> Result<Self> {
        let count = folded.entries().ok_or_else(|| damaged("a dictionary"))?;
        let known = part.filter(|&part| part > 0 && count.div_ceil(part) == folded.frames());
        let parts = if known.is_some() { folded.frames() } else { 1 };
        let part = known.unwrap_or(count.max(1));
        let parts = (0..parts).map(|_| None).collect();
        Ok(Self { kind: kind.clone(), count, folded, part, parts, whole: None, views: Vec::new() })
    }

    /// How many entries there are.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// How many parts they are in.
    pub(super) const fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The part that has the entry at a place.
    pub(super) const fn part_of(&self, place: u32) -> usize {
        place as usize / self.part
    }

    /// Whether all of it is decompressed for so many cells of a page, or is already.
    pub(super) const fn is_for_all(&self, cells: usize) -> bool {
        self.parts.len() == 1 || self.whole.is_some() || cells >= MANY
    }

    /// Gets ready for so many cells of a page, wherever they are.
    pub(super) fn expect(&mut self, cells: usize) -> Result<()> {
        self.all()?;
        if let (Some(Entries::Strings(strings)), true) = (&self.whole, cells >= MANY_VIEWS && self.views.is_empty()) {
            self.views = (0..strings.count).map(|at| strings.view(at, 0).unwrap_or_default()).collect();
        }
        Ok(())
    }

    /// Gets ready for the cells at these places. What lies beyond the last is found out where it is used.
    pub(super) fn expect_at(&mut self, places: &[u32]) -> Result<()> {
        places.iter().try_for_each(|&place| self.read(self.part_of(place)))
    }

    /// Decompresses all.
    pub(super) fn all(&mut self) -> Result<&Entries> {
        if self.whole.is_none() {
            let whole = Entries::read(&self.kind, self.folded.unfold()?, self.count);
            self.whole = Some(whole.ok_or_else(|| damaged("a dictionary"))?);
            self.parts.iter_mut().for_each(|part| *part = None);
        }
        self.whole.as_ref().ok_or_else(|| damaged("a dictionary"))
    }

    fn read(&mut self, at: usize) -> Result<()> {
        if self.parts.get(at).is_none_or(Option::is_some) {
            return Ok(());
        }
        let count = self.range(at).len();
        let bytes = self.folded.unfold_frame(at)?;
        let length = bytes.len();
        let read = Entries::read(&self.kind, bytes, count).filter(|entries| match entries {
            Entries::Numbers(_) => true,
            Entries::Strings(strings) => strings.end() == Some(length),
        });
        self.parts[at] = Some(read.ok_or_else(|| damaged("a part of a dictionary"))?);
        Ok(())
    }

    /// The places of a part's entries.
    fn range(&self, part: usize) -> Range<usize> {
        part * self.part..((part + 1) * self.part).min(self.count)
    }

    /// The entries that the one at a place is among, and its place there, where they were decompressed.
    #[inline]
    fn among(&self, place: u32) -> Option<(&Entries, usize)> {
        match &self.whole {
            Some(whole) => Some((whole, place as usize)),
            None => Some((self.parts.get(self.part_of(place))?.as_ref()?, place as usize % self.part)),
        }
    }

    /// All numbers, where all were decompressed.
    pub(super) const fn numbers(&self) -> Option<&Vec<u64>> {
        match &self.whole {
            Some(Entries::Numbers(numbers)) => Some(numbers),
            _ => None,
        }
    }

    /// All strings, where all were decompressed.
    pub(super) const fn strings(&self) -> Option<&Strings> {
        match &self.whole {
            Some(Entries::Strings(strings)) => Some(strings),
            _ => None,
        }
    }

    /// A number.
    pub(super) fn number(&self, place: u32) -> Option<u64> {
        match self.among(place)? {
            (Entries::Numbers(numbers), at) => numbers.get(at).copied(),
            _ => None,
        }
    }

    /// The strings that the one at a place is among, and its place there.
    pub(super) fn string(&self, place: u32) -> Option<(&Strings, usize)> {
        match self.among(place)? {
            (Entries::Strings(strings), at) => Some((strings, at)),
            _ => None,
        }
    }

    /// As cells have it that refer to the buffer of this number; of all strings.
    #[inline]
    pub(super) fn view(&self, strings: &Strings, at: usize, buffer: u32) -> Option<u128> {
        match self.views.get(at) {
            Some(view) if *view as u32 <= INLINE => Some(*view),
            Some(view) => Some(view | u128::from(buffer) << 64),
            None => strings.view(at, buffer),
        }
    }

    /// Which strings pass.
    pub(super) fn passing(&mut self, passes: impl Fn(&[u8]) -> bool) -> Result<Vec<bool>> {
        match self.all()? {
            Entries::Strings(strings) => Ok(strings.passing(passes)),
            Entries::Numbers(_) => Err(damaged("numbers for strings")),
        }
    }

    /// The place of the first string in a part that passes.
    pub(super) fn find(&mut self, part: usize, passes: impl Fn(&[u8]) -> bool) -> Result<Option<u32>> {
        self.read(part)?;
        let Some(Some(Entries::Strings(strings))) = self.parts.get(part) else { return Ok(None) };
        let found = strings.passing(passes).iter().position(|passes| *passes);
        Ok(found.map(|at| (self.range(part).start + at) as u32))
    }

    /// All of them, and a null.
    pub(super) fn array(&mut self) -> Result<ArrayRef> {
        self.all()?;
        let places: Vec<u32> = (0..self.count as u32).collect();
        let values = Values::Places(Packed::Each(places.clone()));
        let mut cells = Cells::new(self.kind.clone());
        cells.add(&Page { present: Present::All, values, count: self.count }, &places, Some(self))?;
        cells.add_nulls(1);
        Ok(cells.finish()?)
    }
}

/// Strings that have their length before them (PLAIN).
#[derive(Debug)]
pub(super) struct Strings {
    pub(super) bytes: Bytes,
    count: usize,
    starts: Starts,
    /// Whether some string is longer than a view.
    pub(super) long: bool,
}

/// Where strings begin.
#[derive(Debug)]
enum Starts {
    /// All have this length.
    Every(usize),
    Each(Vec<u32>),
}

impl Strings {
    pub(super) fn read(bytes: Bytes, count: usize) -> Option<Self> {
        // Each has four bytes at least.
        if count > bytes.len() / 4 {
            return None;
        }
        if let Some(length) = alike(&bytes, count) {
            return Some(Self { bytes, count, starts: Starts::Every(length), long: length > INLINE as usize });
        }
        let (mut starts, mut at, mut long) = (Vec::with_capacity(count), 0_usize, false);
        for _ in 0..count {
            let length = u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?);
            long |= length > INLINE;
            starts.push(u32::try_from(at + 4).ok()?);
            at = (at + 4).checked_add(length as usize).filter(|end| *end <= bytes.len())?;
        }
        Some(Self { bytes, count, starts: Starts::Each(starts), long })
    }

    /// Where one begins, and its bytes.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<(u32, &[u8])> {
        if at >= self.count {
            return None;
        }
        let (start, length) = match &self.starts {
            Starts::Every(length) => (at * (length + 4) + 4, *length),
            Starts::Each(starts) => {
                let start = starts[at] as usize;
                (start, number(&self.bytes[start - 4..start]) as usize)
            }
        };
        Some((start as u32, &self.bytes[start..start + length]))
    }

    /// Where the last ends.
    fn end(&self) -> Option<usize> {
        let (start, string) = self.get(self.count.checked_sub(1)?)?;
        Some(start as usize + string.len())
    }

    /// Which of them pass.
    fn passing(&self, passes: impl Fn(&[u8]) -> bool) -> Vec<bool> {
        match &self.starts {
            Starts::Every(length) => {
                self.bytes.chunks_exact(length + 4).take(self.count).map(|string| passes(&string[4..])).collect()
            }
            Starts::Each(_) => {
                (0..self.count).map(|at| self.get(at).is_some_and(|(_, string)| passes(string))).collect()
            }
        }
    }

    /// As cells have it that refer to the buffer of this number.
    #[inline]
    pub(super) fn view(&self, at: usize, buffer: u32) -> Option<u128> {
        self.get(at).map(|(start, string)| make_view(string, buffer, start))
    }
}

/// The length that all of these have, where they have one.
fn alike(bytes: &[u8], count: usize) -> Option<usize> {
    let first = bytes.get(..4)?;
    let stride = number(first) as usize + 4;
    let all = bytes.get(..stride.checked_mul(count)?)?;
    all.chunks_exact(stride).all(|string| string[..4] == *first).then_some(stride - 4)
}

/// Which entries of a dictionary pass.
#[derive(Clone, Debug)]
pub(super) enum Passing {
    /// This one alone, and no null: no table has to be looked at for each row.
    One(u32),
    /// Each by its place, and the last is null.
    Some(Vec<bool>),
}

impl Passing {
    /// Each by its place, and the last is null.
    pub(super) fn new(passes: Vec<bool>) -> Self {
        let mut passing = (0..).zip(&passes).filter_map(|(place, passes)| passes.then_some(place));
        match (passing.next(), passing.next()) {
            (Some(one), None) if one as usize + 1 < passes.len() => Self::One(one),
            _ => Self::Some(passes),
        }
    }
}
