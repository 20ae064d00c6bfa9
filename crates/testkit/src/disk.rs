//! A disk in memory that fills up, fails, and loses at a crash what was not synced.
//!
//! [`FaultyDisk`] keeps, per file, what a program sees and what would survive. [`FaultyDisk::crash`] decides by a
//! seed how much of the difference reached the disk: nothing, everything, a beginning, or sectors at random,
//! as page caches write back in no order. Names come through in the order in which they were made, to some point.
//! Files that were open at a crash are dead afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use finderscope_journal::disk::{Disk, File};

/// What reaches a disk as a whole or not at all.
const SECTOR_BYTES: usize = 512;

/// See the module's documentation. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

/// What a failed sync does to the data that it was for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// The system still shows the data, takes it for clean, and never writes it (ext4, XFS).
    ForgetsToWrite,
    /// The system goes back to what is on the disk (btrfs).
    ForgetsData,
}

#[derive(Debug, Default)]
struct State {
    dirs: BTreeSet<PathBuf>,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    name_changes: Vec<NameChange>,
    capacity_bytes: Option<u64>,
    failing_syncs: Option<(u32, Failure)>,
    unreadable: Vec<(PathBuf, Range<u64>)>,
    crashes: u64,
}

#[derive(Debug, Default)]
struct Inode {
    seen: Vec<u8>,
    durable: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Size(usize),
}

#[derive(Clone, Debug)]
enum NameChange {
    Link(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
}

impl FaultyDisk {
    /// An empty disk without limits or faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets all files together hold so many bytes; `None` lifts the limit.
    pub fn set_capacity_bytes(&self, capacity: Option<u64>) {
        self.state().capacity_bytes = capacity;
    }

    /// Makes the next `count` syncs of files fail.
    pub fn fail_syncs(&self, count: u32, failure: Failure) {
        self.state().failing_syncs = Some((count, failure));
    }

    /// Makes reads fail that touch these bytes of the file.
    pub fn make_unreadable(&self, path: &Path, range: Range<u64>) {
        self.state().unreadable.push((path.to_owned(), range));
    }

    /// Stops everything at this moment. What was not synced is there or not, by `seed`.
    pub fn crash(&self, seed: u64) {
        let mut chance = Chance(seed);
        let state = &mut *self.state();
        state.crashes += 1;
        let kept = chance.below(state.name_changes.len() + 1);
        for change in state.name_changes.drain(..).take(kept) {
            change.apply(&mut state.durable_names);
        }
        state.names = state.durable_names.clone();
        for inode in &mut state.inodes {
            inode.crash(&mut chance);
        }
    }

    /// The paths of all files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// What the file holds.
    pub fn contents(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.state();
        Ok(state.inodes[state.find(path)?].seen.clone())
    }

    /// Puts a file there, durably, over one that was there.
    pub fn put(&self, path: &Path, contents: &[u8]) {
        let mut state = self.state();
        let index = state.inodes.len();
        state.inodes.push(Inode { seen: contents.to_vec(), durable: contents.to_vec(), changes: Vec::new() });
        state.names.insert(path.to_owned(), index);
        state.durable_names.insert(path.to_owned(), index);
        state.dirs.extend(path.parent().map(Path::to_owned));
    }

