//! Why a journal did not do what it was asked.

use std::io;
use std::path::{Path, PathBuf};

use finderscope_wire::WireError;

use crate::Position;

/// What went wrong, and whether it is the delivery, the room or the disk.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is no room, on the disk or in the journal's share of it. Nothing was kept of the delivery;
    /// a later one is taken as soon as there is room.
    #[error("no room: the disk, or the journal's share of it, is full")]
    Full,
    /// No frame can hold the delivery.
    #[error("not a delivery that can be kept: {0}")]
    Unfit(#[from] WireError),
    /// The disk failed.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk lost what it had taken, between a failed sync and the next.
    #[error("the disk lost {bytes} bytes of {} that had been written, at or after position {first}", path.display())]
    Lost {
        /// The segment.
        path: PathBuf,
        /// The first position that may be among them.
        first: Position,
        /// How many bytes no longer read as they were written.
        bytes: u64,
    },
}

impl JournalError {
    /// A stable name with few values, for counters and metric labels.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Full => "journal_full",
            Self::Unfit(_) => "journal_unfit",
            Self::Io { .. } => "journal_io",
            Self::Lost { .. } => "journal_lost",
        }
    }

    /// Names the operation that failed; a disk without room becomes [`JournalError::Full`].
    pub(crate) fn io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { operation, path: path.to_owned(), source },
        }
    }
}
