//! The keeper: merges small parts, removes what is too old or too much, and joins a day's totals.
//!
//! [`Keeper::plan`] says what is to be done next, from the manifest and the time alone; [`Keeper::run`] does it. There is no
//! thread here and no clock: the server calls both in turn, at low priority, and a command does it for a folder
//! that no server runs on.
//!
//! # When parts are merged
//!
//! A shard writes a part every few seconds. While their hour runs, parts are merged as soon as
//! [`Rules::gather_parts`] have come together, or rows enough for a whole part; when it is over and nothing was added for a
//! while, all that is left is. A merged part of half the full size is done with, and a smaller one is merged again
//! only with others that are together an eighth of it at least: a row is rewritten about twice, whatever comes late.
//! Every hour but the one that the clock shows counts as over, so one from a clock that was ahead does not wait.
//!
//! # How sources are swapped for the merged part
//!
//! 1. The merged part is written into `incoming/`, its index and totals into their places; all are synced, and the
//!    folders of their names. Nobody knows of them; a crash leaves files that the next open removes.
//! 2. One manifest record names the new files and no longer the sources. From here on it counts. Readers that go by
//!    the manifest find the merged part in `incoming/`.
//! 3. The sources are removed, and their folder is synced.
//! 4. The merged part moves into its place, and its folder is synced.
//!
//! So who reads the folder by itself misses the hour's rows from 3 to 4, a few milliseconds, and never finds a row
//! twice: a merged part has a name there only when its sources have none. If a step after the record fails, it is done
//! again later ([`Keeper::settle`]), and after a crash at the next open.
//!
//! # What is removed
//!
//! By age whole parts whose newest row is too old, by size the oldest hours, totals last. The record comes first and the files
//! after it. For what "now" is when the clock jumps see [`crate::keeper::clock`].

pub mod clock;
mod days;
mod join;
mod merge;
mod plan;
mod retain;
mod room;
mod source;
mod swap;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use finderscope_flow::Table;

pub use self::clock::Steadiness;
pub(crate) use self::swap::Swap;
use crate::{Cause, DiskError, Part, Problem, Store, StoreError, Totals};

/// Rows of a whole part.
pub const PART_ROWS: u64 = 4 << 20;
/// Bytes of a whole part.
pub const PART_BYTES: u64 = 256_000_000;

/// What to do when.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Parts of an hour that are merged while it runs.
    pub gather_parts: usize,
    /// Rows of a merged part at most.
    pub part_rows: u64,
    /// Bytes of the parts that one is merged from.
    pub part_bytes: u64,
    /// How long nothing must have been added to an hour that is over.
    pub quiet_ns: i64,
    /// Whether the hour that the clock shows is still written to.
    pub is_live: bool,
    /// How long rows are kept.
    pub keep_ns: Option<i64>,
    /// How long totals are kept; as long as rows where nothing is said.
    pub keep_totals_ns: Option<i64>,
    /// How large parts, indexes and totals may be together.
    pub max_bytes: Option<u64>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            gather_parts: 128,
            part_rows: PART_ROWS,
            part_bytes: PART_BYTES,
            quiet_ns: 120_000_000_000,
            is_live: true,
            keep_ns: None,
            keep_totals_ns: None,
            max_bytes: None,
        }
    }
}

impl Rules {
    /// For a folder that nobody writes to: no hour is waited for.
    pub fn at_rest(self) -> Self {
        Self { quiet_ns: 0, is_live: false, ..self }
    }
}

/// The time, and how far it may be trusted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Now {
    /// What the clock says.
    pub wall_ns: i64,
    /// Whether it is known to be right, so that rows may be removed by it; see [`clock`].
    pub is_steady: bool,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Parts of one table and hour become one.
    Merge {
        /// Whose rows.
        table: Table,
        /// In the order that their rows will have.
        sources: Vec<Arc<Part>>,
    },
    /// Files of totals of one day become one.
    Join {
        /// Which.
        totals: Vec<Arc<Totals>>,
    },
    /// What is too old or too much.
    Remove {
        /// Why.
        cause: Cause,
        /// Parts.
        parts: Vec<Arc<Part>>,
        /// Files of totals.
        totals: Vec<Arc<Totals>>,
    },
}

