//! What a chunk's statistics say: its nulls, and the smallest and largest value of columns where that says something.

use parquet::basic::Type;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};

use super::numbers::Number;

/// The smallest and largest value so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<T>(Option<(T, T)>);

impl<T> Default for Span<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Copy + Ord> Span<T> {
    /// Widens it.
    pub(super) fn add_all(&mut self, values: &[T]) {
        let Some(&first) = values.first() else { return };
        let (least, most) = self.0.unwrap_or((first, first));
        self.0 = Some(values.iter().fold((least, most), |(least, most), &value| (least.min(value), most.max(value))));
    }

    pub(super) const fn ends(&self) -> Option<(T, T)> {
        self.0
    }
}

/// The statistics of a chunk of numbers.
pub(super) fn of_numbers<T: Number>(span: Span<T>, nulls: usize) -> Statistics {
    let (least, most) = span.ends().map_or((None, None), |(least, most)| (Some(least.bits()), Some(most.bits())));
    let nulls = Some(nulls as u64);
    if T::WIDTH == 4 {
        let [least, most] = [least, most].map(|bits| bits.map(|bits| bits as u32 as i32));
        return Statistics::Int32(ValueStatistics::new(least, most, None, nulls, false));
    }
    let [least, most] = [least, most].map(|bits| bits.map(|bits| bits as i64));
    Statistics::Int64(ValueStatistics::new(least, most, None, nulls, false))
}

/// The statistics of a chunk of byte strings.
pub(super) fn of_bytes(ends: Option<(&[u8], &[u8])>, nulls: usize) -> Statistics {
    let array = |bytes: &[u8]| ByteArray::from(bytes.to_vec());
    let (least, most) = ends.map_or((None, None), |(least, most)| (Some(array(least)), Some(array(most))));
    Statistics::ByteArray(ValueStatistics::new(least, most, None, Some(nulls as u64), false))
}

/// The statistics of a chunk with nothing but nulls.
pub(super) fn of_nulls(of: Type, nulls: usize) -> Statistics {
    match of {
        Type::INT32 => of_numbers::<u32>(Span::default(), nulls),
        Type::INT64 => of_numbers::<u64>(Span::default(), nulls),
        _ => of_bytes(None, nulls),
    }
}
