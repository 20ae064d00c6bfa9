//! A page without its compression: which of its rows have a value, and the values as they are encoded.

use std::ops::Range;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::errors::ParquetError;

use super::cells::Kind;
use super::dictionary::{Passing, Strings};
use super::packed::{self, Packed};
use super::raw::Raw;

/// The place of a row without a value.
pub(super) const NONE: u32 = u32::MAX;

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
    /// How many values it has, without the nulls.
    pub(super) count: usize,
}

impl Page {
    /// Whether its cells are in the dictionary, or null.
    pub(super) const fn in_dictionary(&self) -> bool {
        matches!(self.values, Values::Places(_)) || matches!(self.present, Present::None)
    }

    /// The highest place in the dictionary of all its values; none where that is not where they are.
    pub(super) fn highest(&self) -> Option<u32> {
        let Values::Places(places) = &self.values else { return None };
        let mut highest = 0;
        places.pick(0..self.count, |place| highest = place.max(highest));
        Some(highest)
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

    /// The places of these rows in the dictionary, as far as their values are there.
    pub(super) fn places(&self, rows: &[u32]) -> Vec<u32> {
        let Values::Places(places) = &self.values else { return Vec::new() };
        let mut found = Vec::with_capacity(rows.len());
        let at = rows.iter().map(|&row| match &self.present {
            Present::Some(at) => at[row as usize],
            Present::All => row,
            Present::None => NONE,
        });
        places.pick(at.filter(|&at| at != NONE).map(|at| at as usize), |place| found.push(place));
        found
    }

    /// Of a page without values.
    pub(super) const fn of_nulls() -> Self {
        Self { present: Present::None, values: Values::Plain(Bytes::new()), count: 0 }
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
        Some(Self { present, values, count })
    }
}

/// Where the bytes of these rows are in a page without its compression, where that can be told from its first bytes.
pub(super) fn bytes_of(
    kind: &Kind,
    nullable: bool,
    encoding: Encoding,
    first: &[u8],
    count: usize,
    rows: &[u32],
) -> Option<Vec<Range<usize>>> {
    let mut start = 0;
    if nullable {
        start = 4 + number(first.get(..4)?) as usize;
        let levels = Bytes::copy_from_slice(first.get(4..start)?);
        let Packed::Same(1) = Packed::read(&levels, 1, count)? else { return None };
    }
    let rows = rows.iter().map(|&row| row as usize);
    match (encoding, kind) {
        (Encoding::BYTE_STREAM_SPLIT, Kind::Number(_, width)) => {
            let of = |row: usize| (0..*width).map(move |stream| start + stream * count + row);
            Some(rows.flat_map(of).map(|at| at..at + 1).collect())
        }
        (Encoding::RLE_DICTIONARY, _) => {
            let width = usize::from(*first.get(start)?);
            let places = first.get(start + 1..)?;
            let bits = start + 1 + packed::whole(places, count)?;
            Some(rows.map(|row| bits + row * width / 8..bits + ((row + 1) * width).div_ceil(8)).collect())
        }
        _ => None,
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
