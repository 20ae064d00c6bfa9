//! One writer at a time: an exclusive lock on `<data>/lock`, with its holder's name inside.
//!
//! The kernel lets go of the lock with the process, however it ends, so there is nothing to clean up.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::{DiskError, StoreError};

/// The right to write, held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock for this process, or says who has it.
    pub(crate) fn take(path: &Path, command: &str) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o640);
        let mut file = options.open(path).map_err(DiskError::of("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(holder(&mut file)),
            Err(TryLockError::Error(error)) => return Err(DiskError::of("lock", path)(error).into()),
        }
        // One line each, whatever the command holds.
        let command: String = command.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        file.set_len(0).map_err(DiskError::of("write", path))?;
        file.write_all(format!("{}\n{command}\n", std::process::id()).as_bytes())
            .map_err(DiskError::of("write", path))?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> StoreError {
    let mut text = String::new();
    // Who cannot be named holds the lock all the same.
    let read = file.read_to_string(&mut text).is_ok();
    let mut lines = text.lines();
    let pid = lines.next().filter(|_| read).and_then(|pid| pid.parse().ok()).unwrap_or(0);
    StoreError::Locked { pid, command: lines.next().unwrap_or("which has not said what it is").to_owned() }
}
