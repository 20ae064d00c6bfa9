//! A part's offset index: where the pages of a column are.
//!
//! The Parquet library reads it for all columns or for none; a part has ninety of them, and thousands of pages. This reads
//! it for the columns that a question needs: Thrift's compact protocol, of which two small structures occur
//! (parquet.thrift: `OffsetIndex`, `PageLocation`).

use std::collections::HashSet;
use std::ops::Range;

use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::page_index::offset_index::{OffsetIndexMetaData, PageLocation};
use parquet::file::reader::Length;

use crate::compact::{Compact, I32, I64, LIST, STRUCT};
use crate::part_file::PartFile;

/// Bytes of offset indexes that are read at most; a part of the largest kind has less.
const BYTES_MAX: u64 = 16 << 20;

/// The pages of these columns, by row group and column; other columns have none. None where some of them has no offset
/// index, or one that makes no sense.
pub(crate) fn read(
    file: &PartFile,
    footer: &ParquetMetaData,
    columns: &HashSet<String>,
) -> Result<Option<Vec<Vec<OffsetIndexMetaData>>>> {
    let wanted = |chunk: &&ColumnChunkMetaData| {
        chunk.column_path().parts().first().is_some_and(|column| columns.contains(column))
    };
    let all: Option<Vec<Range<u64>>> =
        footer.row_groups().iter().flat_map(|group| group.columns().iter().filter(wanted)).map(place).collect();
    let Some(all) = all else { return Ok(None) };
    let (start, end) = (all.iter().map(|range| range.start).min(), all.iter().map(|range| range.end).max());
    let (start, end) = (start.unwrap_or(0), end.unwrap_or(0));
    let length = file.len();
    if end > length || end - start > BYTES_MAX {
        return Ok(None);
    }
    let bytes = file.range(start..end)?;
    let of_chunk = |rows: i64, chunk: &ColumnChunkMetaData| {
        if !wanted(&chunk) {
            return Some(OffsetIndexMetaData { page_locations: Vec::new(), unencoded_byte_array_data_bytes: None });
        }
        let range = place(chunk)?;
        let bytes = bytes.get((range.start - start) as usize..(range.end - start) as usize)?;
        let page_locations = pages(bytes).filter(|pages| is_sound(pages, rows, length))?;
        Some(OffsetIndexMetaData { page_locations, unencoded_byte_array_data_bytes: None })
    };
    let groups = footer.row_groups().iter();
    Ok(groups.map(|group| group.columns().iter().map(|chunk| of_chunk(group.num_rows(), chunk)).collect()).collect())
}

/// Where a column's offset index is.
fn place(chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
    let start = u64::try_from(chunk.offset_index_offset()?).ok()?;
    let length = u64::try_from(chunk.offset_index_length()?).ok()?;
    Some(start..start.checked_add(length)?)
}

/// Whether pages lie in the file and their rows go up to the row group's end.
fn is_sound(pages: &[PageLocation], rows: i64, file: u64) -> bool {
    let in_file = |page: &PageLocation| {
        let (offset, size) = (u64::try_from(page.offset).ok(), u64::try_from(page.compressed_page_size).ok());
        offset.zip(size).and_then(|(offset, size)| offset.checked_add(size)).is_some_and(|end| end <= file)
    };
    pages.iter().all(in_file)
        && pages.first().is_some_and(|page| page.first_row_index == 0)
        && pages.last().is_some_and(|page| page.first_row_index < rows)
        && pages.windows(2).all(|two| two[0].first_row_index < two[1].first_row_index)
}

/// The first field of an `OffsetIndex`: a list of `PageLocation`.
fn pages(bytes: &[u8]) -> Option<Vec<PageLocation>> {
    let mut bytes = Compact(bytes);
    bytes.field(LIST)?;
    let header = bytes.byte()?;
    let count = match header >> 4 {
        15 => usize::try_from(bytes.varint()?).ok()?,
        few => usize::from(few),
    };
    // A page takes seven bytes at least.
    if header & 0xf != STRUCT || count > bytes.0.len() / 7 {
        return None;
    }
    (0..count).map(|_| page(&mut bytes)).collect()
}

/// One of them.
fn page(bytes: &mut Compact<'_>) -> Option<PageLocation> {
    bytes.field(I64)?;
    let offset = bytes.number()?;
    bytes.field(I32)?;
    let compressed_page_size = i32::try_from(bytes.number()?).ok()?;
    bytes.field(I64)?;
    let first_row_index = bytes.number()?;
    (bytes.byte()? == 0).then_some(PageLocation { offset, compressed_page_size, first_row_index })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pages, as `parquet.thrift` and the compact protocol have them.
    const TWO: [u8; 21] = [
        0x19, 0x2c, // field 1, a list of two structures
        0x16, 0x08, 0x15, 0xc8, 0x01, 0x16, 0x00, 0x00, // offset 4, 100 bytes, row 0
        0x16, 0xd0, 0x01, 0x15, 0x0a, 0x16, 0x80, 0x80, 0x02, 0x00, // offset 104, 5 bytes, row 16384
        0x00,
    ];

    #[test]
    fn reads_pages_and_refuses_every_shorter_list() {
        let page = |offset, compressed_page_size, first_row_index| PageLocation {
            offset,
            compressed_page_size,
            first_row_index,
        };
        assert_eq!(pages(&TWO), Some(vec![page(4, 100, 0), page(104, 5, 16_384)]));
        for end in 0..TWO.len() - 1 {
            assert_eq!(pages(&TWO[..end]), None, "{end} bytes");
        }
    }

    #[test]
    fn any_altered_byte_is_read_or_refused_without_harm() {
        for at in 0..TWO.len() {
            for byte in 0..=255 {
                let mut altered = TWO;
                altered[at] = byte;
                if let Some(pages) = pages(&altered) {
                    is_sound(&pages, 20_000, 200);
                }
            }
        }
    }

    #[test]
    fn pages_beyond_the_file_or_the_rows_make_no_sense() {
        let pages = pages(&TWO).unwrap_or_default();
        assert!(is_sound(&pages, 16_385, 109));
        assert!(!is_sound(&pages, 16_384, 109));
        assert!(!is_sound(&pages, 16_385, 108));
        assert!(!is_sound(&pages[1..], 16_385, 109));
        assert!(!is_sound(&[], 16_385, 109));
    }
}
