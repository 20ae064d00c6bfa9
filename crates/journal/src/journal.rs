//! Appending: positions, the write buffer, segments, and room.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use finderscope_wire::delivery::{DATAGRAM_BYTES_MAX, Delivery, FRAME_BYTES_MAX};

use crate::disk::{self, Disk, File, RealDisk};
use crate::open::{self, Opened, Segment};
use crate::replay::{Piece, Replay};
use crate::segment::{self, HEADER_BYTES, Header, RECORD_BYTES_MAX, RECORD_HEAD_BYTES};
use crate::sync::{Progress, Shared, SyncHandle};
use crate::{JournalError, Position};

/// How much is gathered in memory before it is written.
const BUFFER_BYTES: usize = 1 << 20;
/// The most that a record takes beside its datagram.
const RECORD_OVERHEAD_BYTES_MAX: usize = RECORD_HEAD_BYTES + FRAME_BYTES_MAX - DATAGRAM_BYTES_MAX;
/// While the disk is full, only every so many appends try to write: each try is a system call.
const APPENDS_PER_TRY: u32 = 64;

/// How large a journal may become.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// When a segment is this long, the next is begun. At most a quarter of the limit is used, so that
    /// what [`Journal::release`] frees is always enough to go on.
    pub segment_bytes: u64,
    /// The journal's share of the disk; it refuses what would take it further.
    pub limit_bytes: u64,
}

impl Default for Options {
    /// Segments of 64 MiB, 4 GiB in all.
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, limit_bytes: 4 << 30 }
    }
}

/// The log of one shard. It belongs to the thread that appends; see the crate's documentation.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: Options,
    opened: Opened,
    next: Position,
    /// The last position that a delivery got; `next` may have skipped some since.
    last: Position,
    /// The segments before the active one, oldest first.
    closed: VecDeque<Segment>,
    active: Active,
    /// What the active segment lacks on disk.
    buffer: Vec<u8>,
    /// Of the closed segments.
    closed_bytes: u64,
    released_before: Position,
    refused: u64,
    /// Appends since the disk was found full; nothing while it is not.
    full_since: Option<u32>,
    shared: Arc<Shared>,
}

/// The segment that grows. Its file is made when there is something to write, so that a full disk does
/// not keep a journal from being opened.
#[derive(Debug)]
struct Active {
    header: Header,
    path: PathBuf,
    file: Option<(Arc<dyn File>, u64)>,
    written_bytes: u64,
}

impl Journal {
    /// Opens the journal in `dir`, or begins one there.
    pub fn open(dir: &Path, options: Options) -> Result<Self, JournalError> {
        Self::open_on(Arc::new(RealDisk), dir, options)
    }

