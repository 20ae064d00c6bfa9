//! Reading a segment: sound records in order, and how much between them was not sound.

use std::io;
use std::sync::Arc;

use finderscope_wire::delivery::{Delivery, FRAME_BYTES_MAX, FRAME_BYTES_MIN};

use crate::Position;
use crate::disk::{self, File};
use crate::open::Damaged;
use crate::segment::{self, HEADER_BYTES, Header, RECORD_BYTES_MAX, RECORD_BYTES_MIN, RECORD_HEAD_BYTES};

/// How much is read at once; a record of any length fits in it.
const READ_BYTES: usize = 1 << 20;
const _: () = assert!(READ_BYTES >= RECORD_BYTES_MAX);

/// Walks the records of one segment. After damage it looks, byte by byte, for the next sound record.
#[derive(Debug)]
pub(crate) struct Scanner {
    file: Arc<dyn File>,
    salt: u32,
    /// Where the records end that may be read.
    end: u64,
    offset: u64,
    /// The least position that the next record may have.
    expected: Position,
    /// The greatest that any record in so many bytes can have.
    highest: Position,
    window: Window,
}

/// The part of the file that is in memory, reused from segment to segment.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    offset: u64,
    len: usize,
}

/// A sound record that [`Scanner::next`] found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) position: Position,
    /// How many unsound bytes lay before it.
    pub(crate) passed_over: u64,
    offset: u64,
    frame_bytes: usize,
}

impl Scanner {
    /// Reads the records of the segment with `header` that lie between `start` and `end`.
    pub(crate) fn new(file: Arc<dyn File>, header: &Header, start: u64, end: u64, mut window: Window) -> Self {
        window.len = 0;
        let highest = header.first.saturating_add(end / RECORD_BYTES_MIN as u64);
        let offset = start.max(HEADER_BYTES as u64);
        Self { file, salt: header.salt, end, offset, expected: header.first, highest, window }
    }

    /// Where the last sound record ended.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Gives its memory to the next scanner.
    pub(crate) fn into_window(self) -> Window {
        self.window
    }

    /// The next sound record; `None` when there is none any more, whatever else may stand there.
    pub(crate) fn next(&mut self) -> io::Result<Option<Found>> {
        for at in self.offset..self.end.saturating_sub(RECORD_BYTES_MIN as u64 - 1) {
            if let Some((position, frame_bytes)) = self.record_at(at)? {
                let found = Found { position, passed_over: at - self.offset, offset: at, frame_bytes };
                self.offset = at + (RECORD_HEAD_BYTES + frame_bytes) as u64;
                self.expected = position.saturating_add(1);
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The delivery of the record that was found last.
    pub(crate) fn delivery(&self, found: Found) -> Option<Delivery<'_>> {
        let start = (found.offset - self.window.offset) as usize + RECORD_HEAD_BYTES;
        Delivery::decode(&self.window.bytes[start..start + found.frame_bytes]).ok()
    }

    /// Position and length of the record at `at`, where a sound one stands there.
    fn record_at(&mut self, at: u64) -> io::Result<Option<(Position, usize)>> {
        let Some(head) = self.window.load(&*self.file, at, RECORD_HEAD_BYTES, self.end)? else { return Ok(None) };
        let (length, sum) = segment::read_head(head);
        if !(FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(&length) {
            return Ok(None);
        }
        let whole = RECORD_HEAD_BYTES + length;
        let Some(record) = self.window.load(&*self.file, at, whole, self.end)? else { return Ok(None) };
        let frame = &record[RECORD_HEAD_BYTES..];
        // The cheap checks first: most places where no record stands fail them.
        let position = Delivery::decode(frame).ok().map(|delivery| delivery.sequence);
        let position = position.filter(|position| (self.expected..=self.highest).contains(position));
        let sound = position.filter(|_| segment::checksum(frame, self.salt) == sum);
        Ok(sound.map(|position| (position, length)))
    }
}

impl Window {
    /// `count` bytes at `at`; `None` where the file, or `end`, comes before that.
    fn load(&mut self, file: &dyn File, at: u64, count: usize, end: u64) -> io::Result<Option<&[u8]>> {
        if at + count as u64 > end {
            return Ok(None);
        }
        if at < self.offset || at + count as u64 > self.offset + self.len as u64 {
            let wanted = READ_BYTES.min((end - at) as usize);
            self.bytes.resize(self.bytes.len().max(wanted), 0);
            self.len = 0;
            self.len = disk::read_full(file, &mut self.bytes[..wanted], at)?;
            self.offset = at;
        }
        let start = (at - self.offset) as usize;
        Ok((start + count <= self.len).then(|| &self.bytes[start..start + count]))
    }
}

/// What stands where a segment's header should.
pub(crate) enum Heading {
    /// It.
    Sound(Header),
    /// That of an older segment: nothing of the new one came through.
    Older,
    /// Nothing sound.
    Damaged,
}

/// The header of the segment that is named by `first`.
pub(crate) fn read_header(file: &dyn File, first: Position) -> io::Result<Heading> {
    let mut bytes = [0; HEADER_BYTES];
    let count = disk::read_full(file, &mut bytes, 0)?;
    let header = (count == HEADER_BYTES).then(|| Header::decode(&bytes)).flatten();
    Ok(match header {
        Some(header) if header.first == first => Heading::Sound(header),
        Some(header) if header.first < first => Heading::Older,
        _ => Heading::Damaged,
    })
}

/// Follows the positions that are read, and notes those that are missing.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    /// The next position, once one is known.
    pub(crate) expected: Option<Position>,
    pub(crate) damaged: Vec<Damaged>,
    bytes: u64,
}

impl Gaps {
    /// A segment begins.
    pub(crate) fn enter(&mut self, header: &Header) {
        self.reach(header.after.min(header.first));
        self.expected = self.expected.max(Some(header.first));
        self.bytes = 0;
    }

    /// A segment begins that has lost its header. What was expected still is: nobody can tell whether
    /// positions were skipped on purpose there.
    pub(crate) fn enter_headless(&mut self, first: Position, bytes: u64) {
        self.expected = self.expected.or(Some(first));
        self.pass_over(bytes);
    }

    /// A sound record was read.
    pub(crate) fn read(&mut self, found: &Found) {
        self.pass_over(found.passed_over);
        self.reach(found.position);
        self.expected = Some(found.position.saturating_add(1));
        self.bytes = 0;
    }

    /// So many bytes could not be read.
    pub(crate) const fn pass_over(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Everything before `position` has been there; what was not seen of it is missing.
    pub(crate) fn reach(&mut self, position: Position) {
        if let Some(first) = self.expected.filter(|expected| *expected < position) {
            self.damaged.push(Damaged { first, last: position - 1, bytes: self.bytes });
        }
    }
}
