//! What can go wrong with a store: the disk's doing, the caller's, or an older crash's.

use std::io;
use std::path::{Path, PathBuf};

/// The disk did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}: {source}", path.display())]
pub struct DiskError {
    /// What was being done, as in "cannot write".
    pub doing: &'static str,
    /// To which file or folder.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl DiskError {
    /// For `map_err`.
    pub(crate) fn of(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { doing, path: path.to_owned(), source }
    }

    /// Whether the disk, or the user's share of it, is full.
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// Why a store could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process writes to this folder.
    #[error("the store is in use by process {pid}: {command}")]
    Locked {
        /// The holder.
        pid: u32,
        /// Its command line, as it gave it.
        command: String,
    },
    /// There is no store in this folder.
    #[error("{} holds no store: there is no manifest", dir.display())]
    NoStore {
        /// The folder.
        dir: PathBuf,
    },
    /// The manifest is gone but parts are there: opening would take them for leftovers.
    #[error("{}: the manifest is missing but {parts} parts are there; put it back, or move the parts away", dir.display())]
    ManifestMissing {
        /// The folder.
        dir: PathBuf,
        /// How many parts lie in it.
        parts: usize,
    },
    /// The folder was written by a later version of the program.
    #[error("the manifest has format {found}, this program knows {known}")]
    Format {
        /// What it says.
        found: u32,
        /// What is known here.
        known: u32,
    },
    /// The disk failed outside of a cut.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Rows could not be written or made to count. None of them is stored.
    #[error("rows of shard {shard} from position {replay_from} on are not stored, replay them: {cause}")]
    Lost {
        /// The shard.
        shard: u32,
        /// Where the journal has to be replayed from.
        replay_from: u64,
        /// What the disk said.
        #[source]
        cause: DiskError,
    },
    /// Rows were lost before, and the replay has not been announced by [`crate::ShardWriter::resume`].
    #[error("shard {shard} has to be replayed from position {replay_from} before it goes on")]
    ReplayFirst {
        /// The shard.
        shard: u32,
        /// Where from.
        replay_from: u64,
    },
    /// A position that does not fit to what is stored.
    #[error("shard {shard} is stored up to position {stored}, {given} does not go on from there")]
    Position {
        /// The shard.
        shard: u32,
        /// What is stored.
        stored: u64,
        /// What was asked for.
        given: u64,
    },
    /// A second writer for a shard, or one that the store does not have.
    #[error("shard {shard} of {shards} has a writer already or does not exist")]
    NoShard {
        /// The shard.
        shard: u32,
        /// How many there are.
        shards: u32,
    },
    /// A batch that does not have its table's columns.
    #[error("the batch does not have the columns of {table}")]
    Schema {
        /// The table's name.
        table: &'static str,
    },
    /// A part that is to be replaced is not in the store.
    #[error("{path} is not a part of the store")]
    NoPart {
        /// The part that was named.
        path: String,
    },
}

impl StoreError {
    /// Whether a full disk is the reason.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Disk(disk) | Self::Lost { cause: disk, .. } => disk.is_full(),
            _ => false,
        }
    }
}

/// Something in the folder is not as it should be; all else goes on. Shown by `status`, one line each.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A line of the manifest cannot be read.
    #[error("manifest line {line}: {why}; what it named is not known")]
    Manifest {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A part that the manifest names cannot be read whole.
    #[error("part {path} ({rows} rows): {why}; the other parts are not concerned")]
    Part {
        /// Relative to the store's folder.
        path: String,
        /// Rows that it should hold.
        rows: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A file beside a part cannot be used.
    #[error("{path}: {why}; {of} is read whole instead")]
    Companion {
        /// Relative to the store's folder.
        path: String,
        /// The part that it belongs to.
        of: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file of totals cannot be used.
    #[error("totals {path}: {why}; flows are read instead, as long as they are kept")]
    Totals {
        /// Relative to the store's folder.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A part was named by a damaged line, and is counted again.
    #[error("part {path} ({rows} rows): found again, a damaged line of the manifest must have named it")]
    Found {
        /// Relative to the store's folder.
        path: String,
        /// Rows that it holds.
        rows: u64,
    },
    /// A part that may have been named by a damaged line was moved away.
    #[error("part {path}: moved to {to}, the manifest is damaged and may have named it")]
    SetAside {
        /// Where it was.
        path: String,
        /// Where it is.
        to: String,
    },
    /// A file that is not ours lies among the parts.
    #[error("{path}: not a part of the store, left alone; other readers of the folder may count it")]
    Stranger {
        /// Relative to the store's folder.
        path: String,
    },
    /// A shard's decoder state cannot be read.
    #[error("state of shard {shard} at {path}: {why}; templates have to be learned again")]
    State {
        /// The shard.
        shard: u32,
        /// Relative to the store's folder.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A merged part cannot be moved to where it belongs; it is tried again.
    #[error("part {path}: merged, but waits in incoming/: {why}; readers that do not know the manifest miss its rows")]
    Unplaced {
        /// Where it belongs, relative to the store's folder.
        path: String,
        /// What the disk said.
        why: String,
    },
    /// A file that no longer counts could not be removed; it is tried again at the next cut.
    #[error("{path}: no longer counts, but cannot be removed: {why}")]
    Leftover {
        /// Relative to the store's folder.
        path: String,
        /// What the disk said.
        why: String,
    },
}
