//! What merging and retention have done, as status gives it.

use std::collections::BTreeMap;

use finderscope_flow::text::time_utc;
use finderscope_store::TotalsStats;
use serde::{Deserialize, Serialize};

use super::time_of;
use crate::keeper::KeeperFigures;

/// Files of totals.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TotalsView {
    /// Files.
    pub files: u64,
    /// Flows that they stand for.
    pub rows: u64,
    /// Their size on disk.
    pub bytes: u64,
    /// The earliest receive time.
    pub from: Option<String>,
    /// The latest.
    pub to: Option<String>,
}

/// What was done since the start.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct KeepingView {
    /// Rows written again into merged parts.
    pub merged_rows: u64,
    /// Parts and files of totals that were replaced.
    pub merged_parts: u64,
    /// Their size.
    pub merged_bytes_before: u64,
    /// The size of what took their place.
    pub merged_bytes_after: u64,
    /// When something was last merged.
    pub last_merge: Option<String>,
    /// What merging and removing took of the processor.
    pub cpu_seconds: f64,
    /// Why nothing is merged now.
    pub waits_for: Option<String>,
    /// What was removed, by cause: `age`, `size`.
    pub removed: BTreeMap<String, RemovedView>,
}

/// What was removed for one reason.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct RemovedView {
    /// Parts and files of totals.
    pub files: u64,
    /// Rows of these parts.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

impl TotalsView {
    pub(crate) fn of(stats: &TotalsStats) -> Self {
        let time = |ns: i64| time_utc(ns).to_string();
        Self {
            files: stats.files,
            rows: stats.rows,
            bytes: stats.file_bytes,
            from: stats.span_ns.map(|span| time(span.0)),
            to: stats.span_ns.map(|span| time(span.1)),
        }
    }
}

impl KeepingView {
    pub(crate) fn of(figures: &KeeperFigures) -> Self {
        let removed = figures.removed.iter().map(|(&cause, removed)| {
            (cause.to_owned(), RemovedView { files: removed.files, rows: removed.rows, bytes: removed.bytes })
        });
        Self {
            merged_rows: figures.merged_rows,
            merged_parts: figures.merged_parts,
            merged_bytes_before: figures.merged_bytes.0,
            merged_bytes_after: figures.merged_bytes.1,
            last_merge: figures.last_merge.map(time_of),
            cpu_seconds: figures.cpu.as_secs_f64(),
            waits_for: figures.waits_for.clone(),
            removed: removed.collect(),
        }
    }
}
