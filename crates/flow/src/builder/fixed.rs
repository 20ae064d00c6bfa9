//! Cells of a fixed width.
//!
//! Much of what is written is the same for all rows of a set, or of a batch: who sent it, when, in which protocol. Such a
//! run is only counted until another value comes, so that it costs the same for one row as for a thousand; a column that
//! is one run to its end is an array that is made once and shared.

use arrow::array::ArrayRef;
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;

use super::validity::Validity;
use super::{BATCH_ROOM, Constant};

/// Cells of a fixed width.
#[derive(Debug, Default)]
pub struct Fixed<T> {
    values: Vec<T>,
    /// What all cells after `values` are; none where they are null.
    run: Option<T>,
    /// How many cells those are.
    run_cells: usize,
    validity: Validity,
    /// A buffer for the next batch.
    spare: Vec<T>,
    /// The array of the last batch that was one run.
    constant: Option<Constant<T>>,
}

impl<T: ArrowNativeType> Fixed<T> {
    /// How many cells there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.values.len() + self.run_cells
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One cell.
    #[inline]
    pub fn push(&mut self, value: T) {
        self.make_room(1);
        self.values.push(value);
    }

    /// One cell, or a null.
    #[inline]
    pub fn push_option(&mut self, value: Option<T>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_nulls(1),
        }
    }

    /// The same value in `count` cells.
    #[inline]
    pub fn push_run(&mut self, value: T, count: usize) {
        self.go_on(Some(value), count);
    }

    /// `count` nulls.
    #[inline]
    pub fn push_nulls(&mut self, count: usize) {
        self.go_on(None, count);
    }

    #[inline]
    fn go_on(&mut self, run: Option<T>, count: usize) {
        if run != self.run {
            self.write_run();
            self.run = run;
        }
        self.run_cells += count;
    }

    /// A cell for each value.
    #[inline]
    pub fn extend(&mut self, values: impl ExactSizeIterator<Item = T>) {
        self.make_room(values.len());
        self.values.extend(values);
    }

    /// A cell for each value.
    #[inline]
    pub fn extend_from_slice(&mut self, values: &[T]) {
        self.make_room(values.len());
        self.values.extend_from_slice(values);
    }

    /// A cell for each of the first `count` values, at most 64, of which those are null whose bit is not set in `valid`.
    #[inline(never)]
    pub fn extend_valid<const N: usize>(&mut self, values: &[T; N], count: usize, valid: u64) {
        /// Values that are copied at once: some too many cost less than to copy no more than there are.
        const CHUNK: usize = 8;
        if self.values.is_empty() && self.goes_on(values.get(..count).unwrap_or_default(), valid) {
            return;
        }
        self.make_room(N);
        let before = self.values.len();
        self.validity.mask(before, valid, count);
        let (chunks, rest) = values.as_chunks::<CHUNK>();
        for chunk in chunks.iter().take(count.div_ceil(CHUNK)) {
            self.values.extend_from_slice(chunk);
        }
        self.values.extend_from_slice(rest);
        self.values.truncate(before + count);
    }

    /// Counts cells that are what all cells were so far. Later ones are written, so that values which come and go do not
    /// begin a run with each.
    fn goes_on(&mut self, values: &[T], valid: u64) -> bool {
        let Some(&first) = values.first() else { return true };
        let is_known = self.run_cells == 0 || self.run == Some(first);
        let same = is_known && valid == u64::MAX && values.iter().all(|&value| value == first);
        if same {
            self.go_on(Some(first), values.len());
        }
        same
    }

    /// The cells from row `from` on, to be changed in place.
    pub fn tail_mut(&mut self, from: usize) -> &mut [T] {
        self.write_run();
        self.values.get_mut(from..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.len() < rows {
            self.push_nulls(rows - self.len());
        }
    }

    /// Writes the run that was only counted, and makes room for `count` cells behind it.
    #[inline]
    fn make_room(&mut self, count: usize) {
        if self.run_cells > 0 || self.values.capacity() - self.values.len() < count {
            self.write_run_and_grow(count);
        }
    }

    #[cold]
    #[inline(never)]
    fn write_run_and_grow(&mut self, count: usize) {
        self.write_run();
        grow(&mut self.values, count);
    }

    fn write_run(&mut self) {
        let cells = std::mem::take(&mut self.run_cells);
        if cells == 0 {
            return;
        }
        if self.run.is_none() {
            self.validity.nulls(self.values.len(), cells);
        }
        grow(&mut self.values, cells);
        self.values.extend(std::iter::repeat_n(self.run.unwrap_or_default(), cells));
    }

    /// All cells as an array that `make` makes of them, none where all are null; the column is empty afterwards.
    pub(super) fn finish(
        &mut self,
        make: impl FnOnce(ScalarBuffer<T>, Option<NullBuffer>) -> ArrayRef,
    ) -> Option<ArrayRef> {
        let cells = self.len();
        if self.values.is_empty() {
            self.run_cells = 0;
            let run = self.run?;
            return Some(Constant::slice(&mut self.constant, run, cells, |room| make(vec![run; room].into(), None)));
        }
        self.write_run();
        let values = std::mem::replace(&mut self.values, std::mem::take(&mut self.spare));
        Some(make(ScalarBuffer::from(values), self.validity.finish(cells)))
    }

    /// Keeps the buffer of an array that nobody else has, to be filled again.
    pub(super) fn reclaim(&mut self, values: ScalarBuffer<T>) {
        if let Ok(values) = values.into_inner().into_vec() {
            super::keep(values, &mut self.values, &mut self.spare);
        }
    }

    /// Gives up all buffers of a column that nobody wrote.
    pub(super) fn release(&mut self) {
        (self.values, self.spare, self.constant) = (Vec::new(), Vec::new(), None);
    }
}

/// The first growth is to a batch's size, so that there is no second.
pub(super) fn grow<T>(values: &mut Vec<T>, count: usize) {
    if values.capacity() == 0 {
        values.reserve_exact(BATCH_ROOM.max(count));
    } else {
        values.reserve(count);
    }
}
