//! Frames as text: one Ethernet frame a line, in hexadecimal digits. Test suites keep captures so.
//!
//! Such a file is known by its first bytes, which are digits. It has no times: all frames have the one that is assumed.

use std::io::Read;
use std::ops::Range;

use super::CaptureError;
use super::feed::Feed;

/// Twice the longest packet, and room for blanks between its bytes.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Whether a file that begins with these bytes is text of digits.
pub(super) fn are_in(first: &[u8]) -> bool {
    first.len() >= 4 && first[..4].iter().all(u8::is_ascii_hexdigit)
}

/// The next line's frame, whose bytes replace the digits at the beginning of the feed, and how long the line is.
pub(super) fn next<R: Read>(feed: &mut Feed<R>) -> Result<Option<(Range<usize>, usize)>, CaptureError> {
    let offset = feed.offset();
    let mut line = 0;
    // As far as the line's end, which is the file's where there is no other.
    while feed.ensure(line + 1)? && feed.bytes()[line] != b'\n' {
        line += 1;
        if line > LINE_BYTES_MAX {
            return Err(CaptureError::Damaged { offset, problem: "a line of digits is longer than any frame".into() });
        }
    }
    if line == 0 && feed.bytes().is_empty() {
        return Ok(None);
    }
    let length = (line + 1).min(feed.bytes().len());
    let frame = decode(&mut feed.bytes_mut()[..line])
        .map_err(|(at, problem)| CaptureError::Damaged { offset: offset + at as u64, problem: problem.to_owned() })?;
    Ok(Some((0..frame, length)))
}

/// Puts the bytes that the digits spell where the digits were. Says how many, or what is wrong and where.
pub(super) fn decode(line: &mut [u8]) -> Result<usize, (usize, &'static str)> {
    let (mut half, mut count) = (None, 0);
    for at in 0..line.len() {
        if line[at].is_ascii_whitespace() {
            continue;
        }
        let digit = char::from(line[at]).to_digit(16).ok_or((at, "not a hexadecimal digit"))? as u8;
        match half.take() {
            None => half = Some(digit),
            Some(upper) => {
                line[count] = upper << 4 | digit;
                count += 1;
            }
        }
    }
    if half.is_some() { Err((line.len(), "half a byte is missing")) } else { Ok(count) }
}
