//! Opening: what is there, what is torn, what is damaged.
//!
//! A crash may leave the end of the last segment torn; that is cut off, so that it can never be mistaken
//! for damage later. Everything else that does not read as it was written is left where it is and
//! reported: the disk has lost it, and the journal goes on.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, File};
use crate::queue::Target;
use crate::scan::{Gaps, Heading, Scanner, Window, read_header};
use crate::segment::{self, HEADER_BYTES, Header, RECORD_BYTES_MIN};
use crate::{JournalError, Position};

/// What [`crate::Journal::open`] found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Opened {
    /// The first position that may still be there; `next` where there is none. A cursor before it has been
    /// released, or has lost what lies between: only its owner can tell.
    pub first: Position,
    /// The position that the next delivery gets.
    pub next: Position,
    /// Bytes cut off the end of the last segment: what was being written when the journal stopped, and what was left
    /// there of an older segment whose file it used.
    pub torn_bytes: u64,
    /// What is missing between `first` and `next`, in order.
    pub damaged: Vec<Damaged>,
}

impl Opened {
    /// How many positions are missing.
    pub fn lost(&self) -> u64 {
        self.damaged.iter().map(Damaged::positions).sum()
    }
}

/// Positions that were given out and cannot be read back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Damaged {
    /// The first of them.
    pub first: Position,
    /// The last of them.
    pub last: Position,
    /// How many unsound bytes stand in their place; none where they were never durable.
    pub bytes: u64,
}

impl Damaged {
    /// How many positions that are.
    pub const fn positions(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// A segment that is on the disk.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) first: Position,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) entry: Entry,
}

/// The number of a segment's file among those made in the folder; see [`crate::sync::Ledger`].
#[derive(Debug)]
pub(crate) enum Entry {
    /// It was there at opening.
    Found,
    /// It is of this life, and known once it was made.
    Of(Arc<Target>),
}

impl Entry {
    /// The number; `None` while the file is not there.
    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Self::Found => Some(1),
            Self::Of(target) => target.entry(),
        }
    }
}

/// A segment whose data may not be durable yet, with what its next sync must know.
#[derive(Debug)]
pub(crate) struct Unsettled {
    pub(crate) file: Arc<dyn File>,
    pub(crate) path: PathBuf,
    pub(crate) header: Header,
    pub(crate) bytes: u64,
}

/// Everything that opening learned.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) opened: Opened,
    pub(crate) segments: VecDeque<Segment>,
    pub(crate) unsettled: Vec<Unsettled>,
    /// The position after the last that was given out; `opened.next` may have skipped some since.
    pub(crate) after: Position,
}

/// How the records of a segment end.
enum Tail {
    /// With the file.
    Clean,
    /// Sound up to here; after that, nothing sound any more.
    Torn(u64),
    /// The disk refuses to read on.
    Unreadable,
}

/// Reads the whole journal in `dir`, and cuts off its torn end.
pub(crate) fn recover(disk: &dyn Disk, dir: &Path) -> Result<Recovered, JournalError> {
    disk.create_dir_all(dir).map_err(|error| JournalError::io("make", dir, error))?;
    let names = disk.list(dir).map_err(|error| JournalError::io("list", dir, error))?;
    let mut firsts: Vec<Position> = names.iter().filter_map(|name| segment::first_in_name(name)).collect();
    firsts.sort_unstable();
    for spare in names.iter().filter(|name| segment::is_spare(name)) {
        let path = dir.join(spare);
        disk.remove(&path).map_err(|error| JournalError::io("remove", &path, error))?;
    }

    let mut recovery =
        Recovery { disk, recovered: Recovered::default(), gaps: Gaps::default(), window: Window::default() };
    for (index, first) in firsts.iter().enumerate() {
        recovery.segment(*first, segment::path(dir, *first), index + 1 == firsts.len())?;
    }
    Ok(recovery.finish())
}

struct Recovery<'a> {
    disk: &'a dyn Disk,
    recovered: Recovered,
    gaps: Gaps,
    window: Window,
}

