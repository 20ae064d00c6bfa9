//! Datagrams as lines of hexadecimal digits: what the tunnel script `sflow_fwd.py` prints, and what can be made by hand.
//!
//! A line is one datagram and nothing else: no time, no sender. Lower case is what is written; upper case, blanks and a
//! carriage return are understood, too, and an empty line is no datagram.

use std::io::Read;

use super::feed::Feed;
use super::{CaptureError, digits};

/// The most that UDP carries, and a blank between any two of its bytes.
const LINE_BYTES_MAX: usize = 3 * 65_507;

/// Reads lines of digits, datagram by datagram.
#[derive(Debug)]
pub struct HexLines<R> {
    feed: Feed<R>,
    /// The last line, which stays in the feed until the next is asked for.
    consumed_next: usize,
    /// Whether the line that is under way is too long already.
    overlong: bool,
    datagrams: u64,
    skipped: u64,
}

impl<R: Read> HexLines<R> {
    /// `reader` needs no buffer of its own.
    pub fn new(reader: R) -> Self {
        Self { feed: Feed::new(reader), consumed_next: 0, overlong: false, datagrams: 0, skipped: 0 }
    }

    /// The next datagram; none at the end. Lines that are none are counted and stepped over. After an error there is nothing
    /// more, unless it is only a [pause](CaptureError::is_pause).
    pub fn read(&mut self) -> Result<Option<&[u8]>, CaptureError> {
        let length = loop {
            self.feed.consume(std::mem::take(&mut self.consumed_next));
            let Some(line) = self.line()? else { return Ok(None) };
            self.consumed_next = line + 1;
            let overlong = std::mem::take(&mut self.overlong);
            match digits::decode(&mut self.feed.bytes_mut()[..line]) {
                Ok(0) if !overlong => {}
                Ok(length) if !overlong => break length,
                _ => self.skipped += 1,
            }
        };
        self.datagrams += 1;
        Ok(Some(&self.feed.bytes()[..length]))
    }

    /// How long the next line is; none at the end. Of one that is too long, its last part.
    fn line(&mut self) -> Result<Option<usize>, CaptureError> {
        let mut length = 0;
        while self.feed.ensure(length + 1)? {
            if self.feed.bytes()[length] == b'\n' {
                return Ok(Some(length));
            }
            length += 1;
            if length > LINE_BYTES_MAX {
                self.feed.consume(length);
                (self.overlong, length) = (true, 0);
            }
        }
        // The last one may have no end.
        Ok((length > 0 || self.overlong).then_some(length))
    }

    /// How many datagrams there were so far.
    pub const fn datagrams(&self) -> u64 {
        self.datagrams
    }

    /// How many lines were none.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    /// The datagrams, and how many lines were none.
    fn read(text: &str) -> (Vec<Vec<u8>>, u64) {
        let mut lines = HexLines::new(text.as_bytes());
        let mut datagrams = Vec::new();
        while let Some(datagram) = lines.read().unwrap() {
            datagrams.push(datagram.to_vec());
        }
        assert_eq!(lines.datagrams(), datagrams.len() as u64);
        (datagrams, lines.skipped())
    }

    #[test]
    fn a_line_is_a_datagram_whatever_it_looks_like() {
        let wanted = vec![vec![0xDE, 0xAD], vec![1], vec![2, 3]];
        assert_eq!(read("dead\n01\n0203\n"), (wanted.clone(), 0));
        assert_eq!(read("\nDE ad\r\n\r\n  01\n0203"), (wanted, 0));
        assert_eq!(read(""), (vec![], 0));
    }

    #[test]
    fn lines_that_are_none_cost_themselves_alone() {
        assert_eq!(read("01\nnothing\n02\n123\n03"), (vec![vec![1], vec![2], vec![3]], 2));
        for length in [LINE_BYTES_MAX + 1, LINE_BYTES_MAX + 2, 3 * LINE_BYTES_MAX] {
            let long = "0".repeat(length);
            assert_eq!(read(&format!("01\n{long}\n02\n{long}")), (vec![vec![1], vec![2]], 2), "{length}");
        }
    }

    #[test]
    fn the_longest_datagram_fits_with_blanks() {
        let line = "00 ".repeat(65_507);
        assert_eq!(read(&line), (vec![vec![0; 65_507]], 0));
    }
}
