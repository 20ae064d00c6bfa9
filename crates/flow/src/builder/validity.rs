//! Which cells of a column are null.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

use super::BATCH_ROOM;

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

/// Which cells are null; nothing is kept while none is, and nothing is written while cells are valid.
#[derive(Debug, Default)]
pub(super) struct Validity {
    /// A bit for each cell, set where it is valid. Bits beyond `cells` are zero.
    words: Vec<u64>,
    cells: usize,
}

impl Validity {
    /// After `before` cells, `count` nulls. Cells between the last null and these are valid.
    pub(super) fn nulls(&mut self, before: usize, count: usize) {
        self.fill(before);
        self.cells += count;
        self.words.resize(self.cells.div_ceil(WORD), 0);
    }

    /// After `before` cells, `count` more, at most 64, of which those with a bit in `valid` are valid.
    #[inline]
    pub(super) fn mask(&mut self, before: usize, valid: u64, count: usize) {
        if valid.trailing_ones() as usize >= count {
            return;
        }
        if self.cells < before {
            self.fill(before);
        }
        self.add(valid, count);
    }

    /// What is known of `cells` cells, which are all there are.
    pub(super) fn finish(&mut self, cells: usize) -> Option<NullBuffer> {
        if self.cells == 0 {
            return None;
        }
        self.fill(cells);
        let words = std::mem::take(self).words;
        let bytes = if cfg!(target_endian = "little") {
            Buffer::from_vec(words)
        } else {
            Buffer::from_vec(words.into_iter().map(u64::to_le).collect())
        };
        Some(NullBuffer::new(BooleanBuffer::new(bytes, 0, cells)))
    }

    /// Valid cells up to so many.
    #[cold]
    #[inline(never)]
    fn fill(&mut self, cells: usize) {
        if self.words.capacity() == 0 {
            self.words.reserve(BATCH_ROOM.div_ceil(WORD));
        }
        while self.cells < cells {
            let count = (WORD - self.cells % WORD).min(cells - self.cells);
            self.add(u64::MAX, count);
        }
    }

    /// The lowest `count` of these bits.
    #[inline]
    fn add(&mut self, bits: u64, count: usize) {
        let bits = if count < WORD { bits & ((1 << count) - 1) } else { bits };
        let used = self.cells % WORD;
        match self.words.last_mut().filter(|_| used > 0) {
            Some(last) => *last |= bits << used,
            None if count > 0 => self.words.push(bits),
            None => return,
        }
        if used > 0 && used + count > WORD {
            self.words.push(bits >> (WORD - used));
        }
        self.cells += count;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn runs_and_masks_are_what_single_cells_would_be(steps in prop::collection::vec((0_u8..3, any::<u64>(), 0_usize..=64), 0..40)) {
            let (mut validity, mut plain) = (Validity::default(), Vec::new());
            for (kind, bits, count) in steps {
                match kind {
                    0 => plain.resize(plain.len() + count, true),
                    1 => {
                        validity.nulls(plain.len(), count);
                        plain.resize(plain.len() + count, false);
                    }
                    _ => {
                        validity.mask(plain.len(), bits, count);
                        plain.extend((0..count).map(|bit| bits >> bit & 1 == 1));
                    }
                }
            }
            let found = validity.finish(plain.len()).map(|nulls| nulls.iter().collect::<Vec<_>>());
            prop_assert_eq!(found.unwrap_or_else(|| vec![true; plain.len()]), plain);
            prop_assert!(validity.finish(0).is_none());
        }
    }
}
