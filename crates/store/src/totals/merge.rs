//! Several files of totals into one: a day's of its hours'.
//!
//! All are sorted alike, so they are read side by side, and rows of the same group and time become one. What one of
//! them lacks, the whole lacks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};

use super::dimension::Dimension;
use super::key::Key;
use super::read::{Rows, Totals};
use super::write::{Description, Row, TotalsFile, Writer};
use crate::DiskError;

/// Writes what all the files say together, and syncs it. None where a sum is beyond 64 bits in each dimension that they have.
pub fn merge(files: &[PathBuf], path: &Path) -> Result<Option<TotalsFile>, DiskError> {
    let files = files.iter().map(|path| Totals::open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut of = Description::new();
    for Totals { description, .. } in &files {
        of.rows += description.rows;
        of.min_received_ns = of.min_received_ns.min(description.min_received_ns);
        of.max_received_ns = of.max_received_ns.max(description.max_received_ns);
        of.lacks.extend(description.lacks.iter().cloned());
    }
    let mut writer = Writer::create(path)?;
    let mut row_groups = 0;
    for dimension in Dimension::ALL {
        for &level in dimension.levels() {
            let name = dimension.at(level);
            if of.lacks.contains(&name) {
                continue;
            }
            let inputs = files.iter().map(|file| file.rows(level, dimension)).collect::<Result<Vec<_>, _>>()?;
            let fits = merge_rows(inputs, |row| writer.push(level, dimension, row))?;
            let before = std::mem::replace(&mut row_groups, writer.end(level, dimension)?);
            of.row_groups.push((name.clone(), row_groups - before));
            if !fits {
                of.lacks.push(name);
            }
        }
    }
    of.lacks.sort();
    of.lacks.dedup();
    if of.row_groups.iter().all(|(name, _)| of.lacks.contains(name)) {
        drop(writer);
        crate::disk::remove(path)?;
        return Ok(None);
    }
    writer.close(of).map(Some)
}

/// Hands on rows in order, those of the same group and time as one; false where a sum is beyond 64 bits.
fn merge_rows(mut inputs: Vec<Rows>, mut push: impl FnMut(Row) -> Result<(), DiskError>) -> Result<bool, DiskError> {
    let mut heads: Vec<Option<Row>> = Vec::with_capacity(inputs.len());
    let mut order: BinaryHeap<Reverse<(Key, Option<i64>, usize)>> = BinaryHeap::new();
    for (at, input) in inputs.iter_mut().enumerate() {
        let head = input.next()?;
        order.extend(head.map(|row| Reverse((row.key, row.time_ns, at))));
        heads.push(head);
    }
    let mut open: Option<Row> = None;
    while let Some(Reverse((_, _, at))) = order.pop() {
        let next = inputs[at].next()?;
        order.extend(next.map(|row| Reverse((row.key, row.time_ns, at))));
        let Some(row) = std::mem::replace(&mut heads[at], next) else { continue };
        match &mut open {
            Some(open) if (open.key, open.time_ns) == (row.key, row.time_ns) => {
                if !add(open, &row) {
                    return Ok(false);
                }
            }
            other => {
                if let Some(whole) = other.replace(row) {
                    push(whole)?;
                }
            }
        }
    }
    open.map_or(Ok(()), push)?;
    Ok(true)
}

fn add(row: &mut Row, other: &Row) -> bool {
    if let (Some(extra), Some(more)) = (&mut row.extra, other.extra) {
        // Never more than the sum of all bytes, which is checked.
        extra.bytes_assumed = extra.bytes_assumed.wrapping_add(more.bytes_assumed);
        extra.first_ns = extra.first_ns.min(more.first_ns);
        extra.last_ns = extra.last_ns.max(more.last_ns);
    }
    row.sums.add(&other.sums)
}