/// What a job came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Done {
    /// Parts and files of totals that no longer count.
    pub removed: u64,
    /// Rows of these parts.
    pub rows: u64,
    /// Bytes of their files.
    pub bytes_before: u64,
    /// Bytes of the files that took their place.
    pub bytes_after: u64,
}

/// Why a job was given up. What is stored is as it was.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
    /// A part cannot be read whole; it is left out of merges from now on, and reported.
    #[error("{0}")]
    Damaged(Problem),
    /// There is not enough room to write anew what is there.
    #[error("merging waits: it needs {needed_bytes} bytes of room and {free_bytes} are free")]
    NoRoom {
        /// With what is held back for the journal.
        needed_bytes: u64,
        /// What a user may write.
        free_bytes: u64,
    },
    /// The disk, or a part that is gone.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DiskError> for KeepError {
    fn from(error: DiskError) -> Self {
        Self::Store(error.into())
    }
}

/// Looks after one store.
#[derive(Debug)]
pub struct Keeper {
    store: Store,
    rules: Rules,
    /// Parts that cannot be merged, by path.
    unfit: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Keeper {
    /// A keeper for `store`. What the store's opening found damaged is left alone.
    pub fn new(store: Store, rules: Rules) -> Self {
        let damaged = store.problems().into_iter().filter_map(|problem| match problem {
            Problem::Part { path, .. } => Some(path),
            _ => None,
        });
        Self { unfit: damaged.collect(), store, rules, problems: Vec::new() }
    }

    /// Goes on by other rules.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// What it goes by.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What is to be done next.
    pub fn plan(&self, now: Now) -> Option<Job> {
        let pending = self.store.shared.pending();
        let manifest = self.store.shared.manifest();
        let view = plan::View { catalog: manifest.catalog(), unfit: &self.unfit, pending: &pending };
        retain::plan(&view, now, &self.rules)
            .or_else(|| plan::plan(&view, now.wall_ns, &self.rules))
            .or_else(|| days::plan(&view, now.wall_ns, &self.rules))
    }

    /// Does it, or leaves everything as it was. `stop` is looked at every few milliseconds.
    pub fn run(&mut self, job: &Job, stop: &AtomicBool) -> Result<Done, KeepError> {
        let done = match job {
            Job::Merge { table, sources } => merge::run(&self.store.shared, *table, sources, &self.rules, stop),
            Job::Join { totals } => join::run(&self.store.shared, totals, stop),
            Job::Remove { cause, parts, totals } => self.remove(*cause, parts, totals),
        };
        if let Err(KeepError::Damaged(problem @ (Problem::Part { path, .. } | Problem::Totals { path, .. }))) = &done {
            self.unfit.insert(path.clone());
            self.problems.push(problem.clone());
        }
        done
    }

    /// Does what is left of earlier jobs that the disk did not let finish; says what is still left.
    pub fn settle(&self) -> Vec<Problem> {
        self.store.shared.finish_swaps()
    }

    /// What was found damaged since the start.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn remove(&self, cause: Cause, parts: &[Arc<Part>], totals: &[Arc<Totals>]) -> Result<Done, KeepError> {
        let paths = parts.iter().map(|part| part.path.clone()).chain(totals.iter().map(|file| file.path.clone()));
        self.store.remove(cause, &paths.collect::<Vec<_>>())?;
        retain::remove_empty_folders(&self.store.shared.layout, parts, totals);
        let totals_bytes: u64 = totals.iter().map(|file| file.file_bytes).sum();
        Ok(Done {
            removed: (parts.len() + totals.len()) as u64,
            rows: parts.iter().map(|part| part.rows).sum(),
            bytes_before: parts.iter().map(|part| part.bytes_on_disk()).sum::<u64>() + totals_bytes,
            bytes_after: 0,
        })
    }
}

fn go_on(stop: &AtomicBool) -> Result<(), KeepError> {
    if stop.load(Ordering::Acquire) { Err(KeepError::Stopped) } else { Ok(()) }
}
