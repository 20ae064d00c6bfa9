//! What happens beside an answer: how far it is, and what must be said about it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// Something that whoever reads the answer must know.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Warning {
    /// A part could not be read, or not to its end: its rows are missing.
    DamagedPart {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        problem: String,
    },
    /// The store's manifest is damaged: parts that it no longer names are missing.
    Store {
        /// What is wrong with it.
        problem: String,
    },
    /// A part's address index cannot be used; the part was read whole, so nothing is missing.
    DamagedIndex {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A plain sum over sampled rows.
    Unscaled {
        /// The column that was summed.
        column: &'static str,
        /// The column that counts the sampling rate in.
        scaled: &'static str,
    },
    /// A file of totals could not be read: the rows are read instead.
    DamagedTotals {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        problem: String,
    },
    /// Rows are no longer kept, only totals of them.
    OnlyTotals {
        /// The earliest receive time of what the totals stand for.
        first_ns: i64,
        /// The latest.
        last_ns: i64,
    },
    /// Rows of several exporters, of which the same flow may have come from more than one.
    NotDeduplicated {
        /// How many exporters.
        exporters: u64,
    },
}

impl Warning {
    /// Whether the answer lacks rows because of it.
    pub const fn is_partial(&self) -> bool {
        matches!(self, Self::DamagedPart { .. } | Self::Store { .. })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DamagedPart { path, problem } => {
                write!(f, "{}: cannot be read, its rows are missing: {problem}", path.display())
            }
            Self::DamagedIndex { path, problem } => {
                write!(f, "{}: cannot be used, its part is read whole: {problem}", path.display())
            }
            Self::Store { problem } => f.write_str(problem),
            Self::DamagedTotals { path, problem } => {
                write!(f, "{}: cannot be read, the rows are read instead: {problem}", path.display())
            }
            Self::OnlyTotals { first_ns, last_ns } => {
                let [first, last] = [first_ns, last_ns].map(|ns| Timestamp::from_nanosecond(i128::from(*ns)));
                let [first, last] =
                    [first, last].map(|time| time.map_or_else(|_| "?".to_owned(), |time| format!("{time:.0}")));
                write!(
                    f,
                    "rows received between {first} and {last} are no longer kept, or not all; totals of them are, which this question cannot use"
                )
            }
            Self::Unscaled { column, scaled } => {
                write!(f, "sum({column}) is over sampled rows; sum({scaled}) counts the sampling rate in")
            }
            Self::NotDeduplicated { exporters } => write!(f, "{exporters} exporters, not deduplicated"),
        }
    }
}

/// How far an answer is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Parts that the question has to read.
    pub parts: u64,
    /// Parts that were opened so far.
    pub parts_opened: u64,
    /// Rows in those parts.
    pub rows: u64,
    /// Rows that were read so far. Rows that could be skipped never come.
    pub rows_read: u64,
}

/// Progress and warnings of one question; scans write it, and whoever waits reads it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    parts: AtomicU64,
    rows: AtomicU64,
    rows_read: AtomicU64,
    opened: Mutex<BTreeSet<String>>,
    warnings: Mutex<BTreeSet<Warning>>,
    gone: AtomicBool,
    damaged_totals: Mutex<BTreeSet<PathBuf>>,
    readings: Mutex<Vec<String>>,
}

/// How far an answer is, to be looked at while it is waited for.
#[derive(Clone, Debug)]
pub struct Meter {
    watch: Arc<Watch>,
}

impl Meter {
    pub(crate) const fn new(watch: Arc<Watch>) -> Self {
        Self { watch }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.watch.progress()
    }
}

impl Watch {
    /// A scan is going to read so much.
    pub(crate) fn expect(&self, parts: u64, rows: u64) {
        self.parts.fetch_add(parts, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// A part, or a piece of it, is being opened.
    pub(crate) fn opened(&self, path: &str) {
        let mut opened = lock(&self.opened);
        if !opened.contains(path) {
            opened.insert(path.to_owned());
        }
    }

    /// Rows came out of a part.
    pub(crate) fn read(&self, rows: usize) {
        self.rows_read.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// A part cannot be read. One warning a part, whatever else is wrong with it.
    pub(crate) fn damaged(&self, path: &Path, problem: String) {
        if !path.exists() {
            self.gone.store(true, Ordering::Relaxed);
        }
        let mut warnings = lock(&self.warnings);
        let known = |warning: &Warning| matches!(warning, Warning::DamagedPart { path: known, .. } if known == path);
        if !warnings.iter().any(known) {
            warnings.insert(Warning::DamagedPart { path: path.to_owned(), problem });
        }
    }

    /// A part's index cannot be used.
    pub(crate) fn damaged_index(&self, path: PathBuf, problem: String) {
        self.warn(Warning::DamagedIndex { path, problem });
    }

    /// A file of totals cannot be read.
    pub(crate) fn damaged_totals(&self, path: &Path, problem: String) {
        if !path.exists() {
            self.gone.store(true, Ordering::Relaxed);
        }
        if lock(&self.damaged_totals).insert(path.to_owned()) {
            self.warn(Warning::DamagedTotals { path: path.to_owned(), problem });
        }
    }

    /// Says something about the answer.
    pub(crate) fn warn(&self, warning: Warning) {
        lock(&self.warnings).insert(warning);
    }

    /// Says what is read, and why.
    pub(crate) fn reading(&self, what: String) {
        let mut readings = lock(&self.readings);
        if !readings.contains(&what) {
            readings.push(what);
        }
    }

    /// What is read, in plain words.
    pub(crate) fn readings(&self) -> Vec<String> {
        lock(&self.readings).clone()
    }

    /// Whether what was planned cannot be read: a part is no longer there, or a file of totals is damaged.
    pub(crate) fn must_begin_anew(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || !lock(&self.damaged_totals).is_empty()
    }

    /// Begins anew. What is said of damaged totals stays said; which those were is handed out.
    pub(crate) fn reset(&self) -> BTreeSet<PathBuf> {
        for count in [&self.parts, &self.rows, &self.rows_read] {
            count.store(0, Ordering::Relaxed);
        }
        lock(&self.opened).clear();
        lock(&self.readings).clear();
        let gone = self.gone.swap(false, Ordering::Relaxed);
        let is_kept = |warning: &Warning| match warning {
            // One that was merged away meanwhile is not damaged.
            Warning::DamagedTotals { path, .. } => !gone || path.exists(),
            _ => false,
        };
        lock(&self.warnings).retain(is_kept);
        std::mem::take(&mut *lock(&self.damaged_totals))
    }

    /// What is to be said so far.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        lock(&self.warnings).iter().cloned().collect()
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            parts: self.parts.load(Ordering::Relaxed),
            parts_opened: lock(&self.opened).len() as u64,
            rows: self.rows.load(Ordering::Relaxed),
            rows_read: self.rows_read.load(Ordering::Relaxed),
        }
    }
}

/// The sets stay sound if a thread dies while it holds one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
