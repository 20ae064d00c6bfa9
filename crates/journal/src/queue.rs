//! What is on its way to the segments' files, and the files that are used again.
//!
//! The thread that appends fills a buffer. When it is full it goes into a short queue, and another thread writes it
//! ([`Queue::write`]); where there is no other thread, or it does not keep up, the appending thread writes itself. Either
//! way chunks reach their files in order and one at a time. What cannot be written stays at the head of the queue.
//!
//! A released segment can become a spare instead of being removed, and the next segment is written over it: its
//! pages are in the system's cache and its blocks on the disk already, which is more than half of what a write costs. A spare has a
//! name of its own, and nothing is written to it before that name is durable: so no crash can bring an old segment's
//! name back with new contents. What is left of the old segment behind the new one's end is no danger: its records
//! have older positions and another salt.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::disk::{self, Disk, File};
use crate::segment::{self, Header};
use crate::sync::{Ledger, lock};
use crate::{JournalError, Position};

/// Chunks that may wait; with the one that is filled they are what a journal holds in memory.
const CHUNKS_MAX: usize = 12;
/// A reused file may stay longer than its segment by so much: looking through that at opening takes no time.
const SURPLUS_BYTES_MAX: u64 = 1 << 20;

/// The file of a segment: made when the first bytes for it are written, so that a full disk does not keep a
/// journal from being opened.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) header: Header,
    pub(crate) path: PathBuf,
    made: OnceLock<Made>,
}

#[derive(Debug)]
struct Made {
    file: Arc<dyn File>,
    /// Its number among the entries made in the folder; see [`Ledger`].
    entry: u64,
    /// What it holds on disk beside what is written to it: it was a spare.
    capacity: u64,
    written: AtomicU64,
}

/// Bytes for a segment.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) target: Arc<Target>,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    /// The last position that is in it.
    pub(crate) through: Position,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Queue {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    waiting: Mutex<Waiting>,
    /// Held by whoever writes: the segment that was written to last.
    writing: Mutex<Option<Arc<Target>>>,
    spares: Mutex<VecDeque<Spare>>,
    spare_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    chunks: VecDeque<Chunk>,
    /// Buffers that were written, to be filled again.
    empty: Vec<Vec<u8>>,
}

/// A segment's file that nobody needs any more.
#[derive(Debug)]
struct Spare {
    path: PathBuf,
    bytes: u64,
    entry: u64,
}

impl Target {
    pub(crate) fn new(dir: &Path, header: Header) -> Arc<Self> {
        Arc::new(Self { header, path: segment::path(dir, header.first), made: OnceLock::new() })
    }

    /// The number of its entry in the folder, once it is there.
    pub(crate) fn entry(&self) -> Option<u64> {
        self.made.get().map(|made| made.entry)
    }

    /// What the file takes on the disk beyond `bytes`.
    pub(crate) fn surplus_bytes(&self, bytes: u64) -> u64 {
        self.made.get().map_or(0, |made| made.capacity.saturating_sub(bytes))
    }

    /// Cuts off what is left of the segment that the file was before.
    fn trim(&self, surplus_max: u64) -> Result<(), JournalError> {
        let Some(Made { file, capacity, written, .. }) = self.made.get() else { return Ok(()) };
        let written = written.load(Ordering::Acquire);
        if *capacity <= written.saturating_add(surplus_max) {
            return Ok(());
        }
        file.set_size(written).map_err(|error| JournalError::io("cut", &self.path, error))
    }
}

