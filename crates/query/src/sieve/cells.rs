//! Cells on their way from pages into an array.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryViewArray, NullBufferBuilder, PrimitiveArray, StringViewArray, make_view};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, TimeUnit, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::errors::Result;

use super::dictionary::{Dictionary, INLINE};
use super::page::{NONE, Page, Present, Values, damaged, number};

/// How cells lie in memory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Numbers of a type, in so many bytes of the file.
    Number(DataType, usize),
    /// Byte strings; whether they are text.
    Strings(bool),
}

impl Kind {
    /// How cells of a type are kept; none where a column of it is not read here.
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => Self::Number(data_type.clone(), 4),
            DataType::UInt64 | DataType::Timestamp(TimeUnit::Nanosecond, _) => Self::Number(data_type.clone(), 8),
            DataType::BinaryView => Self::Strings(false),
            DataType::Utf8View => Self::Strings(true),
            _ => return None,
        })
    }
}

/// Cells on their way into an array.
#[derive(Debug)]
pub(super) struct Cells {
    kind: Kind,
    numbers: Vec<u64>,
    views: Vec<u128>,
    buffers: Vec<Buffer>,
    nulls: NullBufferBuilder,
}

impl Cells {
    pub(super) fn new(kind: Kind) -> Self {
        let nulls = NullBufferBuilder::new(0);
        Self { kind, numbers: Vec::new(), views: Vec::new(), buffers: Vec::new(), nulls }
    }

    /// Adds cells without a value.
    pub(super) fn add_nulls(&mut self, count: usize) {
        self.nulls.append_n_nulls(count);
        match self.kind {
            Kind::Number(..) => self.numbers.resize(self.numbers.len() + count, 0),
            Kind::Strings(_) => self.views.resize(self.views.len() + count, 0),
        }
    }

    /// The cells so far; none are left.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.nulls.finish();
        let numbers = std::mem::take(&mut self.numbers);
        Ok(match &self.kind {
            Kind::Number(DataType::UInt8, _) => narrow::<UInt8Type>(&numbers, nulls, |number| number as u8),
            Kind::Number(DataType::UInt16, _) => narrow::<UInt16Type>(&numbers, nulls, |number| number as u16),
            Kind::Number(DataType::UInt32, _) => narrow::<UInt32Type>(&numbers, nulls, |number| number as u32),
            Kind::Number(DataType::Timestamp(_, zone), _) => {
                let times: Vec<i64> = numbers.into_iter().map(u64::cast_signed).collect();
                let times = PrimitiveArray::<TimestampNanosecondType>::try_new(times.into(), nulls)?;
                Arc::new(times.with_timezone_opt(zone.clone()))
            }
            Kind::Number(..) => Arc::new(PrimitiveArray::<UInt64Type>::try_new(numbers.into(), nulls)?),
            Kind::Strings(text) => {
                let views = ScalarBuffer::from(std::mem::take(&mut self.views));
                let buffers = std::mem::take(&mut self.buffers);
                if *text {
                    Arc::new(StringViewArray::try_new(views, buffers, nulls)?)
                } else {
                    Arc::new(BinaryViewArray::try_new(views, buffers, nulls)?)
                }
            }
        })
    }

    /// Adds the cells of these rows of a page.
    pub(super) fn add(&mut self, page: &Page, rows: &[u32], dictionary: Option<&Dictionary>) -> Result<()> {
        let present = match &page.present {
            Present::None => {
                self.add_nulls(rows.len());
                return Ok(());
            }
            Present::All => {
                self.nulls.append_n_non_nulls(rows.len());
                return self.add_values(page, rows, dictionary);
            }
            Present::Some(places) => rows.iter().map(|&row| places[row as usize]).collect::<Vec<u32>>(),
        };
        present.iter().for_each(|&place| self.nulls.append(place != NONE));
        let found: Vec<u32> = present.iter().copied().filter(|&place| place != NONE).collect();
        let (numbers, views) = (self.numbers.len(), self.views.len());
        self.add_values(page, &found, dictionary)?;
        match self.kind {
            Kind::Number(..) => spread(&mut self.numbers, numbers, &present),
            Kind::Strings(_) => spread(&mut self.views, views, &present),
        }
        Ok(())
    }

    fn add_values(&mut self, page: &Page, at: &[u32], dictionary: Option<&Dictionary>) -> Result<()> {
        let Self { numbers, views, buffers, .. } = self;
        let mut sound = true;
        match (&self.kind, &page.values) {
            (Kind::Number(..), Values::Places(places)) => {
                let all = dictionary.and_then(Dictionary::numbers);
                let get = |place| match all {
                    Some(all) => all.get(place as usize).copied(),
                    None => dictionary.and_then(|dictionary| dictionary.number(place)),
                };
                places.pick(at.iter().map(|&at| at as usize), |place| match get(place) {
                    Some(number) => numbers.push(number),
                    None => sound = false,
                });
            }
            (Kind::Number(_, 4), Values::Streams(bytes)) => join::<4>(bytes, at, numbers),
            (Kind::Number(..), Values::Streams(bytes)) => join::<8>(bytes, at, numbers),
            (Kind::Number(_, width), Values::Plain(bytes)) => {
                numbers.extend(at.iter().map(|&at| number(&bytes[at as usize * width..][..*width])));
            }
            (Kind::Strings(_), Values::Places(places)) => {
                let Some(dictionary) = dictionary else { return Err(damaged("no dictionary")) };
                let at = at.iter().map(|&at| at as usize);
                let Some(strings) = dictionary.strings() else {
                    places.pick(at, |place| match dictionary.string(place) {
                        Some((strings, at)) => {
                            let buffer = if strings.long { buffer_of(buffers, &strings.bytes) } else { 0 };
                            views.extend(strings.view(at, buffer));
                        }
                        None => sound = false,
                    });
                    return if sound { Ok(()) } else { Err(damaged("a place beyond the dictionary")) };
                };
                let buffer = if strings.long { buffer_of(buffers, &strings.bytes) } else { 0 };
                places.pick(at, |place| match dictionary.view(strings, place as usize, buffer) {
                    Some(view) => views.push(view),
                    None => sound = false,
                });
            }
            (Kind::Strings(_), Values::Strings { starts, ends, bytes }) => {
                let buffer = buffers.len() as u32;
                let mut long = false;
                for &at in at {
                    let start = starts[at as usize];
                    let string = &bytes[start as usize..ends[at as usize] as usize];
                    long |= string.len() > INLINE as usize;
                    views.push(make_view(string, buffer, start));
                }
                if long {
                    buffers.push(Buffer::from(bytes.clone()));
                }
            }
            _ => sound = false,
        }
        if sound { Ok(()) } else { Err(damaged("a place beyond the dictionary")) }
    }
}

