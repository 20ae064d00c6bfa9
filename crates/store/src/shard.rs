//! A shard's rows on their way into parts that count.
//!
//! [`ShardWriter::write`] takes batches, [`ShardWriter::cut`] makes all of them count, in this order: parts and their
//! folders are synced, the journal is synced, the decoder's state is written, the manifest names it all in one record.
//!
//! **When the disk fails**, in a write or in a cut, all rows since the last cut are given up as a whole: their files are
//! removed, nothing of them counts, and the error says from which position the journal has them
//! ([`StoreError::Lost`]). The writer then refuses everything until [`ShardWriter::resume`] says that the replay has
//! begun there, so that a later cut cannot count rows that are gone. Keeping the batches for a second try was the
//! alternative: it holds five seconds of rows in memory twice, and a disk that failed a sync has lost them anyway.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use finderscope_flow::Table;

use crate::disk::{self, Step};
use crate::layout::{hour_folder, part_name};
use crate::part::{OpenPart, WholePart};
use crate::settings::Encoding;
use crate::split::by_hour;
use crate::state;
use crate::store::{Commit, Shared};
use crate::{DiskError, Origin, Part, StateFile, StoreError};

/// Rows from which on a part is closed though its cut is still to come. A footer has 30 KB for each batch, in memory until
/// then and again when the part is merged: of two million flows a second it would be ten megabytes.
const CUT_PART_ROWS: u64 = 1 << 20;

/// Writes one shard's rows; belongs to one thread.
#[derive(Debug)]
pub struct ShardWriter {
    shared: Arc<Shared>,
    shard: u32,
    stored: u64,
    /// By last use, the latest at the end.
    open: Vec<OpenPart>,
    whole: Vec<WholePart>,
    lost: bool,
}

/// What makes a cut.
#[derive(Debug)]
pub struct Cut<F> {
    /// All rows of deliveries before this position have been written.
    pub position: u64,
    /// The decoder's state, with all deliveries before its position, where there is a newer one.
    pub state: Option<(u64, Vec<u8>)>,
    /// Syncs the journal up to `position`.
    pub sync_journal: F,
}

/// A cut that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// Rows of all deliveries before this position are stored.
    pub position: u64,
    /// The journal may be released before this position: that of the newest state, which is kept from there on.
    pub needed_from: u64,
    /// The new parts.
    pub parts: Vec<Part>,
}

impl ShardWriter {
    pub(crate) fn new(shared: Arc<Shared>, shard: u32, stored: u64) -> Self {
        Self { shared, shard, stored, open: Vec::new(), whole: Vec::new(), lost: false }
    }

    /// The shard.
    pub const fn shard(&self) -> u32 {
        self.shard
    }

    /// Rows of all deliveries before this position are stored.
    pub const fn position(&self) -> u64 {
        self.stored
    }

    /// Whether rows were written since the last cut.
    pub const fn is_dirty(&self) -> bool {
        !self.open.is_empty() || !self.whole.is_empty()
    }

    /// Takes rows of one table. They count from the next cut on.
    pub fn write(&mut self, table: Table, batch: RecordBatch) -> Result<(), StoreError> {
        self.ready()?;
        if !Arc::ptr_eq(batch.schema_ref(), &table.schema()) && *batch.schema_ref() != table.schema() {
            return Err(StoreError::Schema { table: table.name() });
        }
        for (hour, rows) in by_hour(batch) {
            self.write_hour(table, hour, &rows).map_err(|cause| self.lose(cause, Vec::new()))?;
        }
        Ok(())
    }

    /// Makes everything written so far count. After an error nothing of it does.
    ///
    /// Without rows it still moves the position on, so that the journal can be released.
    pub fn cut<F: FnOnce() -> io::Result<()>>(&mut self, cut: Cut<F>) -> Result<Committed, StoreError> {
        self.ready()?;
        self.check(cut.position, cut.state.as_ref().map(|state| state.0))?;
        if !self.is_dirty() && cut.state.is_none() && cut.position == self.stored {
            return Ok(Committed { position: self.stored, needed_from: self.needed_from(), parts: Vec::new() });
        }
        let mut placed = Vec::new();
        let position = cut.position;
        let (parts, old_state) = self.commit(cut, &mut placed).map_err(|cause| self.lose(cause, placed))?;
        self.stored = position;
        self.shared.remove(old_state);
        Ok(Committed { position, needed_from: self.needed_from(), parts })
    }

    /// Goes on after rows were lost: what is written next is what the journal has from [`ShardWriter::position`] on.
    pub fn resume(&mut self) -> Result<(), StoreError> {
        self.shared.manifest().settle()?;
        self.shared.remove(None);
        self.lost = false;
        Ok(())
    }

    /// The decoder's newest state that counts, and its position: where a replay begins after [`ShardWriter::resume`].
    pub fn saved_state(&self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let Some(state) = self.state() else { return Ok(None) };
        let unreadable = |why: String| {
            let path = self.shared.layout.named(&state.path);
            DiskError::of("read", &path)(io::Error::new(io::ErrorKind::InvalidData, why))
        };
        let bytes = state::read(&self.shared.layout, &state).map_err(unreadable)?;
        Ok(Some((state.position, bytes)))
    }

    fn ready(&self) -> Result<(), StoreError> {
        if self.lost {
            return Err(StoreError::ReplayFirst { shard: self.shard, replay_from: self.stored });
        }
        Ok(())
    }