    /// How many bytes all files hold.
    pub fn used_bytes(&self) -> u64 {
        self.state().used_bytes()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, state: &State, path: &Path, inode: usize) -> Arc<dyn File> {
        Arc::new(Handle { disk: self.clone(), path: path.to_owned(), inode, life: state.crashes })
    }
}

impl Disk for FaultyDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.state().dirs.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        if !state.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let state = self.state();
        let inode = state.find(path)?;
        Ok(self.handle(&state, path, inode))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.state();
        let inode = match state.find(path) {
            Ok(inode) => {
                state.inodes[inode].change(Change::Size(0));
                inode
            }
            Err(_) => {
                state.inodes.push(Inode::default());
                let inode = state.inodes.len() - 1;
                state.change_names(NameChange::Link(path.to_owned(), inode));
                inode
            }
        };
        Ok(self.handle(&state, path, inode))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.find(from)?;
        state.change_names(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.find(path)?;
        state.change_names(NameChange::Unlink(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let state = &mut *self.state();
        let (inside, outside) = state.name_changes.drain(..).partition(|change| change.path().parent() == Some(dir));
        state.name_changes = outside;
        let inside: Vec<NameChange> = inside;
        for change in inside {
            change.apply(&mut state.durable_names);
        }
        Ok(())
    }
}

impl State {
    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    fn used_bytes(&self) -> u64 {
        self.names.values().map(|inode| self.inodes[*inode].seen.len() as u64).sum()
    }
}

impl NameChange {
    fn path(&self) -> &Path {
        match self {
            Self::Link(path, _) | Self::Rename(_, path) | Self::Unlink(path) => path,
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Rename(from, to) => {
                let moved = names.remove(from);
                names.extend(moved.map(|inode| (to.clone(), inode)));
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
        }
    }
}

impl Inode {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.changes.push(change);
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.seen);
        self.changes.clear();
    }

    fn fail_to_sync(&mut self, failure: Failure) {
        self.changes.clear();
        if failure == Failure::ForgetsData {
            self.seen.clone_from(&self.durable);
        }
    }

    fn crash(&mut self, chance: &mut Chance) {
        let changes = std::mem::take(&mut self.changes);
        let kept = match chance.below(4) {
            0 => 0,
            1 => chance.below(changes.len() + 1),
            _ => changes.len(),
        };
        let in_disorder = chance.below(2) == 0;
        for change in changes.iter().take(kept) {
            match change {
                Change::Write { offset, bytes } if in_disorder => tear(*offset, bytes, &mut self.durable, chance),
                _ => change.apply(&mut self.durable),
            }
        }
        self.seen.clone_from(&self.durable);
    }
}

/// Lets each sector of a write reach the disk or not.
fn tear(offset: usize, bytes: &[u8], durable: &mut Vec<u8>, chance: &mut Chance) {
    let mut start = 0;
    while start < bytes.len() {
        let sector_left = SECTOR_BYTES - (offset + start) % SECTOR_BYTES;
        let end = bytes.len().min(start + sector_left);
        if chance.below(8) != 0 {
            Change::Write { offset: offset + start, bytes: bytes[start..end].to_vec() }.apply(durable);
        }
        start = end;
    }
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                contents.resize(contents.len().max(end), 0);
                contents[*offset..end].copy_from_slice(bytes);
            }
            Self::Size(size) => contents.resize(*size, 0),
        }
    }
}

/// An open file, as long as nothing crashes.
#[derive(Debug)]
struct Handle {
    disk: FaultyDisk,
    path: PathBuf,
    inode: usize,
    life: u64,
}

impl Handle {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.crashes != self.life {
            return Err(io::Error::other("this file was open when the machine crashed"));
        }
        Ok(state)
    }
}

impl File for Handle {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.state()?;
        let seen = &state.inodes[self.inode].seen;
        let start = seen.len().min(offset as usize);
        let count = bytes.len().min(seen.len() - start);
        let wanted = offset..offset + count as u64;
        let touches = |bad: &Range<u64>| wanted.start < bad.end && bad.start < wanted.end;
        if state.unreadable.iter().any(|(path, bad)| *path == self.path && touches(bad)) {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        bytes[..count].copy_from_slice(&seen[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state()?;
        let size = state.inodes[self.inode].seen.len() as u64;
        let room = state.capacity_bytes.map_or(u64::MAX, |capacity| capacity.saturating_sub(state.used_bytes()));
        // Only what makes the file longer takes room.
        let writable = (size + room.min(u64::MAX - size)).saturating_sub(offset).min(bytes.len() as u64) as usize;
        if writable == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.inodes[self.inode].change(Change::Write { offset: offset as usize, bytes: bytes[..writable].to_vec() });
        Ok(writable)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.state()?.inodes[self.inode].change(Change::Size(size as usize));
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.state()?.inodes[self.inode].seen.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state()?;
        match state.failing_syncs {
            Some((count, failure)) if count > 0 => {
                state.failing_syncs = Some((count - 1, failure));
                state.inodes[self.inode].fail_to_sync(failure);
                Err(io::Error::from_raw_os_error(EIO))
            }
            _ => {
                state.inodes[self.inode].sync();
                Ok(())
            }
        }
    }
}

const EIO: i32 = 5;

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    /// A number under `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
