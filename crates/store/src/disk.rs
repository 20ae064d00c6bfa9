//! Files and folders, made with the store's modes and synced; and the steps at which tests look in.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use crate::DiskError;

/// What a cut or a merge is about to do, or has just done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Step {
    /// A batch is about to be written into its part.
    Write,
    /// Every part is whole in `incoming`, and synced.
    PartsSynced,
    /// Every part is in its place.
    Renamed,
    /// The parts' folders are synced. The journal comes next.
    FoldersSynced,
    /// The journal is synced.
    JournalSynced,
    /// The decoder's state, where there was one, is written and synced.
    StateSynced,
    /// The record is written, not yet synced.
    RecordWritten,
    /// The record is synced: the cut counts. What is replaced is about to be removed.
    Recorded,
    /// A merged part and all that belongs to it is written and synced, and so are the names.
    MergeSynced,
    /// The sources of a merged part are gone, and their folder is synced.
    SourcesRemoved,
    /// The merged part is in its place.
    Swapped,
    /// A failed record is about to be taken back.
    RecordUndone,
}

/// Called at each [`Step`]; an error stands for the disk's at that point. For tests of crashes and full disks.
#[derive(Clone, Default)]
pub struct Probe(Option<Arc<dyn Fn(Step) -> io::Result<()> + Send + Sync>>);

impl Probe {
    /// A probe that calls `at`.
    pub fn new(at: impl Fn(Step) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(at)))
    }

    pub(crate) fn at(&self, step: Step) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |at| at(step))
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Probe(set)" } else { "Probe" })
    }
}

/// Makes a folder and those above it. What was made is synced into its parent.
pub(crate) fn make_folders(path: &Path) -> Result<(), DiskError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folders(parent)?;
    }
    match DirBuilder::new().mode(0o750).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(DiskError::of("make", path)(error)),
        _ => {}
    }
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes names in a folder last.
pub(crate) fn sync_folder(path: &Path) -> Result<(), DiskError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|folder| folder.sync_all()).map_err(DiskError::of("sync folder", path))
}

/// A new, empty file; what was there is gone.
pub(crate) fn create(path: &Path) -> Result<File, DiskError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(0o640);
    options.open(path).map_err(DiskError::of("create", path))
}

/// A new, empty file without a name: it is gone when it is closed. For a moment it is called `path`.
pub(crate) fn scratch(path: &Path) -> Result<File, DiskError> {
    let file = create(path)?;
    remove(path)?;
    Ok(file)
}

/// Writes a whole file under a name that nothing trusts yet, and syncs it.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let mut file = create(path)?;
    file.write_all(bytes).map_err(DiskError::of("write", path))?;
    file.sync_all().map_err(DiskError::of("sync", path))
}

/// Moves a file within the store.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    fs::rename(from, to).map_err(DiskError::of("move into place", to))
}

/// Removes a file. One that is not there is removed already.
pub(crate) fn remove(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DiskError::of("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The entries of a folder by name, in order; a folder that is not there is empty.
pub(crate) fn list(path: &Path) -> Result<Vec<fs::DirEntry>, DiskError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(DiskError::of("list", path))?,
    };
    let mut entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(DiskError::of("list", path))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}
