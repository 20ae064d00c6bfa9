//! Making it durable, beside the thread that appends.
//!
//! Whoever writes tells the [`Ledger`] what; [`SyncHandle::sync`] takes a copy of that, waits for the
//! disk without holding a lock that the journal needs, and then says how far everything is durable.
//!
//! A failed sync is not simply tried again: the system may have marked the pages clean, and the next sync
//! would succeed without them. So the written range is read back, checked, and written once more first.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{self, Disk, File};
use crate::open::Recovered;
use crate::queue::{Queue, Target};
use crate::scan::{Scanner, Window};
use crate::segment::{HEADER_BYTES, Header};
use crate::{JournalError, Position};

const COPY_BYTES: usize = 1 << 20;

/// How far the journal has come; each is the last position that has reached its stage, 0 before the first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// Taken into the journal's memory: lost when the process dies.
    pub appended: Position,
    /// Handed to the operating system: survives the process.
    pub written: Position,
    /// Durable: survives the machine.
    pub synced: Position,
}

/// Writes and syncs a journal from any thread.
#[derive(Clone, Debug)]
pub struct SyncHandle {
    shared: Arc<Shared>,
}

/// What the journal and its handles both know.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: Ledger,
    pub(crate) queue: Queue,
    appended: AtomicU64,
    synced: AtomicU64,
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Held throughout a sync, by nobody else: two syncs at a time would claim each other's work.
    syncing: Mutex<()>,
}

/// What was written, and how much of it is durable.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Changes under the lock of `unsynced`.
    written: AtomicU64,
    unsynced: Mutex<Unsynced>,
}

/// What a sync has to do.
#[derive(Clone, Debug, Default)]
struct Unsynced {
    files: Vec<Dirty>,
    /// Files made in the folder since the journal began; each has its number.
    entries: u64,
    /// The last of them whose name is durable.
    entries_synced: u64,
}

/// A segment with data that is not durable.
#[derive(Clone, Debug)]
struct Dirty {
    file: Arc<dyn File>,
    path: PathBuf,
    header: Header,
    /// Durable up to here.
    clean: u64,
    /// Written up to here.
    end: u64,
    /// A sync of it has failed.
    suspect: bool,
}

impl Shared {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path, recovered: &mut Recovered) -> Self {
        let last = recovered.opened.next - 1;
        Self {
            ledger: Ledger::new(last, recovered),
            queue: Queue::new(Arc::clone(&disk), dir),
            appended: AtomicU64::new(last),
            synced: AtomicU64::new(recovered.opened.first - 1),
            disk,
            dir: dir.to_owned(),
            syncing: Mutex::new(()),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        // In this order a position is never seen further than its earlier stages.
        let synced = self.synced.load(Ordering::Acquire);
        let written = self.ledger.written.load(Ordering::Acquire);
        Progress { appended: self.appended.load(Ordering::Acquire), written, synced }
    }

    pub(crate) fn appended(&self, position: Position) {
        self.appended.store(position, Ordering::Release);
    }

    pub(crate) fn sync(&self) -> Result<Position, JournalError> {
        let queued = self.queue.write(&self.ledger, None);
        let synced = self.sync_written()?;
        queued.map(|()| synced)
    }

    fn sync_written(&self) -> Result<Position, JournalError> {
        let _alone = lock(&self.syncing);
        let (todo, written) = {
            let unsynced = lock(&self.ledger.unsynced);
            (unsynced.clone(), self.ledger.written.load(Ordering::Acquire))
        };
        for dirty in &todo.files {
            let outcome = dirty.settle();
            self.ledger.settled(dirty, &outcome);
            outcome?;
        }
        if todo.entries > todo.entries_synced {
            self.disk.sync_dir(&self.dir).map_err(|error| JournalError::io("sync", &self.dir, error))?;
            lock(&self.ledger.unsynced).entries_synced = todo.entries;
        }
        self.synced.store(written, Ordering::Release);
        Ok(written)
    }
}

impl Ledger {
    fn new(last: Position, recovered: &mut Recovered) -> Self {
        let files = recovered.unsettled.drain(..).map(|found| Dirty {
            file: found.file,
            path: found.path,
            header: found.header,
            clean: 0,
            end: found.bytes,
            suspect: false,
        });
        let unsynced = Unsynced {
            files: files.collect(),
            entries: if recovered.segments.is_empty() { 0 } else { 1 },
            entries_synced: 0,
        };
        Self { written: AtomicU64::new(last), unsynced: Mutex::new(unsynced) }
    }

