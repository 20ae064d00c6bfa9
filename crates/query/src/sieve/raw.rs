//! A page as it lies in the file: its head, and its body without the compression.
//!
//! The Parquet library's reader makes a compressor and a decompressor for each column of each row group, and memory for each
//! page; a look-up reads one page here and one there. So a thread keeps what it needs for all of them. The store cuts pages into
//! frames that are compressed by themselves, so that of a page that is wanted for a few rows only some are decompressed.
//! Only pages of the first version are read, which is what the store writes (parquet.thrift: `PageHeader`).

use std::cell::RefCell;
use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::errors::{ParquetError, Result};
use zstd::bulk::Decompressor;
use zstd::zstd_safe;

use super::page::damaged;
use crate::compact::{Compact, I32, STRUCT};
use crate::part_file::PartFile;

/// A page's body.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) bytes: Bytes,
    /// How many values it has, nulls included.
    pub(super) values: usize,
    pub(super) encoding: Encoding,
    pub(super) is_dictionary: bool,
}

/// What a thread uses for one page after the other.
#[derive(Default)]
struct Tools {
    packed: Vec<u8>,
    zstd: Zstd,
}

thread_local! {
    static TOOLS: RefCell<Tools> = RefCell::default();
}

/// The page at this place of a file, which has no more than `bytes_max` without its compression.
pub(super) fn read(file: &PartFile, place: Range<u64>, compression: Compression, bytes_max: usize) -> Result<Raw> {
    TOOLS.with_borrow_mut(|Tools { packed, zstd }| {
        file.fill(place, packed)?;
        let (head, packed) = Head::of(packed, bytes_max)?;
        let bytes = zstd.whole(packed, compression, head.plain)?;
        Ok(head.with(bytes))
    })
}

/// The same, of which only some bytes need be right: `wanted` says which, where the first ones tell it.
pub(super) fn read_some(
    file: &PartFile,
    place: Range<u64>,
    compression: Compression,
    bytes_max: usize,
    wanted: impl FnOnce(Encoding, &[u8]) -> Option<Vec<Range<usize>>>,
) -> Result<Raw> {
    TOOLS.with_borrow_mut(|Tools { packed, zstd }| {
        file.fill(place, packed)?;
        let (head, packed) = Head::of(packed, bytes_max)?;
        let Some(frames) = frames(packed, compression, head.plain) else {
            let bytes = zstd.whole(packed, compression, head.plain)?;
            return Ok(head.with(bytes));
        };
        let mut bytes = vec![0; head.plain];
        let mut unfold = |frame: &Frame, bytes: &mut [u8]| {
            zstd.exact(&packed[frame.packed.clone()], &mut bytes[frame.plain.clone()])
        };
        let Some((first, rest)) = frames.split_first() else { return Err(damaged("no frame")) };
        unfold(first, &mut bytes)?;
        let ranges = wanted(head.encoding, &bytes[first.plain.clone()]);
        for frame in rest {
            let touches = |range: &Range<usize>| range.start < frame.plain.end && frame.plain.start < range.end;
            if ranges.as_ref().is_none_or(|ranges| ranges.iter().any(touches)) {
                unfold(frame, &mut bytes)?;
            }
        }
        Ok(head.with(bytes))
    })
}

/// A page that is kept as it lies in the file.
#[derive(Debug)]
pub(super) struct Folded {
    packed: Vec<u8>,
    compression: Compression,
    head: Head,
    /// Its frames, where it has several.
    frames: Vec<Frame>,
}

/// A stretch of a page that is compressed by itself: where it is with and without the compression.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Frame {
    packed: Range<usize>,
    plain: Range<usize>,
}

impl Folded {
    /// As [`read`] has it.
    pub(super) fn read(file: &PartFile, place: Range<u64>, compression: Compression, bytes_max: usize) -> Result<Self> {
        let mut packed = Vec::new();
        file.fill(place, &mut packed)?;
        let (head, body) = Head::of(&packed, bytes_max)?;
        let frames = frames(body, compression, head.plain).unwrap_or_default();
        let packed = body.to_vec();
        Ok(Self { packed, compression, head, frames })
    }

    /// How many frames it has; none where it is one.
    pub(super) const fn frames(&self) -> usize {
        self.frames.len()
    }

    /// How many values it has, where it is a dictionary.
    pub(super) const fn entries(&self) -> Option<usize> {
        if self.head.is_dictionary { Some(self.head.values) } else { None }
    }

    /// All of it.
    pub(super) fn unfold(&self) -> Result<Bytes> {
        let bytes = TOOLS.with_borrow_mut(|tools| tools.zstd.whole(&self.packed, self.compression, self.head.plain))?;
        Ok(bytes.into())
    }

    /// One of its frames.
    pub(super) fn unfold_frame(&self, at: usize) -> Result<Bytes> {
        let frame = self.frames.get(at).ok_or_else(|| damaged("too few frames"))?;
        let mut bytes = vec![0; frame.plain.len()];
        TOOLS.with_borrow_mut(|tools| tools.zstd.exact(&self.packed[frame.packed.clone()], &mut bytes))?;
        Ok(bytes.into())
    }
}

