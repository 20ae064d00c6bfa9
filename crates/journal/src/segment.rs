//! How a segment lies on the disk.
//!
//! A segment is a file named by the first position it may hold, `0000000000000001.journal` in
//! hexadecimal. Integers are big-endian.
//!
//! | bytes | header | |
//! |---|---|---|
//! | 8 | magic | `fsjournl` |
//! | 4 | version | 1 |
//! | 4 | salt | random per segment; where the records' checksums start from |
//! | 8 | first | the first position it may hold, as in its name |
//! | 8 | after | the end of the segment before it; less than `first` where positions were skipped on purpose |
//! | 4 | checksum | CRC-32 of the 32 bytes before |
//!
//! | bytes | each record | |
//! |---|---|---|
//! | 4 | length | of the frame |
//! | 4 | checksum | CRC-32 of the frame, begun with the salt |
//! | length | frame | a delivery; its sequence is its position |
//!
//! A file may be longer than its segment: what stands behind the last record is then of an older one, whose file this was.
//! The salt lets a reader look for the next sound record after damage: a sender that puts records into its
//! datagrams cannot know what theirs would have to be. `after` tells positions that were lost from such as never were.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use finderscope_wire::delivery::{FRAME_BYTES_MAX, FRAME_BYTES_MIN};

use crate::Position;

const MAGIC: [u8; 8] = *b"fsjournl";
const VERSION: u32 = 1;
const EXTENSION: &str = ".journal";
const SPARE_EXTENSION: &str = ".spare";

pub(crate) const HEADER_BYTES: usize = 36;
pub(crate) const RECORD_HEAD_BYTES: usize = 8;
pub(crate) const RECORD_BYTES_MIN: usize = RECORD_HEAD_BYTES + FRAME_BYTES_MIN;
pub(crate) const RECORD_BYTES_MAX: usize = RECORD_HEAD_BYTES + FRAME_BYTES_MAX;

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) salt: u32,
    pub(crate) first: Position,
    pub(crate) after: Position,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.salt.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.after.to_be_bytes());
        let sum = crc32fast::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// `None` where these bytes are not a header of ours.
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let sound =
            bytes[..8] == MAGIC && u32_at(bytes, 8) == VERSION && u32_at(bytes, 32) == crc32fast::hash(&bytes[..32]);
        sound.then(|| Self { salt: u32_at(bytes, 12), first: u64_at(bytes, 16), after: u64_at(bytes, 24) })
    }
}

/// A salt that no sender can know. The standard library's hash keys are random, and enough for that.
pub(crate) fn new_salt() -> u32 {
    RandomState::new().build_hasher().finish() as u32
}

/// Fills in the head of `record`, whose frame stands behind it.
pub(crate) fn seal(record: &mut [u8], salt: u32) {
    let (head, frame) = record.split_at_mut(RECORD_HEAD_BYTES);
    head[..4].copy_from_slice(&(frame.len() as u32).to_be_bytes());
    head[4..].copy_from_slice(&checksum(frame, salt).to_be_bytes());
}

/// The length and checksum that a record's head claims.
pub(crate) fn read_head(head: &[u8]) -> (usize, u32) {
    (u32_at(head, 0) as usize, u32_at(head, 4))
}

pub(crate) fn checksum(frame: &[u8], salt: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(frame);
    hasher.finalize()
}

pub(crate) fn path(dir: &Path, first: Position) -> PathBuf {
    dir.join(format!("{first:016x}{EXTENSION}"))
}

/// The name of a released segment's file that waits to be used again.
pub(crate) fn spare_path(dir: &Path, first: Position) -> PathBuf {
    dir.join(format!("{first:016x}{SPARE_EXTENSION}"))
}

/// Whether a file has the name of a spare.
pub(crate) fn is_spare(name: &str) -> bool {
    let digits = name.strip_suffix(SPARE_EXTENSION).filter(|digits| digits.len() == 16);
    digits.is_some_and(|digits| digits.bytes().all(is_lower_hex))
}

/// The position in a segment's name; `None` for files that are not ours.
pub(crate) fn first_in_name(name: &str) -> Option<Position> {
    let digits = name.strip_suffix(EXTENSION).filter(|digits| digits.len() == 16)?;
    let first = digits.bytes().all(is_lower_hex).then(|| u64::from_str_radix(digits, 16).ok()).flatten()?;
    // Positions start at 1, and no journal lives to see half of them.
    (1..=Position::MAX / 2).contains(&first).then_some(first)
}

const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) << 32 | u64::from(u32_at(bytes, at + 4))
}
