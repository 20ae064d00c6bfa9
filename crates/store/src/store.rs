//! The store as its one writing process has it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{self, Probe, Step};
use crate::keeper::Swap;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::manifest::Manifest;
use crate::record::Record;
use crate::recover::{self, Recovery};
use crate::state;
use crate::stats::Stats;
use crate::{Cause, DiskError, Part, Problem, ShardWriter, StateFile, StoreError};

/// How a store is opened for writing.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many shards the caller wants to run.
    pub shards: u32,
    /// Who we are, for the message that a second writer gets.
    pub command: String,
    /// Parts that one shard may have open at a time; the one longest without rows is closed for another.
    /// A running server needs two hours of every table, an import of many days is what this bounds.
    pub open_parts: usize,
    /// Looks in at each step; for tests.
    pub probe: Probe,
}

impl Default for Options {
    fn default() -> Self {
        Self { shards: 1, command: String::new(), open_parts: 12, probe: Probe::default() }
    }
}

/// A store that this process writes to. Clones are the same store; the lock is let go with the last of them
/// and of their [`ShardWriter`]s.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) layout: Layout,
    pub(crate) probe: Probe,
    pub(crate) open_parts: usize,
    manifest: Mutex<Manifest>,
    /// Files that count no longer, or never did, and could not be removed yet.
    leftovers: Mutex<Vec<PathBuf>>,
    /// Merged parts that count and are not in their place yet.
    pub(crate) swaps: Mutex<Vec<Swap>>,
    problems: Vec<Problem>,
    files: AtomicU64,
    writers: Mutex<BTreeSet<u32>>,
    _lock: Lock,
}

impl Store {
    /// Takes the lock, puts the folder in order, and says where each shard stands.
    ///
    /// Makes the folder where there is none. Files of ours that the manifest does not name are removed; parts that it
    /// names and that are missing or of another size are problems, and the others go on.
    pub fn open(dir: &Path, options: Options) -> Result<(Self, Recovery), StoreError> {
        disk::make_folders(dir)?;
        let layout = Layout::new(dir);
        let lock = Lock::take(&layout.lock(), &options.command)?;
        let (manifest, recovery) = recover::recover(&layout, &options)?;
        let shared = Shared {
            layout,
            probe: options.probe,
            open_parts: options.open_parts.max(1),
            manifest: Mutex::new(manifest),
            leftovers: Mutex::default(),
            swaps: Mutex::default(),
            problems: recovery.problems.clone(),
            files: AtomicU64::default(),
            writers: Mutex::default(),
            _lock: lock,
        };
        Ok((Self { shared: Arc::new(shared) }, recovery))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.shared.layout.dir
    }

    /// How many shards the folder has. Differs from what was asked for at open until [`Store::reshard`].
    pub fn shards(&self) -> u32 {
        self.shared.manifest().catalog().shards
    }

    /// Where a shard stands: rows of every delivery before this position are stored.
    pub fn position(&self, shard: u32) -> u64 {
        self.shared.manifest().catalog().position(shard)
    }

    /// The one writer of a shard. It goes on from [`Store::position`].
    pub fn writer(&self, shard: u32) -> Result<ShardWriter, StoreError> {
        let shards = self.shards();
        if shard >= shards || !lock(&self.shared.writers).insert(shard) {
            return Err(StoreError::NoShard { shard, shards });
        }
        Ok(ShardWriter::new(Arc::clone(&self.shared), shard, self.position(shard)))
    }

    /// From here on the folder has one shard for each of `states`, which begin with them.
    ///
    /// Every old journal has to be replayed and cut before, and every writer be gone. A state holds all deliveries
    /// that its shard needs to know of. Shards keep their positions, also over a time in which they are not there.
    pub fn reshard(&self, states: &[Option<Vec<u8>>]) -> Result<(), StoreError> {
        if let Some(&shard) = lock(&self.shared.writers).first() {
            return Err(StoreError::NoShard { shard, shards: self.shards() });
        }
        let old = self.shared.states();
        let mut files = Vec::new();
        let written = self.try_reshard(states, &mut files);
        // Whichever do not count now.
        let layout = &self.shared.layout;
        let stale =
            if written.is_ok() { old.into_iter().map(|state| layout.named(&state.path)).collect() } else { files };
        self.shared.remove(stale);
        Ok(written?)
    }