/// The number of the buffer that a dictionary's strings are in, or will be.
fn buffer_of(buffers: &mut Vec<Buffer>, bytes: &Bytes) -> u32 {
    let known = buffers.iter().rposition(|buffer| buffer.as_ptr() == bytes.as_ptr());
    let at = known.unwrap_or_else(|| {
        buffers.push(Buffer::from(bytes.clone()));
        buffers.len() - 1
    });
    at as u32
}

/// Moves what was added from `from` on to where there is a value.
fn spread<T: Copy + Default>(cells: &mut Vec<T>, from: usize, present: &[u32]) {
    let mut next = cells.len();
    cells.resize(from + present.len(), T::default());
    for (row, place) in present.iter().enumerate().rev() {
        let value = match *place {
            NONE => T::default(),
            _ => {
                next -= 1;
                cells[next]
            }
        };
        cells[from + row] = value;
    }
}

fn narrow<T: ArrowPrimitiveType>(
    numbers: &[u64],
    nulls: Option<NullBuffer>,
    cut: impl Fn(u64) -> T::Native,
) -> ArrayRef {
    let numbers: Vec<T::Native> = numbers.iter().map(|&number| cut(number)).collect();
    Arc::new(PrimitiveArray::<T>::new(numbers.into(), nulls))
}

/// Numbers from the streams of their bytes. Where many are wanted, all are put together, a stream at a time.
fn join<const WIDTH: usize>(bytes: &Bytes, at: &[u32], numbers: &mut Vec<u64>) {
    let count = bytes.len() / WIDTH;
    if at.len() * 8 < count {
        numbers.extend(at.iter().map(|&at| {
            (0..WIDTH).fold(0, |number, stream| number | u64::from(bytes[stream * count + at as usize]) << (8 * stream))
        }));
        return;
    }
    let from = numbers.len();
    let mut all = Vec::new();
    let whole = at.len() == count;
    let target = if whole { &mut *numbers } else { &mut all };
    let start = if whole { from } else { 0 };
    target.extend(bytes[..count].iter().map(|&byte| u64::from(byte)));
    for stream in 1..WIDTH {
        let stream_bytes = &bytes[stream * count..(stream + 1) * count];
        if stream_bytes.iter().fold(0, |any, byte| any | byte) != 0 {
            let cells = target[start..].iter_mut().zip(stream_bytes);
            cells.for_each(|(cell, &byte)| *cell |= u64::from(byte) << (8 * stream));
        }
    }
    if !whole {
        numbers.extend(at.iter().map(|&at| all[at as usize]));
    }
}