impl Queue {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path) -> Self {
        Self {
            disk,
            dir: dir.to_owned(),
            waiting: Mutex::default(),
            writing: Mutex::default(),
            spares: Mutex::default(),
            spare_bytes: AtomicU64::new(0),
        }
    }

    /// Puts a chunk behind those that wait; gives it back where there is no room.
    pub(crate) fn push(&self, chunk: Chunk) -> Result<(), Chunk> {
        let mut waiting = lock(&self.waiting);
        if waiting.chunks.len() >= CHUNKS_MAX {
            return Err(chunk);
        }
        waiting.chunks.push_back(chunk);
        Ok(())
    }

    /// An empty buffer, where one came back.
    pub(crate) fn empty_buffer(&self) -> Option<Vec<u8>> {
        lock(&self.waiting).empty.pop()
    }

    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.waiting).chunks.is_empty()
    }

    /// Writes everything that waits, and then `last`, whose bytes stay with it.
    pub(crate) fn write(&self, ledger: &Ledger, last: Option<&Chunk>) -> Result<(), JournalError> {
        let mut current = lock(&self.writing);
        loop {
            // Only who holds `writing` takes chunks out. The one that is written keeps its place meanwhile.
            let Some(mut chunk) = self.head() else { break };
            let written = self.write_chunk(ledger, &mut current, &chunk);
            let mut waiting = lock(&self.waiting);
            if let Err(error) = written {
                if let Some(head) = waiting.chunks.front_mut() {
                    head.bytes = chunk.bytes;
                }
                return Err(error);
            }
            waiting.chunks.pop_front();
            chunk.bytes.clear();
            waiting.empty.push(chunk.bytes);
        }
        last.map_or(Ok(()), |chunk| self.write_chunk(ledger, &mut current, chunk))
    }

    fn head(&self) -> Option<Chunk> {
        let mut waiting = lock(&self.waiting);
        let Chunk { target, offset, bytes, through } = waiting.chunks.front_mut()?;
        let (target, bytes) = (Arc::clone(target), std::mem::take(bytes));
        Some(Chunk { target, offset: *offset, bytes, through: *through })
    }

    fn write_chunk(
        &self,
        ledger: &Ledger,
        current: &mut Option<Arc<Target>>,
        chunk: &Chunk,
    ) -> Result<(), JournalError> {
        let Chunk { target, offset, bytes, through } = chunk;
        if let Some(before) = current.take_if(|before| !Arc::ptr_eq(before, target)) {
            before.trim(SURPLUS_BYTES_MAX)?;
        }
        *current = Some(Arc::clone(target));
        let made = self.make(ledger, target)?;
        disk::write_full(&*made.file, bytes, *offset)
            .map_err(|error| JournalError::io("write", &target.path, error))?;
        let end = offset + bytes.len() as u64;
        made.written.store(end, Ordering::Release);
        ledger.wrote(&made.file, target, (*offset, end), *through);
        Ok(())
    }

    /// The file of a segment, from a spare where there is one that may be written to.
    fn make<'a>(&self, ledger: &Ledger, target: &'a Target) -> Result<&'a Made, JournalError> {
        if let Some(made) = target.made.get() {
            return Ok(made);
        }
        let (file, capacity) = match self.take_spare(ledger) {
            Some(spare) => {
                let reused = self.disk.rename(&spare.path, &target.path).and_then(|()| self.disk.open(&target.path));
                (reused.map_err(|error| JournalError::io("reuse", &spare.path, error))?, spare.bytes)
            }
            None => {
                let made = self.disk.create(&target.path);
                (made.map_err(|error| JournalError::io("make", &target.path, error))?, 0)
            }
        };
        let made = Made { file, entry: ledger.made_entry(), capacity, written: AtomicU64::new(0) };
        Ok(target.made.get_or_init(|| made))
    }

    /// Cuts off what the segment that was written to last has beyond its last record.
    pub(crate) fn trim(&self) -> Result<(), JournalError> {
        lock(&self.writing).as_ref().map_or(Ok(()), |current| current.trim(0))
    }

    /// Keeps the file of a released segment for later. A file that still has to be synced would be touched by that, so it goes.
    pub(crate) fn spare(&self, ledger: &Ledger, path: &Path, first: Position, bytes: u64) -> std::io::Result<()> {
        if !ledger.is_settled(path) {
            return self.disk.remove(path);
        }
        let to = segment::spare_path(&self.dir, first);
        self.disk.rename(path, &to)?;
        let spare = Spare { path: to, bytes, entry: ledger.made_entry() };
        lock(&self.spares).push_back(spare);
        self.spare_bytes.fetch_add(bytes, Ordering::AcqRel);
        Ok(())
    }

    /// The bytes of all spares.
    pub(crate) fn spare_bytes(&self) -> u64 {
        self.spare_bytes.load(Ordering::Acquire)
    }

    /// Gives a spare's room back; says whether there was one.
    pub(crate) fn remove_spare(&self) -> Result<bool, JournalError> {
        let Some(spare) = self.pop_spare(|_| true) else { return Ok(false) };
        self.disk.remove(&spare.path).map_err(|error| JournalError::io("remove", &spare.path, error))?;
        Ok(true)
    }

    fn take_spare(&self, ledger: &Ledger) -> Option<Spare> {
        self.pop_spare(|spare| ledger.is_entry_synced(spare.entry))
    }

    fn pop_spare(&self, fits: impl FnOnce(&Spare) -> bool) -> Option<Spare> {
        let mut spares = lock(&self.spares);
        let spare = spares.pop_front()?;
        if !fits(&spare) {
            spares.push_front(spare);
            return None;
        }
        self.spare_bytes.fetch_sub(spare.bytes, Ordering::AcqRel);
        Some(spare)
    }
}
