//! New files take the place of old ones: recorded, then removed, then moved. The steps are those of [`crate::keeper`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{self, Step};
use crate::record::Record;
use crate::store::{Shared, lock, now_ns};
use crate::{Cause, DiskError, Part, Problem, StoreError, Totals};

/// Files that are removed again unless they come to count.
pub(crate) struct Unfinished<'a> {
    shared: &'a Shared,
    files: Vec<PathBuf>,
}

impl<'a> Unfinished<'a> {
    pub(crate) const fn new(shared: &'a Shared) -> Self {
        Self { shared, files: Vec::new() }
    }

    /// Learns of a file before it is made.
    pub(crate) fn will_write(&mut self, path: PathBuf) {
        self.files.push(path);
    }

    fn folders(&self) -> BTreeSet<&Path> {
        self.files.iter().filter_map(|file| file.parent()).collect()
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.files.is_empty() {
            self.shared.remove(std::mem::take(&mut self.files));
        }
    }
}

/// What takes the place of what.
pub(crate) struct Replacement {
    pub(crate) sources: Vec<Arc<Part>>,
    pub(crate) joined: Vec<Arc<Totals>>,
    /// Whole and synced, still in `incoming`.
    pub(crate) parts: Vec<Part>,
    /// Whole, synced and in their place.
    pub(crate) totals: Vec<Totals>,
}

impl Replacement {
    /// The size of the new files.
    pub(crate) fn bytes(&self) -> u64 {
        let parts: u64 = self.parts.iter().map(Part::bytes_on_disk).sum();
        parts + self.totals.iter().map(|file| file.file_bytes).sum::<u64>()
    }

    /// Makes it count. After an error nothing has changed; what cannot be moved now is moved later.
    pub(crate) fn commit(self, shared: &Arc<Shared>, mut unfinished: Unfinished<'_>) -> Result<(), StoreError> {
        unfinished.folders().into_iter().try_for_each(disk::sync_folder)?;
        shared.step(Step::MergeSynced)?;
        let swap = self.swap(shared);
        let mut manifest = shared.manifest();
        let removed = self.removed(manifest.catalog().totals.values());
        let files = manifest.catalog().files_of(&removed)?;
        let Self { parts, totals, .. } = self;
        manifest.append(Record::Replace { cause: Cause::Merge, time_ns: now_ns(), removed, parts, totals })?;
        lock(&shared.swaps).push(swap);
        drop(manifest);
        unfinished.files.clear();
        // From here on it counts, whatever a test's probe says.
        shared.step(Step::Recorded).ok();
        shared.remove(files.iter().map(|file| shared.layout.named(file)));
        shared.finish_swaps();
        // Now that the sources are gone: a damaged manifest tells by its records that they were replaced.
        shared.shorten_manifest();
        Ok(())
    }

    /// The sources, and the totals that stand for them.
    fn removed<'a>(&'a self, totals: impl Iterator<Item = &'a Arc<Totals>>) -> Vec<String> {
        let sources: BTreeSet<&str> = self.sources.iter().map(|part| part.path.as_str()).collect();
        let stale = totals.filter(|file| file.of.iter().any(|path| sources.contains(path.as_str())));
        let stale: BTreeSet<&str> = stale.chain(&self.joined).map(|file| file.path.as_str()).collect();
        sources.into_iter().chain(stale).map(str::to_owned).collect()
    }

    fn swap(&self, shared: &Shared) -> Swap {
        let place = |part: &Part| {
            let place = shared.layout.named(&part.path);
            let name = place.file_name().map(PathBuf::from).unwrap_or_default();
            (shared.layout.incoming().join(name), place)
        };
        Swap {
            gone: self.sources.iter().map(|part| shared.layout.named(&part.path)).collect(),
            moves: self.parts.iter().map(place).collect(),
        }
    }
}

/// Merged parts that wait until their sources are gone.
#[derive(Debug)]
pub(crate) struct Swap {
    gone: Vec<PathBuf>,
    moves: Vec<(PathBuf, PathBuf)>,
}

impl Swap {
    fn finish(&self, shared: &Shared) -> Result<(), DiskError> {
        if let Some(path) = self.gone.iter().find(|path| path.try_exists().unwrap_or(true)) {
            let still = std::io::Error::other("its source could not be removed");
            return Err(DiskError::of("move into place what was merged from", path)(still));
        }
        let folders: BTreeSet<&Path> = self.moves.iter().filter_map(|(_, place)| place.parent()).collect();
        // Were the names of the sources to come back after a power cut, rows would be there twice.
        for folder in &folders {
            disk::make_folders(folder)?;
            disk::sync_folder(folder)?;
        }
        shared.step(Step::SourcesRemoved)?;
        for (incoming, place) in &self.moves {
            // It may have been moved, and the folder not synced, when this was tried before.
            if incoming.exists() || !place.exists() {
                disk::rename(incoming, place)?;
            }
        }
        folders.into_iter().try_for_each(disk::sync_folder)?;
        shared.step(Step::Swapped)
    }
}

impl Shared {
    /// Moves merged parts into their places, as far as their sources are gone. Says what still waits.
    pub(crate) fn finish_swaps(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        lock(&self.swaps).retain(|swap| {
            let Err(error) = swap.finish(self) else { return false };
            let waits = |(_, place): &(PathBuf, PathBuf)| Problem::Unplaced {
                path: self.layout.relative(place),
                why: error.to_string(),
            };
            problems.extend(swap.moves.iter().map(waits));
            true
        });
        problems
    }

    /// Parts that count and are not in their place yet.
    pub(crate) fn pending(&self) -> BTreeSet<String> {
        let swaps = lock(&self.swaps);
        let places = swaps.iter().flat_map(|swap| swap.moves.iter().map(|(_, place)| place));
        places.map(|place| self.layout.relative(place)).collect()
    }

    /// What a merged part is called; no other has been.
    pub(crate) fn merged_name(&self) -> String {
        self.new_name("merged")
    }

    /// A name that no other file has had.
    pub(crate) fn new_name(&self, kind: &str) -> String {
        format!("{kind}-{:016x}-{}", now_ns(), self.next_file())
    }
}