    fn try_reshard(&self, states: &[Option<Vec<u8>>], files: &mut Vec<PathBuf>) -> Result<(), DiskError> {
        let mut manifest = self.shared.manifest();
        let mut named = Vec::new();
        for (shard, state) in (0..).zip(states) {
            let position = manifest.catalog().position(shard);
            let write = |state: &Vec<u8>| state::write(&self.shared.layout, shard, position, state, files);
            named.push(state.as_ref().map(write).transpose()?);
        }
        manifest.append(Record::Reshard { time_ns: now_ns(), states: named })
    }

    /// Lets go of parts and files of totals. They no longer count once this returns; their files are removed.
    pub fn remove(&self, cause: Cause, paths: &[String]) -> Result<(), StoreError> {
        let mut manifest = self.shared.manifest();
        let files = manifest.catalog().files_of(paths)?;
        let files: Vec<_> = files.into_iter().map(|file| self.shared.layout.named(&file)).collect();
        let removed = paths.to_vec();
        let record = Record::Replace { cause, time_ns: now_ns(), removed, parts: Vec::new(), totals: Vec::new() };
        manifest.append(record)?;
        drop(manifest);
        self.shared.remove(files);
        Ok(())
    }

    /// Every part, in the order of tables and hours.
    pub fn parts(&self) -> Vec<Arc<Part>> {
        self.shared.manifest().catalog().parts.values().cloned().collect()
    }

    /// Figures for `status`.
    pub fn stats(&self) -> Stats {
        Stats::of(self.shared.manifest().catalog())
    }

    /// What is not as it should be: as found at open, and files that could not be removed since and still cannot.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.shared.problems.clone();
        problems.extend(self.shared.remove(std::iter::empty()));
        problems.extend(self.shared.finish_swaps());
        problems
    }
}

impl Shared {
    pub(crate) fn manifest(&self) -> MutexGuard<'_, Manifest> {
        lock(&self.manifest)
    }

    /// The decoders' states that count.
    fn states(&self) -> Vec<StateFile> {
        self.manifest().catalog().marks.values().filter_map(|mark| mark.state.clone()).collect()
    }

    /// A number that no file of this process has had.
    pub(crate) fn next_file(&self) -> u64 {
        self.files.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn release(&self, shard: u32) {
        lock(&self.writers).remove(&shard);
    }

    /// Makes a cut count, and gives every shard's commit the others' positions.
    pub(crate) fn commit(&self, commit: Commit) -> Result<(), DiskError> {
        let Commit { shard, from, through, parts, state } = commit;
        let mut manifest = self.manifest();
        let mut positions = manifest.catalog().positions();
        if let Some(position) = positions.get_mut(shard as usize) {
            *position = through;
        }
        manifest.append(Record::Commit { shard, from, through, time_ns: now_ns(), positions, parts, state })?;
        // The record counts: a manifest that cannot be written anew now goes on as it is, and is tried again.
        manifest.shorten().ok();
        Ok(())
    }

    /// Writes the manifest anew where it is due; one that cannot be written now goes on as it is, and is tried again.
    pub(crate) fn shorten_manifest(&self) {
        self.manifest().shorten().ok();
    }

    /// Removes files that do not count, and those that could not be removed before. Says what is left.
    pub(crate) fn remove(&self, paths: impl IntoIterator<Item = PathBuf>) -> Vec<Problem> {
        let mut leftovers = lock(&self.leftovers);
        leftovers.extend(paths);
        let mut problems = Vec::new();
        // While a record is in doubt, what it names must stay.
        if let Err(error) = self.manifest().settle() {
            let left = leftovers.iter().map(|path| self.leftover(path, &error));
            return left.collect();
        }
        leftovers.retain(|path| match disk::remove(path) {
            Ok(()) => false,
            Err(error) => {
                problems.push(self.leftover(path, &error));
                true
            }
        });
        problems
    }

    fn leftover(&self, path: &Path, error: &DiskError) -> Problem {
        Problem::Leftover { path: self.layout.relative(path), why: error.to_string() }
    }

    pub(crate) fn step(&self, step: Step) -> Result<(), DiskError> {
        self.probe.at(step).map_err(DiskError::of("write", &self.layout.dir))
    }
}

/// What a shard asks to be recorded.
pub(crate) struct Commit {
    pub(crate) shard: u32,
    pub(crate) from: u64,
    pub(crate) through: u64,
    pub(crate) parts: Vec<Part>,
    pub(crate) state: Option<StateFile>,
}

/// The clock, for the records' own times; rows bring theirs.
pub(crate) fn now_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// A thread that panicked leaves nothing half done here: each of these is changed in one step, and the
/// manifest counts a record as in doubt while it writes it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