    fn check(&self, position: u64, state: Option<u64>) -> Result<(), StoreError> {
        let refuse = |given| Err(StoreError::Position { shard: self.shard, stored: self.stored, given });
        if position < self.stored || (position == self.stored && self.is_dirty()) {
            return refuse(position);
        }
        let oldest = self.state().map_or(0, |state| state.position);
        match state {
            Some(state) if state > position || state < oldest => refuse(state),
            _ => Ok(()),
        }
    }

    fn state(&self) -> Option<StateFile> {
        self.shared.manifest().catalog().marks.get(&self.shard).and_then(|mark| mark.state.clone())
    }

    fn needed_from(&self) -> u64 {
        self.state().map_or(0, |state| state.position)
    }

    fn write_hour(&mut self, table: Table, hour: i64, rows: &RecordBatch) -> Result<(), DiskError> {
        let mut part = match self.open.iter().position(|part| part.table == table && part.hour == hour) {
            Some(at) => self.open.remove(at),
            None => self.open_part(table, hour)?,
        };
        let written = part.write(rows, &self.shared.probe);
        if written.is_ok() && part.rows() >= CUT_PART_ROWS {
            return self.close(part);
        }
        self.open.push(part);
        written
    }

    fn open_part(&mut self, table: Table, hour: i64) -> Result<OpenPart, DiskError> {
        if self.open.len() >= self.shared.open_parts {
            let idlest = self.open.remove(0);
            self.close(idlest)?;
        }
        let path = self.shared.layout.incoming().join(format!("{}-{}.parquet", self.shard, self.shared.next_file()));
        let part = OpenPart::create(table, hour, Encoding::Cut, path.clone());
        part.inspect_err(|_| drop(self.shared.remove(Some(path))))
    }

    fn close(&mut self, part: OpenPart) -> Result<(), DiskError> {
        let path = part.path().to_owned();
        let whole = part.close().inspect_err(|_| drop(self.shared.remove(Some(path))))?;
        self.whole.push(whole);
        Ok(())
    }

    fn commit<F>(&mut self, cut: Cut<F>, placed: &mut Vec<PathBuf>) -> Result<(Vec<Part>, Option<PathBuf>), DiskError>
    where
        F: FnOnce() -> io::Result<()>,
    {
        let parts = self.place(cut.position, placed)?;
        (cut.sync_journal)().map_err(DiskError::of("sync the journal of", &self.shared.layout.dir))?;
        self.shared.step(Step::JournalSynced)?;
        let old = self.state();
        let state = cut.state.map(|(at, bytes)| state::write(&self.shared.layout, self.shard, at, &bytes, placed));
        let state = state.transpose()?;
        self.shared.step(Step::StateSynced)?;
        let replaced = old.filter(|_| state.is_some()).map(|old| self.shared.layout.named(&old.path));
        let commit =
            Commit { shard: self.shard, from: self.stored, through: cut.position, parts: parts.clone(), state };
        self.shared.commit(commit)?;
        // From here on the cut counts, whatever a test's probe says.
        self.shared.step(Step::Recorded).ok();
        Ok((parts, replaced))
    }

    /// Every part whole, synced and in its place.
    fn place(&mut self, through: u64, placed: &mut Vec<PathBuf>) -> Result<Vec<Part>, DiskError> {
        for part in std::mem::take(&mut self.open) {
            self.close(part)?;
        }
        self.whole.iter().try_for_each(WholePart::sync)?;
        self.shared.step(Step::PartsSynced)?;
        let origin = Origin { shard: self.shard, from: self.stored, through };
        let (mut parts, mut folders) = (Vec::new(), BTreeSet::new());
        while let Some(whole) = self.whole.last() {
            let folder = hour_folder(whole.table, whole.hour);
            let path = format!("{folder}/{}", part_name(origin, self.shared.next_file()));
            let place = self.shared.layout.named(&path);
            disk::make_folders(&self.shared.layout.named(&folder))?;
            // The keeper removes folders that became empty: it may have done so just now.
            if disk::rename(&whole.path, &place).is_err() {
                disk::make_folders(&self.shared.layout.named(&folder))?;
                disk::rename(&whole.path, &place)?;
            }
            placed.push(place);
            parts.push(whole.tally.into_part(path, whole.table, whole.file_bytes, Some(origin)));
            folders.insert(folder);
            self.whole.pop();
        }
        self.shared.step(Step::Renamed)?;
        folders.iter().try_for_each(|folder| disk::sync_folder(&self.shared.layout.named(folder)))?;
        self.shared.step(Step::FoldersSynced)?;
        Ok(parts)
    }

    /// Gives up all rows since the last cut.
    fn lose(&mut self, cause: DiskError, placed: Vec<PathBuf>) -> StoreError {
        self.lost = true;
        self.discard(placed);
        StoreError::Lost { shard: self.shard, replay_from: self.stored, cause }
    }

    fn discard(&mut self, placed: Vec<PathBuf>) {
        let open = self.open.drain(..).map(|part| part.path().to_owned());
        let whole = self.whole.drain(..).map(|part| part.path);
        let files: Vec<PathBuf> = open.chain(whole).chain(placed).collect();
        self.shared.remove(files);
    }
}

impl Drop for ShardWriter {
    fn drop(&mut self) {
        self.discard(Vec::new());
        self.shared.release(self.shard);
    }
}
