//! Several parts written as one.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::RecordBatch;
use finderscope_flow::Table;

use super::source::Source;
use super::swap::{Replacement, Unfinished};
use super::{Done, KeepError, Rules, go_on, room};
use crate::layout::{hour_folder, hour_of};
use crate::part::{OpenPart, WholePart};
use crate::settings::Encoding;
use crate::store::Shared;
use crate::{Part, Problem};

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
    let mut merge =
        Merge { shared, table, hour, rules, unfinished: Unfinished::new(shared), open: None, new: Vec::new() };
    for part in sources {
        merge.add(part, stop)?;
    }
    merge.close()?;
    let Merge { unfinished, new, .. } = merge;
    go_on(stop)?;
    let (parts, totals): (Vec<_>, Vec<_>) = new.into_iter().unzip();
    let replacement = Replacement {
        sources: sources.to_vec(),
        parts,
        totals: totals.into_iter().flatten().collect(),
        joined: vec![],
    };
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
    open: Option<OpenPart>,
    new: Vec<(Part, Option<crate::Totals>)>,
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
            let room = usize::try_from(self.rules.part_rows.saturating_sub(open.rows())).unwrap_or(usize::MAX);
            let rows = room.min(batch.num_rows() - done);
            open.write(&batch.slice(done, rows), &self.shared.probe)?;
            done += rows;
            if rows == room {
                self.close()?;
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<OpenPart, KeepError> {
        let path = self.shared.layout.incoming().join(format!("{}.parquet", self.shared.merged_name()));
        self.unfinished.will_write(path.clone());
        Ok(OpenPart::create(self.table, self.hour, Encoding::Merged, path)?)
    }

    fn close(&mut self) -> Result<(), KeepError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let whole = open.close()?;
        whole.sync()?;
        let part = self.describe(whole);
        self.new.push((part, None));
        Ok(())
    }

    fn describe(&self, whole: WholePart) -> Part {
        let name = whole.path.file_name().map(PathBuf::from).unwrap_or_default();
        let path = format!("{}/{}", hour_folder(whole.table, whole.hour), name.display());
        whole.tally.into_part(path, whole.table, whole.file_bytes, None)
    }
}
