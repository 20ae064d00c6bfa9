//! Several parts written as one, with the index and the totals of its rows in the same pass.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::RecordBatch;
use finderscope_flow::Table;

use super::source::Source;
use super::swap::{Replacement, Unfinished};
use super::{Done, KeepError, Rules, go_on, room};
use crate::index::IndexBuilder;
use crate::layout::{hour_folder, hour_of, index_folder, totals_folder};
use crate::part::OpenPart;
use crate::settings::Encoding;
use crate::store::Shared;
use crate::totals::TotalsBuilder;
use crate::{Companion, DiskError, Part, Problem, Totals, disk};

/// Reads the sources one after the other, so that memory does not grow with them, and swaps the new parts in.
pub(crate) fn run(
    shared: &Arc<Shared>,
    table: Table,
    sources: &[Arc<Part>],
    rules: &Rules,
    stop: &AtomicBool,
) -> Result<Done, KeepError> {
    let bytes_before = sources.iter().map(|part| part.bytes_on_disk()).sum();
    room::check(&shared.layout.dir, bytes_before)?;
    let hour = sources.first().map_or(0, |part| hour_of(part.min_received_ns));
    let mut merge = Merge {
        shared,
        table,
        hour,
        rules,
        unfinished: Unfinished::new(shared),
        rows_left: sources.iter().map(|part| part.rows).sum(),
        open: None,
        parts: Vec::new(),
        totals: Vec::new(),
    };
    for part in sources {
        merge.add(part, stop)?;
    }
    merge.close()?;
    go_on(stop)?;
    let Merge { unfinished, parts, totals, .. } = merge;
    let replacement = Replacement { sources: sources.to_vec(), joined: Vec::new(), parts, totals };
    let bytes_after = replacement.bytes();
    replacement.commit(shared, unfinished)?;
    let rows = sources.iter().map(|part| part.rows).sum();
    Ok(Done { removed: sources.len() as u64, rows, bytes_before, bytes_after })
}

struct Merge<'a> {
    shared: &'a Arc<Shared>,
    table: Table,
    hour: i64,
    rules: &'a Rules,
    unfinished: Unfinished<'a>,
    /// Rows of the sources that are not written yet.
    rows_left: u64,
    open: Option<Open>,
    parts: Vec<Part>,
    totals: Vec<Totals>,
}

/// A merged part while it is written.
struct Open {
    name: String,
    part: OpenPart,
    /// Only flows have them.
    beside: Option<(IndexBuilder, TotalsBuilder)>,
}

impl Merge<'_> {
    fn add(&mut self, part: &Arc<Part>, stop: &AtomicBool) -> Result<(), KeepError> {
        let damaged = |why| KeepError::Damaged(Problem::Part { path: part.path.clone(), rows: part.rows, why });
        let mut source = Source::open(&self.shared.layout.named(&part.path), part).map_err(damaged)?;
        while let Some(batch) = source.next().map_err(damaged)? {
            go_on(stop)?;
            self.write(&batch)?;
        }
        Ok(())
    }

    /// A source that is larger than a part may be becomes several.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), KeepError> {
        let mut done = 0;
        while done < batch.num_rows() {
            let open = match self.open.take() {
                Some(open) => open,
                None => self.open()?,
            };
            let open = self.open.insert(open);
            let room = usize::try_from(self.rules.part_rows.saturating_sub(open.part.rows())).unwrap_or(usize::MAX);
            let rows = room.min(batch.num_rows() - done);
            let slice = batch.slice(done, rows);
            open.part.write(&slice, &self.shared.probe)?;
            if let Some((index, totals)) = &mut open.beside {
                index.add(&slice);
                totals.add(&slice);
            }
            done += rows;
            self.rows_left = self.rows_left.saturating_sub(rows as u64);
            if rows == room {
                self.close()?;
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<Open, KeepError> {
        let name = self.shared.merged_name();
        let path = self.shared.layout.incoming().join(format!("{name}.parquet"));
        self.unfinished.will_write(path.clone());
        let part = OpenPart::create(self.table, self.hour, Encoding::Merged, path)?;
        let beside = (self.table == Table::Flows)
            .then(|| (IndexBuilder::new(), TotalsBuilder::of_rows(self.rows_left.min(self.rules.part_rows))));
        Ok(Open { name, part, beside })
    }

    fn close(&mut self) -> Result<(), KeepError> {
        let Some(Open { name, part, beside }) = self.open.take() else { return Ok(()) };
        let whole = part.close()?;
        whole.sync()?;
        let path = format!("{}/{name}.parquet", hour_folder(whole.table, whole.hour));
        let mut part = whole.tally.into_part(path, whole.table, whole.file_bytes, None);
        if let Some((index, totals)) = beside {
            part.index = Some(self.index(&name, index)?);
            let made = self.totals(&name, totals, &part.path)?;
            self.totals.extend(made);
        }
        self.parts.push(part);
        Ok(())
    }

    fn index(&mut self, name: &str, index: IndexBuilder) -> Result<Companion, DiskError> {
        let path = format!("{}/{name}.index", index_folder(self.hour));
        let file = self.will_write(&path)?;
        Ok(Companion { path, file_bytes: index.finish(&file)? })
    }

    /// None where the sums are beyond 64 bits.
    fn totals(&mut self, name: &str, totals: TotalsBuilder, of: &str) -> Result<Option<Totals>, DiskError> {
        let path = format!("{}/{name}.parquet", totals_folder(self.hour));
        let file = self.will_write(&path)?;
        let Some(made) = totals.finish(&file)? else { return Ok(None) };
        Ok(Some(made.into_totals(path, vec![of.to_owned()])))
    }

    fn will_write(&mut self, path: &str) -> Result<PathBuf, DiskError> {
        let file = self.shared.layout.named(path);
        if let Some(folder) = file.parent() {
            disk::make_folders(folder)?;
        }
        self.unfinished.will_write(file.clone());
        Ok(file)
    }
}
