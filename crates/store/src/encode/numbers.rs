//! Columns of numbers as streams of their bytes (BYTE_STREAM_SPLIT).
//!
//! The first bytes of all numbers come first, then all second bytes, and so on. A byte that is the same in all numbers
//! is known from one pass over them, and its stream costs nothing.

use arrow::array::{Array, ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::NullBuffer;

use super::body::Body;
use crate::settings::DICTIONARY_PART;

/// A number as Arrow keeps it, and as Parquet does: in four or eight bytes.
pub(super) trait Number: Copy + Ord + Default {
    /// Bytes in Parquet.
    const WIDTH: usize;
    /// Bytes in Arrow.
    const OWN: usize = size_of::<Self>();
    /// Its bits.
    fn bits(self) -> u64;
    fn differs(self, other: Self) -> Self;
    fn with(self, other: Self) -> Self;
    /// Its byte, counted from the lowest.
    fn byte(self, at: usize) -> u8;
}

macro_rules! number {
    ($($type:ty, $unsigned:ty, $width:literal;)*) => {$(
        impl Number for $type {
            const WIDTH: usize = $width;
            fn bits(self) -> u64 {
                u64::from(self as $unsigned)
            }
            fn differs(self, other: Self) -> Self {
                self ^ other
            }
            fn with(self, other: Self) -> Self {
                self | other
            }
            #[inline]
            fn byte(self, at: usize) -> u8 {
                (self as $unsigned >> (8 * at)) as u8
            }
        }
    )*};
}

number! {
    u8, u8, 4;
    u16, u16, 4;
    u32, u32, 4;
    u64, u64, 8;
    i64, u64, 8;
}

/// The cells that are not null. `scratch` holds them where they do not lie side by side.
pub(super) fn values<'a, T: ArrowPrimitiveType>(
    array: &'a PrimitiveArray<T>,
    scratch: &'a mut Vec<T::Native>,
) -> &'a [T::Native] {
    let Some(nulls) = nulls_of(array) else { return array.values() };
    scratch.clear();
    scratch.reserve(array.len() - nulls.null_count());
    let values = array.values();
    nulls.valid_slices().for_each(|(start, end)| scratch.extend_from_slice(&values[start..end]));
    scratch
}

/// Which cells are null, where any is.
pub(super) fn nulls_of(array: &dyn Array) -> Option<&NullBuffer> {
    array.nulls().filter(|nulls| nulls.null_count() > 0)
}

/// Whether all are the same.
pub(super) fn are_alike<T: Number>(values: &[T]) -> bool {
    /// So many at a time, without a question in between.
    const AT_ONCE: usize = 512;
    let Some(&first) = values.first() else { return true };
    values.chunks(AT_ONCE).all(|some| {
        some.iter().fold(T::default(), |varying, &value| varying.with(value.differs(first))) == T::default()
    })
}

/// The bits in which some number differs from the first.
fn varying<T: Number>(values: &[T]) -> T {
    let Some(&first) = values.first() else { return T::default() };
    values.iter().fold(T::default(), |varying, &value| varying.with(value.differs(first)))
}

/// Adds the streams of `values`.
pub(super) fn split<T: Number>(values: &[T], body: &mut Body) {
    let Some(&first) = values.first() else { return };
    let varying = varying(values);
    let mut varied = true;
    for at in 0..T::WIDTH {
        let varies = at < T::OWN && varying.byte(at) != 0;
        // Streams that are one byte throughout belong together.
        if varies || varied {
            body.seam();
        }
        varied = varies;
        match varies {
            true => body.stream(values.iter().map(|value| value.byte(at))),
            false => body.fill(if at < T::OWN { first.byte(at) } else { 0 }, values.len()),
        }
    }
}

/// Adds a dictionary's numbers of `width` bytes one after the other (PLAIN).
pub(super) fn plain(numbers: &[u64], width: usize, body: &mut Body) {
    for part in numbers.chunks(DICTIONARY_PART) {
        body.part();
        part.iter().for_each(|number| body.bytes().extend_from_slice(&number.to_le_bytes()[..width]));
    }
}
