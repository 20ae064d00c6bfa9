//! Several files of totals written as one: a day's of its hours'.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::swap::{Replacement, Unfinished};
use super::{Done, KeepError, go_on, room};
use crate::layout::{hour_of, totals_folder};
use crate::store::Shared;
use crate::totals::{self, TotalsFile};
use crate::{DiskError, Problem, Totals, disk};

/// Joins them. They stand for the same parts together as the new one alone.
pub(crate) fn run(shared: &Arc<Shared>, files: &[Arc<Totals>], stop: &AtomicBool) -> Result<Done, KeepError> {
    let bytes_before = files.iter().map(|file| file.file_bytes).sum();
    room::check(&shared.layout.dir, bytes_before)?;
    go_on(stop)?;
    let hour = files.first().map_or(0, |file| hour_of(file.min_received_ns));
    let path = format!("{}/{}.parquet", totals_folder(hour), shared.new_name("day"));
    let place = shared.layout.named(&path);
    if let Some(folder) = place.parent() {
        disk::make_folders(folder)?;
    }
    let mut unfinished = Unfinished::new(shared);
    unfinished.will_write(place.clone());
    let sources: Vec<PathBuf> = files.iter().map(|file| shared.layout.named(&file.path)).collect();
    let made = totals::merge(&sources, &place).map_err(|error| blame(error, files, &sources, &place))?;
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    let of: Vec<String> = files.iter().flat_map(|file| file.of.iter().cloned()).collect();
    let joined = made.map(|made| made.into_totals(path, of)).filter(|joined| joined.rows == rows);
    let Some(joined) = joined else {
        // Each of them is good by itself; together they are beyond what can be said exactly.
        return Err(KeepError::Damaged(unfit(files, "it cannot be joined with the others of its day".to_owned())));
    };
    go_on(stop)?;
    let replacement =
        Replacement { sources: Vec::new(), joined: files.to_vec(), parts: Vec::new(), totals: vec![joined] };
    let bytes_after = replacement.bytes();
    replacement.commit(shared, unfinished)?;
    Ok(Done { removed: files.len() as u64, rows: 0, bytes_before, bytes_after })
}

/// A file that cannot be read is left alone; the disk's other troubles pass.
fn blame(error: DiskError, files: &[Arc<Totals>], sources: &[PathBuf], place: &PathBuf) -> KeepError {
    match sources.iter().position(|source| *source == error.path) {
        Some(at) if error.path != *place => KeepError::Damaged(unfit(&files[at..=at], error.to_string())),
        _ => error.into(),
    }
}

fn unfit(files: &[Arc<Totals>], why: String) -> Problem {
    Problem::Totals { path: files.first().map(|file| file.path.clone()).unwrap_or_default(), why }
}

impl TotalsFile {
    /// What the manifest says of it.
    pub(crate) fn into_totals(self, path: String, of: Vec<String>) -> Totals {
        let Self { file_bytes, rows, min_received_ns, max_received_ns, lacks, .. } = self;
        Totals { path, file_bytes, of, rows, min_received_ns, max_received_ns, lacks }
    }
}
