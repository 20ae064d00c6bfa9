//! A page as it lies in the file: its head, and its body without the compression.
//!
//! The Parquet library's reader makes a compressor and a decompressor for each column of each row group, and memory for each
//! page; a look-up reads one page here and one there. So a thread keeps what it needs for all of them.
//! Only pages of the first version are read, which is what the store writes (parquet.thrift: `PageHeader`).

use std::cell::RefCell;
use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::errors::{ParquetError, Result};
use zstd::bulk::Decompressor;

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
    zstd: Option<Decompressor<'static>>,
}

thread_local! {
    static TOOLS: RefCell<Tools> = RefCell::default();
}

/// The page at this place of a file, which has no more than `bytes_max` without its compression.
pub(super) fn read(file: &PartFile, place: Range<u64>, compression: Compression, bytes_max: usize) -> Result<Raw> {
    TOOLS.with_borrow_mut(|Tools { packed, zstd }| {
        file.fill(place, packed)?;
        let (head, length) = Head::read(packed).ok_or_else(|| damaged("its head"))?;
        let packed = length.checked_add(head.packed).and_then(|end| packed.get(length..end));
        let packed = packed.filter(|_| head.plain <= bytes_max).ok_or_else(|| damaged("its length"))?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(head.plain).map_err(|_| damaged("its length"))?;
        match compression {
            Compression::UNCOMPRESSED => bytes.extend_from_slice(packed),
            _ => {
                let zstd = match zstd {
                    Some(zstd) => zstd,
                    None => zstd.insert(Decompressor::new().map_err(external)?),
                };
                zstd.decompress_to_buffer(packed, &mut bytes).map_err(external)?;
            }
        }
        if bytes.len() != head.plain {
            return Err(damaged("its length"));
        }
        let Head { values, encoding, is_dictionary, .. } = head;
        Ok(Raw { bytes: bytes.into(), values, encoding, is_dictionary })
    })
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