/// The frames of a page, where it has several that say how long they are.
fn frames(packed: &[u8], compression: Compression, length: usize) -> Option<Vec<Frame>> {
    let Compression::ZSTD(_) = compression else { return None };
    let (mut frames, mut at, mut done) = (Vec::new(), 0, 0_usize);
    while at < packed.len() {
        let end = at + zstd_safe::find_frame_compressed_size(&packed[at..]).ok()?;
        let plain = usize::try_from(zstd_safe::get_frame_content_size(&packed[at..]).ok()??).ok()?;
        let ends = done.checked_add(plain).filter(|ends| *ends <= length)?;
        frames.push(Frame { packed: at..end, plain: done..ends });
        (at, done) = (end, ends);
    }
    (done == length && frames.len() > 1).then_some(frames)
}

/// A decompressor, made when it is first needed.
#[derive(Default)]
struct Zstd(Option<Decompressor<'static>>);

impl Zstd {
    fn made(&mut self) -> Result<&mut Decompressor<'static>> {
        match &mut self.0 {
            Some(zstd) => Ok(zstd),
            none => Ok(none.insert(Decompressor::new().map_err(external)?)),
        }
    }

    /// All bytes of a page.
    fn whole(&mut self, packed: &[u8], compression: Compression, length: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| damaged("its length"))?;
        match compression {
            Compression::UNCOMPRESSED => bytes.extend_from_slice(packed),
            _ => drop(self.made()?.decompress_to_buffer(packed, &mut bytes).map_err(external)?),
        }
        if bytes.len() == length { Ok(bytes) } else { Err(damaged("its length")) }
    }

    /// All bytes of a frame.
    fn exact(&mut self, packed: &[u8], bytes: &mut [u8]) -> Result<()> {
        let length = self.made()?.decompress_to_buffer(packed, bytes).map_err(external)?;
        if length == bytes.len() { Ok(()) } else { Err(damaged("its length")) }
    }
}

fn external(error: std::io::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// What stands before a page.
#[derive(Debug, Eq, PartialEq)]
struct Head {
    plain: usize,
    packed: usize,
    values: usize,
    encoding: Encoding,
    is_dictionary: bool,
}

impl Head {
    /// What a page begins with, and what follows.
    fn of(page: &[u8], bytes_max: usize) -> Result<(Self, &[u8])> {
        let (head, length) = Self::read(page).ok_or_else(|| damaged("its head"))?;
        let packed = length.checked_add(head.packed).and_then(|end| page.get(length..end));
        let packed = packed.filter(|_| head.plain <= bytes_max).ok_or_else(|| damaged("its length"))?;
        Ok((head, packed))
    }

    fn with(self, bytes: Vec<u8>) -> Raw {
        let Self { values, encoding, is_dictionary, .. } = self;
        Raw { bytes: bytes.into(), values, encoding, is_dictionary }
    }

    /// Reads it, and says how long it is; none where it makes no sense, or is of a kind that the store does not write.
    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut input = Compact(bytes);
        let (mut numbers, mut of_page, mut last) = ([None; 3], None, 0);
        while let Some(of) = input.any_field(&mut last)? {
            match (last, of) {
                (1..=3, I32) => numbers[usize::from(last) - 1] = Some(usize::try_from(input.number()?).ok()?),
                (5 | 7, STRUCT) => of_page = Some((last == 7, values(&mut input)?)),
                _ => input.skip(of)?,
            }
        }
        let (is_dictionary, (values, encoding)) = of_page?;
        let [kind, plain, packed] = numbers;
        let is_told = kind? == if is_dictionary { 2 } else { 0 };
        let head = Self { plain: plain?, packed: packed?, values, encoding, is_dictionary };
        is_told.then_some((head, bytes.len() - input.0.len()))
    }
}

/// How many values a page has, and how they are encoded.
fn values(input: &mut Compact<'_>) -> Option<(usize, Encoding)> {
    let (mut numbers, mut last) = ([None; 2], 0);
    while let Some(of) = input.any_field(&mut last)? {
        match (last, of) {
            (1..=2, I32) => numbers[usize::from(last) - 1] = Some(usize::try_from(input.number()?).ok()?),
            _ => input.skip(of)?,
        }
    }
    let encoding = match numbers[1]? {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        8 => Encoding::RLE_DICTIONARY,
        9 => Encoding::BYTE_STREAM_SPLIT,
        _ => return None,
    };
    Some((numbers[0]?, encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of 4 values, 100 bytes of 300, with a checksum and statistics, as the compact protocol has it.
    const HEAD: [u8; 25] = [
        0x15, 0x00, // kind: data
        0x15, 0xd8, 0x04, // 300 bytes
        0x15, 0xc8, 0x01, // 100 compressed
        0x15, 0x02, // a checksum
        0x1c, // of a data page:
        0x15, 0x08, 0x15, 0x12, 0x15, 0x06, 0x15, 0x06, // 4 values, streams of bytes, levels
        0x1c, 0x36, 0x00, 0x00, // statistics: no nulls
        0x00, 0x00,
    ];

    #[test]
    fn a_head_is_read_and_every_shorter_one_refused() {
        let head =
            Head { plain: 300, packed: 100, values: 4, encoding: Encoding::BYTE_STREAM_SPLIT, is_dictionary: false };
        let long = [&HEAD[..], &[7; 9]].concat();
        assert_eq!(Head::read(&long), Some((head, HEAD.len())));
        for end in 0..HEAD.len() {
            assert_eq!(Head::read(&HEAD[..end]), None, "{end} bytes");
        }
    }

    #[test]
    fn any_altered_byte_is_read_or_refused_without_harm() {
        for at in 0..HEAD.len() {
            for byte in 0..=255 {
                let mut altered = HEAD;
                altered[at] = byte;
                if let Some((_, length)) = Head::read(&altered) {
                    assert!(length <= HEAD.len());
                }
            }
        }
    }
}
