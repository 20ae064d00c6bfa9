//! A window on a stream of bytes that knows where in the stream it stands.

use std::io::{self, Read};

use super::CaptureError;

/// Large enough that most blocks fit without growing, and that a read is worth its system call.
const WINDOW_BYTES: usize = 256 << 10;

/// The unread part of a stream that was read so far. Grows as far as one block needs, and no further.
#[derive(Debug)]
pub(super) struct Feed<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    exhausted: bool,
}

impl<R: Read> Feed<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; WINDOW_BYTES], start: 0, end: 0, offset: 0, exhausted: false }
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
            if self.end == self.buffer.len() {
                self.make_room();
            }
            match self.reader.read(&mut self.buffer[self.end..]) {
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

    /// Doubling while bytes come, rather than allocating what a length field claims.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        } else {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }
}