    /// Opens the journal in `dir` of `disk`, or begins one there. What was there is never written to again:
    /// the next delivery begins a new segment.
    pub fn open_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Self, JournalError> {
        let mut recovered = open::recover(&*disk, dir)?;
        let shared = Arc::new(Shared::new(Arc::clone(&disk), dir, &mut recovered));
        let next = recovered.opened.next;
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + RECORD_BYTES_MAX + HEADER_BYTES);
        Ok(Self {
            active: Active::begin(dir, next, recovered.after, &mut buffer),
            last: recovered.after - 1,
            disk,
            dir: dir.to_owned(),
            options: Options { segment_bytes: options.segment_bytes.min(options.limit_bytes / 4), ..options },
            next,
            closed_bytes: recovered.segments.iter().map(|segment| segment.bytes).sum(),
            closed: recovered.segments,
            opened: recovered.opened,
            buffer,
            released_before: 0,
            refused: 0,
            full_since: None,
            shared,
        })
    }

    /// What was found at opening.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The position that the next delivery gets.
    pub const fn next_position(&self) -> Position {
        self.next
    }

    /// The bytes of all segments, with what is still to be written.
    pub const fn bytes(&self) -> u64 {
        self.closed_bytes + self.active.written_bytes + self.buffer.len() as u64
    }

    /// How many deliveries were refused since opening, for whatever reason.
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// How far everything has come.
    pub fn progress(&self) -> Progress {
        self.shared.progress()
    }

    /// A handle with which any thread can sync.
    pub fn sync_handle(&self) -> SyncHandle {
        SyncHandle::new(Arc::clone(&self.shared))
    }

    /// Takes a copy of `delivery`, and says which position it got; its own sequence does not matter.
    ///
    /// Seldom writes and never syncs. On an error nothing of the delivery was kept.
    pub fn append(&mut self, delivery: &Delivery<'_>) -> Result<Position, JournalError> {
        let appended = self.try_append(delivery);
        if appended.is_err() {
            self.refused += 1;
        }
        appended
    }

    fn try_append(&mut self, delivery: &Delivery<'_>) -> Result<Position, JournalError> {
        self.make_room(RECORD_OVERHEAD_BYTES_MAX + delivery.bytes.len())?;
        let position = self.next;
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; RECORD_HEAD_BYTES]);
        if let Err(error) = (Delivery { sequence: position, ..*delivery }).encode(&mut self.buffer) {
            self.buffer.truncate(start);
            return Err(error.into());
        }
        segment::seal(&mut self.buffer[start..], self.active.header.salt);
        self.next += 1;
        self.last = position;
        self.shared.appended(position);
        Ok(position)
    }

    /// Sees to it that a record of so many bytes has its place in the limit, the segment and the buffer.
    fn make_room(&mut self, bytes: usize) -> Result<(), JournalError> {
        if self.bytes() + bytes as u64 > self.options.limit_bytes {
            self.remove_released()?;
            if self.bytes() + bytes as u64 > self.options.limit_bytes {
                return Err(JournalError::Full);
            }
        }
        if self.next > self.active.header.first && self.active_bytes() + bytes as u64 > self.options.segment_bytes {
            self.flush_unless_full()?;
            self.begin_segment(self.next, self.next);
        }
        if self.buffer.len() + bytes > BUFFER_BYTES {
            self.flush_unless_full()?;
        }
        Ok(())
    }

    const fn active_bytes(&self) -> u64 {
        self.active.written_bytes + self.buffer.len() as u64
    }

    fn flush_unless_full(&mut self) -> Result<(), JournalError> {
        if let Some(appends) = &mut self.full_since {
            *appends += 1;
            if *appends % APPENDS_PER_TRY != 0 {
                return Err(JournalError::Full);
            }
        }
        self.flush()
    }

    /// Hands everything to the operating system. When that fails, it all stays in the buffer, and is
    /// written to the same place again: what a full disk took of it is not counted as written.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.write_buffer();
        self.full_since = match &written {
            Err(JournalError::Full) => self.full_since.or(Some(0)),
            _ => None,
        };
        written
    }

    fn write_buffer(&mut self) -> Result<(), JournalError> {
        let Active { header, path, file, written_bytes } = &mut self.active;
        let (file, _) = match file {
            Some(made) => made,
            None => {
                let made = self.disk.create(path).map_err(|error| JournalError::io("make", path, error))?;
                file.insert((made, self.shared.made_entry()))
            }
        };
        let end = *written_bytes + self.buffer.len() as u64;
        disk::write_full(&**file, &self.buffer, *written_bytes)
            .map_err(|error| JournalError::io("write", path, error))?;
        self.shared.wrote(file, path, header, (*written_bytes, end), self.next - 1);
        *written_bytes = end;
        self.buffer.clear();
        Ok(())
    }

    /// Closes the active segment, whose buffer is written, and begins one whose first position is `first`.
    fn begin_segment(&mut self, first: Position, after: Position) {
        let next = Active::begin(&self.dir, first, after, &mut self.buffer);
        let done = std::mem::replace(&mut self.active, next);
        if let Some((_, entry)) = done.file {
            self.closed_bytes += done.written_bytes;
            let (first, bytes) = (done.header.first, done.written_bytes);
            self.closed.push_back(Segment { first, path: done.path, bytes, entry });
        }
        self.next = first;
    }

    /// Makes durable what was appended through `position`, waiting for the disk: a cut's way.
    pub fn sync_through(&mut self, position: Position) -> Result<(), JournalError> {
        if self.progress().written < position {
            self.flush()?;
        }
        if self.progress().synced < position {
            self.shared.sync()?;
        }
        Ok(())
    }

    /// Goes on at `position`, in a new segment; does nothing when that has been passed already.
    /// Another journal's or an older life's positions are so never given out again.
    pub fn skip_to(&mut self, position: Position) -> Result<(), JournalError> {
        if position <= self.next {
            return Ok(());
        }
        if self.next == self.active.header.first && self.active.file.is_none() {
            // Nothing came into it, so it was never made: the new one takes its place.
            self.buffer.clear();
            self.begin_segment(position, self.active.header.after);
        } else {
            self.flush()?;
            self.begin_segment(position, self.next);
        }
        self.shared.appended(position - 1);
        Ok(())
    }

    /// Says that nobody will ask for positions before `before` again. Segments that lie wholly before it
    /// are removed, as soon as what follows them is durable.
    pub fn release(&mut self, before: Position) -> Result<(), JournalError> {
        self.released_before = self.released_before.max(before);
        self.remove_released()
    }

    fn remove_released(&mut self) -> Result<(), JournalError> {
        while self.is_front_released() {
            let Some(front) = self.closed.front() else { return Ok(()) };
            match self.disk.remove(&front.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(JournalError::io("remove", &front.path, error));
                }
                _ => self.closed_bytes -= front.bytes,
            }
            self.closed.pop_front();
        }
        Ok(())
    }

    /// Whether the oldest segment can go. Its successor's name carries the positions on, so that must
    /// have come through to the disk.
    fn is_front_released(&self) -> bool {
        if self.closed.is_empty() {
            return false;
        }
        let (first, entry) = match self.closed.get(1) {
            Some(successor) => (successor.first, successor.entry),
            None => match &self.active.file {
                Some((_, entry)) => (self.active.header.first, *entry),
                None => return false,
            },
        };
        first <= self.released_before && self.shared.is_entry_synced(entry)
    }

    /// Reads what was flushed so far, from `from` on. The reader is on its own: the journal goes on beside it.
    pub fn replay(&self, from: Position) -> Replay {
        let closed = self.closed.iter().map(|segment| (segment.first, segment.path.clone(), segment.bytes));
        let active = self.active.file.iter().map(|_| {
            let Active { header, path, written_bytes, .. } = &self.active;
            (header.first, path.clone(), *written_bytes)
        });
        let pieces = closed.chain(active).map(|(first, path, bytes)| Piece { first, path, bytes });
        Replay::new(Arc::clone(&self.disk), from, self.last.min(self.progress().written), pieces.collect())
    }
}

impl Active {
    /// A segment for positions from `first` on, where those before it end at `after`.
    fn begin(dir: &Path, first: Position, after: Position, buffer: &mut Vec<u8>) -> Self {
        let header = Header { salt: segment::new_salt(), first, after };
        buffer.extend_from_slice(&header.encode());
        Self { header, path: segment::path(dir, first), file: None, written_bytes: 0 }
    }
}