impl Recovery<'_> {
    fn segment(&mut self, first: Position, path: PathBuf, is_last: bool) -> Result<(), JournalError> {
        let file = self.disk.open(&path).map_err(|error| JournalError::io("open", &path, error))?;
        let bytes = file.size().map_err(|error| JournalError::io("measure", &path, error))?;
        match read_header(&*file, first).unwrap_or(Heading::Damaged) {
            Heading::Sound(header) => self.records(file, header, path, bytes, is_last),
            Heading::Older => self.discard(first, &path, 0),
            Heading::Damaged if bytes < (HEADER_BYTES + RECORD_BYTES_MIN) as u64 => self.discard(first, &path, bytes),
            Heading::Damaged => {
                self.headless(first, path, bytes, is_last);
                Ok(())
            }
        }
    }

    /// A segment that was just being made holds nothing yet.
    fn discard(&mut self, first: Position, path: &Path, torn: u64) -> Result<(), JournalError> {
        self.gaps.enter_headless(first, 0);
        self.recovered.opened.torn_bytes += torn;
        self.disk.remove(path).map_err(|error| JournalError::io("remove", path, error))
    }

    /// Without its header a segment cannot be read; what it may have held is lost, and not given out again.
    fn headless(&mut self, first: Position, path: PathBuf, bytes: u64, is_last: bool) {
        self.gaps.enter_headless(first, bytes);
        if is_last {
            self.pass_all_that_may_be_in(first, bytes);
        }
        self.recovered.segments.push_back(Segment { first, path, bytes, entry: Entry::Found });
    }

    fn records(
        &mut self,
        file: Arc<dyn File>,
        header: Header,
        path: PathBuf,
        mut bytes: u64,
        is_last: bool,
    ) -> Result<(), JournalError> {
        self.gaps.enter(&header);
        let (end, tail) = self.scan(&file, &header, bytes);
        match tail {
            Tail::Clean => {}
            Tail::Torn(end) if is_last => {
                file.set_size(end).map_err(|error| JournalError::io("cut", &path, error))?;
                self.recovered.opened.torn_bytes += bytes - end;
                bytes = end;
            }
            Tail::Unreadable if is_last => {
                self.gaps.pass_over(bytes - end);
                self.pass_all_that_may_be_in(header.first, bytes - end);
            }
            Tail::Torn(_) | Tail::Unreadable => self.gaps.pass_over(bytes - end),
        }
        if is_last && bytes == HEADER_BYTES as u64 {
            // Nothing came into it: the segment that is begun now takes its name, and so its place.
            self.recovered.after = header.after;
            return Ok(());
        }
        self.recovered.segments.push_back(Segment {
            first: header.first,
            path: path.clone(),
            bytes,
            entry: Entry::Found,
        });
        self.recovered.unsettled.push(Unsettled { file, path, header, bytes });
        Ok(())
    }

    /// Reads all records, and says where the last sound one ends and what stands behind it.
    fn scan(&mut self, file: &Arc<dyn File>, header: &Header, bytes: u64) -> (u64, Tail) {
        let window = std::mem::take(&mut self.window);
        let mut scanner = Scanner::new(Arc::clone(file), header, 0, bytes, window);
        let tail = loop {
            match scanner.next() {
                Ok(Some(found)) => self.gaps.read(&found),
                Ok(None) if scanner.offset() == bytes => break Tail::Clean,
                Ok(None) => break Tail::Torn(scanner.offset()),
                Err(_) => break Tail::Unreadable,
            }
        };
        let end = scanner.offset();
        self.window = scanner.into_window();
        (end, tail)
    }

    /// Nobody knows which positions these bytes hold, none of them before `first`; so many may be.
    fn pass_all_that_may_be_in(&mut self, first: Position, bytes: u64) {
        let expected = self.gaps.expected.unwrap_or(first).max(first);
        let next = expected.saturating_add(bytes / RECORD_BYTES_MIN as u64);
        self.gaps.reach(next);
        self.gaps.expected = Some(next);
    }

    fn finish(mut self) -> Recovered {
        let next = self.gaps.expected.unwrap_or(1).max(1);
        self.recovered.opened.next = next;
        if self.recovered.after == 0 {
            self.recovered.after = next;
        }
        self.recovered.opened.first = self.recovered.segments.front().map_or(next, |segment| segment.first);
        self.recovered.opened.damaged = self.gaps.damaged;
        self.recovered
    }
}
