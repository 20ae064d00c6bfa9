//! A window on a stream of bytes that knows where in the stream it stands.

use std::io::{self, Read};

use super::CaptureError;

/// Large enough that most blocks fit without growing, and that a read is worth its system call.
const WINDOW_BYTES: usize = 256 << 10;
/// Files are read from a page's beginning to a page's beginning: a copy to any other place takes four times as long on
/// some processors.
const PAGE_BYTES: usize = 4 << 10;

/// The unread part of a stream that was read so far. Grows as far as one block needs, and no further.
#[derive(Debug)]
pub(super) struct Feed<R> {
    reader: R,
    /// Has a page more than it is asked for, since it may begin anywhere.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    exhausted: bool,
}

impl<R: Read> Feed<R> {
    pub(super) fn new(reader: R) -> Self {
        let buffer = vec![0; WINDOW_BYTES + PAGE_BYTES];
        let start = first_page(&buffer);
        Self { reader, buffer, start, end: start, offset: 0, exhausted: false }
    }

    /// Where in the stream [`Self::bytes`] begin.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// What was read and not yet consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The same, to be changed in place.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.end]
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads until there are `count` bytes; false where the stream ends before that.
    pub(super) fn ensure(&mut self, count: usize) -> Result<bool, CaptureError> {
        while self.end - self.start < count && !self.exhausted {
            if self.end >= last_page_end(&self.buffer) {
                self.make_room();
            }
            let room = self.end..last_page_end(&self.buffer);
            match self.reader.read(&mut self.buffer[room]) {
                Ok(0) => self.exhausted = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let offset = self.offset + (self.end - self.start) as u64;
                    return Err(CaptureError::Read { offset, error });
                }
            }
        }
        Ok(self.end - self.start >= count)
    }

    /// Moves what is left to the front, so that it ends where a page does. Doubling while bytes come, rather than
    /// allocating what a length field claims.
    fn make_room(&mut self) {
        let left = self.end - self.start;
        let from = if left > self.buffer.len() / 2 {
            let larger = vec![0; self.buffer.len() * 2];
            Some(std::mem::replace(&mut self.buffer, larger))
        } else {
            None
        };
        let end = first_page(&self.buffer) + left.next_multiple_of(PAGE_BYTES);
        match from {
            Some(before) => self.buffer[end - left..end].copy_from_slice(&before[self.start..self.end]),
            None => self.buffer.copy_within(self.start..self.end, end - left),
        }
        (self.start, self.end) = (end - left, end);
    }
}

/// Where in a buffer the first page begins.
fn first_page(buffer: &[u8]) -> usize {
    buffer.as_ptr().align_offset(PAGE_BYTES).min(PAGE_BYTES)
}

/// Where the last whole page ends.
fn last_page_end(buffer: &[u8]) -> usize {
    let first = first_page(buffer);
    first + (buffer.len() - first) / PAGE_BYTES * PAGE_BYTES
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    /// A file of numbers, which remembers what was read where.
    struct File<'a> {
        at: usize,
        length: usize,
        reads: &'a mut Vec<(usize, usize)>,
    }

    fn byte(at: usize) -> u8 {
        (at % 251) as u8
    }

    impl Read for File<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(self.length - self.at);
            for (at, it) in (self.at..).zip(&mut buffer[..count]) {
                *it = byte(at);
            }
            self.reads.push((self.at, buffer.as_ptr().addr()));
            self.at += count;
            Ok(count)
        }
    }

    /// Takes blocks of this length until the end.
    fn check(block: usize, length: usize) -> Vec<(usize, usize)> {
        let mut reads = Vec::new();
        let mut feed = Feed::new(File { at: 0, length, reads: &mut reads });
        let mut at = 0;
        while feed.ensure(block).unwrap() {
            assert_eq!(feed.offset(), at as u64);
            assert!(feed.bytes()[..block].iter().zip(at..).all(|(it, at)| *it == byte(at)), "{block} bytes at {at}");
            feed.consume(block);
            at += block;
        }
        assert_eq!(feed.bytes().len(), length - at);
        reads
    }

    #[test]
    fn files_are_read_by_whole_pages_to_where_pages_begin() {
        for (at, place) in check(1_007, 5 * WINDOW_BYTES).into_iter().filter(|(at, _)| *at < 4 * WINDOW_BYTES) {
            assert_eq!((at % PAGE_BYTES, place % PAGE_BYTES), (0, 0));
        }
    }

    #[test]
    fn blocks_of_any_length_come_whole() {
        for block in
            [1, PAGE_BYTES - 1, PAGE_BYTES, WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, 3 * WINDOW_BYTES + 5]
        {
            check(block, 7 * WINDOW_BYTES + 11);
        }
    }
}
