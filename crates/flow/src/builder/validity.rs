//! Which cells of a column are null.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::NullBuffer;

use super::BATCH_ROWS;

/// Which cells are null; nothing is kept while none is, and nothing is written while cells are valid.
#[derive(Debug, Default)]
pub(super) struct Validity(Option<BooleanBufferBuilder>);

impl Validity {
    /// After `before` cells, `count` nulls. Cells between the last null and these are valid.
    pub(super) fn nulls(&mut self, before: usize, count: usize) {
        let bits = self.0.get_or_insert_with(|| BooleanBufferBuilder::new(BATCH_ROWS));
        bits.append_n(before - bits.len(), true);
        bits.append_n(count, false);
    }

    /// What is known of `cells` cells, which are all there are.
    pub(super) fn finish(&mut self, cells: usize) -> Option<NullBuffer> {
        self.0.take().map(|mut bits| {
            bits.append_n(cells - bits.len(), true);
            NullBuffer::new(bits.finish())
        })
    }
}
