//! Appending: positions, the buffer that is filled, segments, and room.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Thread;

use finderscope_wire::delivery::{DATAGRAM_BYTES_MAX, Delivery, FRAME_BYTES_MAX};

use crate::disk::{Disk, RealDisk};
use crate::open::{self, Entry, Opened, Segment};
use crate::queue::{Chunk, Target};
use crate::replay::{Piece, Replay};
use crate::segment::{self, HEADER_BYTES, Header, RECORD_BYTES_MAX, RECORD_HEAD_BYTES};
use crate::sync::{Progress, Shared, SyncHandle};
use crate::{JournalError, Position};

/// How much is gathered in memory before it is written.
const BUFFER_BYTES: usize = 128 << 10;
/// With room for the record that does not fit any more, and the next segment's header.
const BUFFER_CAPACITY: usize = BUFFER_BYTES + RECORD_BYTES_MAX + HEADER_BYTES;
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
    /// What released segments' files may keep of the disk, to be used again.
    spare_bytes_max: u64,
    refused: u64,
    /// Appends since the disk was found full; nothing while it is not.
    full_since: Option<u32>,
    /// Who writes what is handed over.
    helper: Option<Thread>,
    shared: Arc<Shared>,
}

/// The segment that grows.
#[derive(Debug)]
struct Active {
    target: Arc<Target>,
    /// Written, or on its way.
    handed_bytes: u64,
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
        let mut buffer = Vec::with_capacity(BUFFER_CAPACITY);
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
            spare_bytes_max: 0,
            refused: 0,
            full_since: None,
            helper: None,
            shared,
        })
    }

    /// Lets released segments' files keep so much of the disk, to be written over by later segments: that costs less
    /// than half of what writing new files does.
    pub fn reuse_files(&mut self, spare_bytes_max: u64) {
        self.spare_bytes_max = spare_bytes_max.min(self.options.limit_bytes / 4);
    }

    /// From now on `helper` is woken when there is something to write; it must then call [`SyncHandle::write`].
    pub fn write_beside(&mut self, helper: Thread) {
        self.helper = Some(helper);
    }

    /// What was found at opening.
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The position that the next delivery gets.
    pub const fn next_position(&self) -> Position {
        self.next
    }

    /// The bytes of all segments and of files to be used again, with what is still to be written.
    pub fn bytes(&self) -> u64 {
        let active = self.active_bytes();
        self.closed_bytes + active + self.active.target.surplus_bytes(active) + self.shared.queue.spare_bytes()
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
        segment::seal(&mut self.buffer[start..], self.active.target.header.salt);
        self.next += 1;
        self.last = position;
        self.shared.appended(position);
        Ok(position)
    }

    /// Sees to it that a record of so many bytes has its place in the limit, the segment and the buffer.
    fn make_room(&mut self, bytes: usize) -> Result<(), JournalError> {
        if self.is_beyond_limit(bytes) {
            self.remove_released()?;
            while self.is_beyond_limit(bytes) {
                if !self.shared.queue.remove_spare()? {
                    return Err(JournalError::Full);
                }
            }
        }
        let begun = self.next > self.active.target.header.first;
        if begun && self.active_bytes() + bytes as u64 > self.options.segment_bytes {
            self.hand_over_unless_full()?;
            self.begin_segment(self.next, self.next);
        }
        if self.buffer.len() + bytes > BUFFER_BYTES {
            self.hand_over_unless_full()?;
        }
        Ok(())
    }

    /// What lies in a reused file behind the segment's end is written over, and so needs no more room.
    fn is_beyond_limit(&self, bytes: usize) -> bool {
        let surplus = self.active.target.surplus_bytes(self.active_bytes());
        self.bytes() - surplus + surplus.max(bytes as u64) > self.options.limit_bytes
    }

    const fn active_bytes(&self) -> u64 {
        self.active.handed_bytes + self.buffer.len() as u64
    }

    fn hand_over_unless_full(&mut self) -> Result<(), JournalError> {
        if let Some(appends) = &mut self.full_since {
            *appends += 1;
            if *appends % APPENDS_PER_TRY != 0 {
                return Err(JournalError::Full);
            }
        }
        self.hand_over()
    }

    /// Leaves everything to the thread of [`Self::write_beside`]. Where there is none, or it has too much to do
    /// already, this is [`Self::flush`].
    pub fn hand_over(&mut self) -> Result<(), JournalError> {
        let Some(helper) = self.helper.as_ref().filter(|_| self.full_since.is_none()) else { return self.flush() };
        if self.buffer.is_empty() {
            return Ok(());
        }
        let empty = self.shared.queue.empty_buffer().unwrap_or_else(|| Vec::with_capacity(BUFFER_CAPACITY));
        let bytes = std::mem::replace(&mut self.buffer, empty);
        let handed_bytes = bytes.len() as u64;
        match self.shared.queue.push(self.chunk(bytes)) {
            Ok(()) => {
                helper.unpark();
                self.active.handed_bytes += handed_bytes;
                Ok(())
            }
            Err(chunk) => {
                self.buffer = chunk.bytes;
                self.flush()
            }
        }
    }

    /// Hands everything to the operating system. When that fails, it all stays in memory, and is
    /// written to the same place again: what a full disk took of it is not counted as written.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        if self.buffer.is_empty() && self.shared.queue.is_empty() {
            return Ok(());
        }
        let written = self.write_all();
        self.full_since = match &written {
            Err(JournalError::Full) => self.full_since.or(Some(0)),
            _ => None,
        };
        written
    }

    fn write_all(&mut self) -> Result<(), JournalError> {
        let bytes = std::mem::take(&mut self.buffer);
        let chunk = self.chunk(bytes);
        let last = (!chunk.bytes.is_empty()).then_some(&chunk);
        let written = self.shared.queue.write(&self.shared.ledger, last);
        self.buffer = chunk.bytes;
        written?;
        self.active.handed_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn chunk(&self, bytes: Vec<u8>) -> Chunk {
        let Active { target, handed_bytes } = &self.active;
        Chunk { target: Arc::clone(target), offset: *handed_bytes, bytes, through: self.next - 1 }
    }

    /// Closes the active segment, which was handed over, and begins one whose first position is `first`.
    fn begin_segment(&mut self, first: Position, after: Position) {
        let next = Active::begin(&self.dir, first, after, &mut self.buffer);
        let Active { target, handed_bytes: bytes } = std::mem::replace(&mut self.active, next);
        if bytes > 0 {
            self.closed_bytes += bytes;
            let (first, path) = (target.header.first, target.path.clone());
            self.closed.push_back(Segment { first, path, bytes, entry: Entry::Of(target) });
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
        if self.next == self.active.target.header.first && self.active.handed_bytes == 0 {
            // Nothing came into it, so it was never made: the new one takes its place.
            self.buffer.clear();
            self.begin_segment(position, self.active.target.header.after);
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
            let Shared { queue, ledger, .. } = &*self.shared;
            let done = match queue.spare_bytes() + front.bytes <= self.spare_bytes_max {
                true => queue.spare(ledger, &front.path, front.first, front.bytes),
                false => self.disk.remove(&front.path),
            };
            match done {
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
            Some(successor) => (successor.first, successor.entry.number()),
            None => (self.active.target.header.first, self.active.target.entry()),
        };
        first <= self.released_before && entry.is_some_and(|entry| self.shared.ledger.is_entry_synced(entry))
    }

    /// Writes everything, and cuts off what a reused file has beyond it: for the end of a life. Without this
    /// the next opening looks through it in vain.
    pub fn finish(&mut self) -> Result<(), JournalError> {
        self.flush()?;
        self.shared.queue.trim()
    }

    /// Reads what was flushed so far, from `from` on. The reader is on its own: the journal goes on beside it.
    pub fn replay(&self, from: Position) -> Replay {
        let closed = self.closed.iter().map(|segment| (segment.first, segment.path.clone(), segment.bytes));
        let Active { target, handed_bytes } = &self.active;
        let active = (*handed_bytes > 0).then(|| (target.header.first, target.path.clone(), *handed_bytes));
        let pieces = closed.chain(active).map(|(first, path, bytes)| Piece { first, path, bytes });
        Replay::new(Arc::clone(&self.disk), from, self.last.min(self.progress().written), pieces.collect())
    }
}

impl Active {
    /// A segment for positions from `first` on, where those before it end at `after`.
    fn begin(dir: &Path, first: Position, after: Position, buffer: &mut Vec<u8>) -> Self {
        let header = Header { salt: segment::new_salt(), first, after };
        buffer.extend_from_slice(&header.encode());
        Self { target: Target::new(dir, header), handed_bytes: 0 }
    }
}
