//! The parts that a question reads: files, and what is known of each without opening it.

use std::path::PathBuf;

use finderscope_flow::Table;

/// One committed file of rows.
#[derive(Clone, Debug)]
pub struct Part {
    /// The table that its rows belong to.
    pub table: Table,
    /// The Parquet file.
    pub path: PathBuf,
    /// The file's size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// The earliest receive time in it.
    pub first_ns: i64,
    /// The latest receive time in it.
    pub last_ns: i64,
    /// Which of its pages hold which addresses, where that is known.
    pub index: Option<PathBuf>,
}

/// One committed file of totals: what the rows of some parts of flows add up to.
#[derive(Clone, Debug)]
pub struct Totals {
    /// The Parquet file.
    pub path: PathBuf,
    /// The file's size.
    pub bytes: u64,
    /// The files of the parts that it stands for.
    pub of: Vec<PathBuf>,
    /// Whether some of these parts are no longer kept.
    pub outlives: bool,
    /// The rows that it stands for.
    pub rows: u64,
    /// The earliest receive time of these.
    pub first_ns: i64,
    /// The latest receive time of these.
    pub last_ns: i64,
    /// What it lacks, as `minute/in_if`.
    pub lacks: Vec<String>,
}

/// A range of receive times, both ends included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TimeRange {
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
}

impl TimeRange {
    /// All times.
    pub(crate) const ALL: Self = Self { first_ns: i64::MIN, last_ns: i64::MAX };

    /// What lies in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { first_ns: self.first_ns.max(other.first_ns), last_ns: self.last_ns.min(other.last_ns) }
    }

    /// Whether some row that `totals` stand for may lie in it.
    pub(crate) const fn overlaps(self, totals: &Totals) -> bool {
        self.first_ns <= totals.last_ns && totals.first_ns <= self.last_ns
    }

    /// Whether it has all of another.
    pub(crate) const fn holds(self, first_ns: i64, last_ns: i64) -> bool {
        self.first_ns <= first_ns && last_ns <= self.last_ns
    }

    /// Whether some row of `part` may lie in it.
    pub(crate) const fn may_hold(self, part: &Part) -> bool {
        self.first_ns <= part.last_ns && part.first_ns <= self.last_ns
    }
}
