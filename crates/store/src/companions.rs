//! What stands beside the parts: indexes of addresses, and totals.
//!
//! ```text
//! index/day=2026-01-31/hour=07/<part>.index
//! totals/day=2026-01-31/<…>.parquet
//! ```
//!
//! They have folders of their own, so that a reader of `flows/` meets nothing but rows. A question can be answered
//! without any of them: one that is missing or damaged is a problem to be told, never a failure.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::catalog::Catalog;
use crate::layout::Layout;
use crate::recover::set_aside;
use crate::{DiskError, Problem, disk};

/// Removes files of ours that the manifest does not name; where it is damaged, and may have named them, totals are
/// set aside. Indexes are not: their parts can be read without.
pub(crate) fn sweep(
    layout: &Layout,
    catalog: &Catalog,
    damaged: bool,
    problems: &mut Vec<Problem>,
) -> Result<(), DiskError> {
    let named: HashSet<&str> = catalog.files().collect();
    for (folder, ending) in [(layout.index(), ".index"), (layout.totals(), ".parquet")] {
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for entry in disk::list(&folder)? {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                let relative = layout.relative(&path);
                if path.is_dir() {
                    folders.push(path);
                } else if !is_ours(&name, ending) {
                    problems.push(Problem::Stranger { path: relative });
                } else if named.contains(relative.as_str()) {
                    // It counts.
                } else if damaged && ending == ".parquet" && !catalog.replaced.contains(&relative) {
                    set_aside(layout, &path, problems)?;
                } else {
                    disk::remove(&path)?;
                }
            }
        }
    }
    Ok(())
}

fn is_ours(name: &str, ending: &str) -> bool {
    name.ends_with(ending) && ["merged-", "day-"].iter().any(|start| name.starts_with(start))
}

/// What is wrong with the named ones, by their size.
pub(crate) fn check<'a>(layout: &'a Layout, catalog: &'a Catalog) -> impl Iterator<Item = Problem> + 'a {
    let indexes = catalog.parts.values().filter_map(|part| {
        let index = part.index.as_ref()?;
        let why = differs(&layout.named(&index.path), index.file_bytes)?;
        Some(Problem::Companion { path: index.path.clone(), of: part.path.clone(), why })
    });
    let totals = catalog.totals.values().filter_map(|totals| {
        let why = differs(&layout.named(&totals.path), totals.file_bytes)?;
        Some(Problem::Totals { path: totals.path.clone(), why })
    });
    indexes.chain(totals)
}

/// Whether a file is there and as large as it was. Reading all of them would take as long as the store is large.
pub(crate) fn differs(path: &Path, file_bytes: u64) -> Option<String> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() == file_bytes => None,
        Ok(metadata) => Some(format!("it has {} bytes and should have {file_bytes}", metadata.len())),
        Err(error) => Some(error.to_string()),
    }
}
