//! Which cells are other than the cell before.
//!
//! Whole datagrams share type, exporter and times, and most exporters have columns that never change. What is known to be
//! the same is written once and copied. It is found here a column at a time, in loops that a compiler makes wide.

use std::ops::Range;

use super::cells::{Cells, Values, same_bytes};

impl Cells<'_> {
    /// Marks, of some rows, those whose cell may be other than that of the row before. The first has none before it and
    /// is left unmarked. Says nothing and is false where that takes as long as writing the cells.
    pub(super) fn mark_changes(&self, rows: Range<usize>, changed: &mut Vec<bool>) -> bool {
        changed.clear();
        changed.resize(rows.len(), false);
        let first = rows.start;
        match &self.values {
            Values::Null => return true,
            Values::U8(values) => mark(&values[rows], changed),
            Values::U16(values) => mark(&values[rows], changed),
            Values::U32(values) => mark(&values[rows], changed),
            Values::U64(values) | Values::Mac(values) => mark(&values[rows], changed),
            Values::I8(values) => mark(&values[rows], changed),
            Values::I16(values) => mark(&values[rows], changed),
            Values::I32(values) | Values::Date32(values) => mark(&values[rows], changed),
            Values::I64(values) | Values::Date64(values) | Values::Time { values, .. } => mark(&values[rows], changed),
            Values::Dictionary { keys, .. } => mark(&keys[rows], changed),
            Values::Bytes(array) => {
                mark_by(changed, first, |one, other| same_bytes(array.value(one), array.value(other)))
            }
            Values::BytesView(array) => {
                mark(&array.views()[rows], changed);
                recheck(changed, first, |one, other| array.value(one) == array.value(other));
            }
            Values::TextView(array) => {
                mark(&array.views()[rows], changed);
                recheck(changed, first, |one, other| array.value(one) == array.value(other));
            }
            _ => return false,
        }
        if self.has_nulls() {
            for (at, changed) in changed.iter_mut().enumerate().skip(1) {
                let (is_null, was_null) = (self.is_null(first + at), self.is_null(first + at - 1));
                *changed = is_null != was_null || (*changed && !is_null);
            }
        }
        true
    }
}

fn mark<T: PartialEq>(values: &[T], changed: &mut [bool]) {
    let Some((_, changed)) = changed.split_first_mut() else { return };
    for ((changed, value), before) in changed.iter_mut().zip(&values[1..]).zip(values) {
        *changed = value != before;
    }
}

fn mark_by(changed: &mut [bool], first: usize, same: impl Fn(usize, usize) -> bool) {
    for (at, changed) in changed.iter_mut().enumerate().skip(1) {
        *changed = !same(first + at - 1, first + at);
    }
}

/// Views of long values are others where the values lie elsewhere, though they may be the same.
fn recheck(changed: &mut [bool], first: usize, same: impl Fn(usize, usize) -> bool) {
    for (at, changed) in changed.iter_mut().enumerate().skip(1) {
        *changed = *changed && !same(first + at - 1, first + at);
    }
}
