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

    /// Whether some row of `part` may lie in it.
    pub(crate) const fn may_hold(self, part: &Part) -> bool {
        self.first_ns <= part.last_ns && part.first_ns <= self.last_ns
    }
}
