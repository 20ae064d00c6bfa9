//! Whether the disk has room to write anew what is there.

use std::path::Path;

use super::KeepError;
use crate::DiskError;

/// What is held back for the journal and new rows: a share of the disk, and no more than this.
const RESERVE_BYTES_MAX: u64 = 1_000_000_000;
const RESERVE_SHARE: u64 = 20;

/// Refuses where a job that writes `bytes` would take what the journal may need.
pub(crate) fn check(dir: &Path, bytes: u64) -> Result<(), KeepError> {
    let disk = rustix::fs::statvfs(dir).map_err(|error| DiskError::of("ask for the room in", dir)(error.into()))?;
    let (free_bytes, size) = (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize));
    let needed_bytes = bytes.saturating_add(RESERVE_BYTES_MAX.min(size / RESERVE_SHARE));
    if free_bytes < needed_bytes { Err(KeepError::NoRoom { needed_bytes, free_bytes }) } else { Ok(()) }
}