    /// A file was made or renamed; the number is for [`Self::is_entry_synced`].
    pub(crate) fn made_entry(&self) -> u64 {
        let mut unsynced = lock(&self.unsynced);
        unsynced.entries += 1;
        unsynced.entries
    }

    pub(crate) fn is_entry_synced(&self, entry: u64) -> bool {
        entry <= lock(&self.unsynced).entries_synced
    }

    /// Whether nothing of the file is left to be made durable.
    pub(crate) fn is_settled(&self, path: &Path) -> bool {
        lock(&self.unsynced).files.iter().all(|dirty| dirty.path != path)
    }

    /// The segment's file was written from `start` to `end`, which holds everything through `position`.
    pub(crate) fn wrote(&self, file: &Arc<dyn File>, target: &Target, (start, end): (u64, u64), position: Position) {
        let mut unsynced = lock(&self.unsynced);
        match unsynced.files.iter_mut().find(|dirty| dirty.path == target.path) {
            Some(dirty) => dirty.end = end,
            None => unsynced.files.push(Dirty {
                file: Arc::clone(file),
                path: target.path.clone(),
                header: target.header,
                clean: start,
                end,
                suspect: false,
            }),
        }
        self.written.store(position, Ordering::Release);
    }

    /// Notes how the sync of one file went; the journal may have written more to it meanwhile.
    fn settled(&self, done: &Dirty, outcome: &Result<(), JournalError>) {
        let mut unsynced = lock(&self.unsynced);
        let Some(index) = unsynced.files.iter().position(|dirty| dirty.path == done.path) else { return };
        match outcome {
            Ok(()) if unsynced.files[index].end == done.end => drop(unsynced.files.swap_remove(index)),
            Ok(()) => {
                unsynced.files[index].clean = done.end;
                unsynced.files[index].suspect = false;
            }
            // What is lost has been said once; the rest was written again and waits for its sync.
            Err(JournalError::Lost { .. }) => unsynced.files[index].suspect = false,
            Err(_) => unsynced.files[index].suspect = true,
        }
    }
}

impl Dirty {
    fn settle(&self) -> Result<(), JournalError> {
        let lost = if self.suspect { self.write_again()? } else { 0 };
        if lost > 0 {
            return Err(JournalError::Lost { path: self.path.clone(), first: self.header.first, bytes: lost });
        }
        self.file.sync_data().map_err(|error| JournalError::io("sync", &self.path, error))
    }

    /// Makes the range dirty once more, and says how many bytes of it are not sound records any more.
    fn write_again(&self) -> Result<u64, JournalError> {
        let mut chunk = vec![0; COPY_BYTES];
        let mut offset = self.clean;
        while offset < self.end {
            let wanted = COPY_BYTES.min((self.end - offset) as usize);
            let count = disk::read_full(&*self.file, &mut chunk[..wanted], offset)
                .map_err(|error| JournalError::io("read back", &self.path, error))?;
            if count == 0 {
                break;
            }
            disk::write_full(&*self.file, &chunk[..count], offset)
                .map_err(|error| JournalError::io("write again", &self.path, error))?;
            offset += count as u64;
        }
        self.unsound_bytes().map_err(|error| JournalError::io("read back", &self.path, error))
    }

    fn unsound_bytes(&self) -> std::io::Result<u64> {
        let mut scanner = Scanner::new(Arc::clone(&self.file), &self.header, self.clean, self.end, Window::default());
        let mut bytes = 0;
        while let Some(found) = scanner.next()? {
            bytes += found.passed_over;
        }
        // An empty segment ends in its header.
        Ok(bytes + self.end.saturating_sub(scanner.offset().max(HEADER_BYTES as u64)))
    }
}

impl SyncHandle {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Writes what the journal handed over ([`crate::Journal::hand_over`]). What cannot be written stays, and is tried
    /// again by the next call of this or [`Self::sync`], or by the journal itself.
    pub fn write(&self) -> Result<(), JournalError> {
        self.shared.queue.write(&self.shared.ledger, None)
    }

    /// Makes everything durable that was handed over or flushed before the call, and says through which position that is.
    ///
    /// After [`JournalError::Lost`] the next call goes on without what is lost; opening will report it.
    pub fn sync(&self) -> Result<Position, JournalError> {
        self.shared.sync()
    }

    /// How far the journal has come.
    pub fn progress(&self) -> Progress {
        self.shared.progress()
    }
}

/// A thread that panicked while it held the lock left nothing half done: every change here is one step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
