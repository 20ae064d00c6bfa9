//! A page without its compression: which of its rows have a value, and the values as they are encoded.

use arrow::array::{ArrayRef, make_view};
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};

use super::cells::{Cells, Kind};
use super::packed::{self, Packed};
use super::raw::Raw;

/// Bytes that a view holds itself.
pub(super) const INLINE: u32 = 12;
/// The place of a row without a value.
pub(super) const NONE: u32 = u32::MAX;

/// Cells of one page from which on all of a dictionary's views are made, rather than those alone that are wanted.
const MANY: usize = 1_000;

/// A chunk's distinct values.
#[derive(Debug)]
pub(super) struct Dictionary {
    pub(super) numbers: Vec<u64>,
    pub(super) strings: Strings,
    /// Of all strings, where they are made.
    views: Vec<u128>,
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
    fn read(bytes: Bytes, count: usize) -> Option<Self> {
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
    fn get(&self, at: usize) -> Option<(u32, &[u8])> {
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

impl Dictionary {
    /// Of its page; none where it makes no sense.
    pub(super) fn read(kind: &Kind, raw: Raw) -> Option<Self> {
        let Raw { bytes, values: count, is_dictionary: true, .. } = raw else { return None };
        let mut known = Self { numbers: Vec::new(), strings: Strings::read(Bytes::new(), 0)?, views: Vec::new() };
        match kind {
            Kind::Number(_, width) => {
                let all = bytes.get(..count.checked_mul(*width)?)?;
                known.numbers = match width {
                    4 => all.as_chunks().0.iter().map(|&cell| u32::from_le_bytes(cell).into()).collect(),
                    _ => all.as_chunks().0.iter().map(|&cell| u64::from_le_bytes(cell)).collect(),
                };
            }
            Kind::Strings(_) => known.strings = Strings::read(bytes, count)?,
        }
        Some(known)
    }

    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len().max(self.strings.count)
    }

    /// Gets ready for so many cells of a page.
    pub(super) fn expect(&mut self, cells: usize) {
        if cells >= MANY && self.views.is_empty() {
            let strings = &self.strings;
            self.views = (0..strings.count).map(|at| strings.view(at, 0).unwrap_or_default()).collect();
        }
    }

    /// As cells have it that refer to the buffer of this number.
    #[inline]
    pub(super) fn view(&self, at: usize, buffer: u32) -> Option<u128> {
        match self.views.get(at) {
            Some(view) if *view as u32 <= INLINE => Some(*view),
            Some(view) => Some(view | u128::from(buffer) << 64),
            None => self.strings.view(at, buffer),
        }
    }

    /// Which strings pass.
    pub(super) fn passing(&self, passes: impl Fn(&[u8]) -> bool) -> Vec<bool> {
        let Strings { bytes, count, starts, .. } = &self.strings;
        match starts {
            Starts::Every(length) => {
                bytes.chunks_exact(length + 4).take(*count).map(|string| passes(&string[4..])).collect()
            }
            Starts::Each(_) => {
                let get = |at| self.strings.get(at).is_some_and(|(_, string)| passes(string));
                (0..*count).map(get).collect()
            }
        }
    }

    /// All of them, and a null.
    pub(super) fn array(&self, kind: &Kind) -> Result<ArrayRef> {
        let places: Vec<u32> = (0..self.len() as u32).collect();
        let values = Values::Places(Packed::Each(places.clone()));
        let mut cells = Cells::new(kind.clone());
        cells.add(&Page { present: Present::All, values }, &places, Some(self))?;
        cells.add_nulls(1);
        Ok(cells.finish()?)
    }
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

/// Where strings begin and end that have their length before them (PLAIN).
fn prefixed(bytes: &Bytes, count: usize) -> Option<(Vec<u32>, Vec<u32>)> {
    let strings = Strings::read(bytes.clone(), count)?;
    let ends = |at| strings.get(at).map(|(start, string)| (start, start + string.len() as u32));
    (0..count).map(ends).collect()
}

/// Which rows of a page have a value.
#[derive(Debug)]
pub(super) enum Present {
    All,
    None,
    /// Each row's place among the values.
    Some(Vec<u32>),
}

/// A page's values.
#[derive(Debug)]
pub(super) enum Values {
    /// Places in the dictionary.
    Places(Packed),
    /// Streams of the numbers' bytes.
    Streams(Bytes),
    /// Number after number.
    Plain(Bytes),
    /// Strings, each with its place among the bytes.
    Strings { starts: Vec<u32>, ends: Vec<u32>, bytes: Bytes },
}

/// A page without its compression.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) present: Present,
    pub(super) values: Values,
}

impl Page {
    /// Whether its cells are in the dictionary, or null.
    pub(super) const fn in_dictionary(&self) -> bool {
        matches!(self.values, Values::Places(_)) || matches!(self.present, Present::None)
    }

    /// Keeps those rows whose cell's place passes.
    pub(super) fn retain(&self, rows: &mut Vec<u32>, passing: &Passing) {
        match passing {
            Passing::One(one) => self.retain_by(rows, false, |place| place == *one),
            Passing::Some(passes) => {
                let null = passes.last().copied().unwrap_or(false);
                self.retain_by(rows, null, |place| passes.get(place as usize).copied().unwrap_or(false));
            }
        }
    }

    fn retain_by(&self, rows: &mut Vec<u32>, null: bool, passes: impl Fn(u32) -> bool) {
        let Values::Places(places) = &self.values else {
            return rows.retain(|_| null);
        };
        // Which rows pass looks random to a processor: it is not asked, but counted.
        let (mut kept, mut count) = (vec![0; rows.len()], 0);
        let mut keep = |row: u32, passed: bool| {
            kept[count] = row;
            count += usize::from(passed);
        };
        match &self.present {
            Present::None => return rows.retain(|_| null),
            Present::All => {
                let mut next = rows.iter();
                places.pick(rows.iter().map(|&row| row as usize), |place| {
                    keep(next.next().copied().unwrap_or(0), passes(place));
                });
            }
            Present::Some(all) => rows.iter().for_each(|&row| match all[row as usize] {
                NONE => keep(row, null),
                at => places.pick(std::iter::once(at as usize), |place| keep(row, passes(place))),
            }),
        }
        kept.truncate(count);
        *rows = kept;
    }

    /// Of a page without values.
    pub(super) const fn of_nulls() -> Self {
        Self { present: Present::None, values: Values::Plain(Bytes::new()) }
    }

    /// Of a page as it is stored; none where it makes no sense.
    pub(super) fn read(kind: &Kind, nullable: bool, raw: Raw, rows: usize, entries: usize) -> Option<Self> {
        let Raw { bytes, values: count, encoding, is_dictionary: false } = raw else { return None };
        let (body, levels) = if nullable {
            let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
            let end = length.checked_add(4).filter(|end| *end <= bytes.len())?;
            (bytes.slice(end..), Some(bytes.slice(4..end)))
        } else {
            (bytes, None)
        };
        if count != rows {
            return None;
        }
        let (present, count) = present(levels, rows)?;
        if count == 0 {
            return Some(Self::of_nulls());
        }
        let width = if let Kind::Number(_, width) = kind { Some(*width) } else { None };
        let values = match (encoding, width) {
            (Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY, _) => {
                let places = Packed::read(&body.slice(1.min(body.len())..), *body.first()?, count)?;
                // What all share is looked at once here; the others where they are used.
                Values::Places(places).checked(entries)?
            }
            (Encoding::BYTE_STREAM_SPLIT, Some(width)) => {
                (body.len() == count * width).then_some(Values::Streams(body))?
            }
            (Encoding::PLAIN, Some(width)) => (body.len() >= count * width).then_some(Values::Plain(body))?,
            (Encoding::DELTA_LENGTH_BYTE_ARRAY, None) => {
                let (ends, bytes) = packed::ends(body, count)?;
                let starts = std::iter::once(0).chain(ends.iter().copied()).take(count).collect();
                Values::Strings { starts, ends, bytes }
            }
            (Encoding::PLAIN, None) => {
                let (starts, ends) = prefixed(&body, count)?;
                Values::Strings { starts, ends, bytes: body }
            }
            _ => return None,
        };
        Some(Self { present, values })
    }
}

impl Values {
    fn checked(self, entries: usize) -> Option<Self> {
        match &self {
            _ if entries == 0 => None,
            Self::Places(Packed::Same(place)) if *place as usize >= entries => None,
            _ => Some(self),
        }
    }
}

/// Which rows have a value, and how many do.
fn present(levels: Option<Bytes>, rows: usize) -> Option<(Present, usize)> {
    let Some(levels) = levels else { return Some((Present::All, rows)) };
    let levels = Packed::read(&levels, 1, rows)?;
    if let Packed::Same(level) = levels {
        return Some(if level == 0 { (Present::None, 0) } else { (Present::All, rows) });
    }
    let (mut places, mut count) = (Vec::with_capacity(rows), 0);
    levels.pick(0..rows, |level| {
        places.push(if level == 0 { NONE } else { count });
        count += u32::from(level != 0);
    });
    Some(match count as usize {
        count if count == rows => (Present::All, rows),
        0 => (Present::None, 0),
        count => (Present::Some(places), count),
    })
}

pub(super) fn number(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    number[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(number)
}

pub(super) fn damaged(what: &str) -> ParquetError {
    ParquetError::General(format!("a page makes no sense: {what}"))
}
