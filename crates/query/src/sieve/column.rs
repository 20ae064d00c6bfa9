//! A column of one row group, page by page: cells of chosen rows, each page decompressed once and at most.

use std::ops::Range;

use parquet::basic::Compression;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::PageLocation;

use super::cells::{Cells, Kind};
use super::dictionary::Dictionary;
use super::page::{Page, bytes_of, damaged};
use super::raw::{self, Folded};
use crate::part_file::PartFile;

/// Rows of a page up to which only those frames are decompressed that have bytes of them.
const FEW: usize = 16;

/// A column of a row group.
pub(super) struct Column {
    kind: Kind,
    nullable: bool,
    /// None where the column has no value at all.
    chunk: Option<Chunk>,
    /// Where pages begin, and the group's end.
    starts: Vec<usize>,
    dictionary: Option<Dictionary>,
    page: Option<(usize, Page)>,
}

/// Its pages.
struct Chunk {
    file: PartFile,
    compression: Compression,
    bytes: usize,
    places: Vec<Range<u64>>,
}

impl Column {
    pub(super) fn open(
        file: PartFile,
        chunk: &ColumnChunkMetaData,
        pages: &[PageLocation],
        rows: usize,
        kind: Kind,
        part: Option<usize>,
    ) -> Result<Self> {
        let starts = pages.iter().map(|page| page.first_row_index as usize).chain([rows]).collect();
        let nulls = chunk.statistics().and_then(|statistics| statistics.null_count_opt());
        let nullable = chunk.column_descr().max_def_level() > 0;
        let mut column = Self { kind, nullable, chunk: None, starts, dictionary: None, page: None };
        if nulls == Some(rows as u64) {
            return Ok(column);
        }
        let bytes = usize::try_from(chunk.uncompressed_size()).unwrap_or(0);
        // Offsets and sizes were looked at when they were read.
        let place =
            |page: &PageLocation| page.offset as u64..(page.offset + i64::from(page.compressed_page_size)) as u64;
        let places: Vec<_> = pages.iter().map(place).collect();
        let start = chunk.byte_range().0;
        let pages = Chunk { file, compression: chunk.compression(), bytes, places };
        if let Some(first) = pages.places.first()
            && first.start > start
        {
            let folded = Folded::read(&pages.file, start..first.start, pages.compression, bytes)?;
            column.dictionary = Some(Dictionary::new(&column.kind, folded, part)?);
        }
        column.chunk = Some(pages);
        Ok(column)
    }

    pub(super) const fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(super) const fn dictionary(&mut self) -> Option<&mut Dictionary> {
        self.dictionary.as_mut()
    }

    /// A page.
    pub(super) fn page(&mut self, at: usize) -> Result<&Page> {
        if self.page.as_ref().is_none_or(|(known, _)| *known != at) {
            self.page = None;
            let page = self.read(at, None)?;
            self.page = Some((at, page));
        }
        self.page.as_ref().map(|(_, page)| page).ok_or_else(|| damaged("too few"))
    }

    /// A page, or enough of it for these rows.
    fn read(&self, at: usize, few: Option<&[u32]>) -> Result<Page> {
        let Some(chunk) = &self.chunk else {
            return Ok(Page::of_nulls());
        };
        let place = chunk.places.get(at).cloned().ok_or_else(|| damaged("too few"))?;
        let rows = self.starts.get(at..at + 2).map_or(0, |ends| ends[1] - ends[0]);
        let raw = match few {
            Some(few) => raw::read_some(&chunk.file, place, chunk.compression, chunk.bytes, |encoding, first| {
                bytes_of(&self.kind, self.nullable, encoding, first, rows, few)
            })?,
            None => raw::read(&chunk.file, place, chunk.compression, chunk.bytes)?,
        };
        let entries = self.dictionary.as_ref().map_or(0, Dictionary::len);
        Page::read(&self.kind, self.nullable, raw, rows, entries).ok_or_else(|| damaged("its values"))
    }

    /// Adds the cells of these rows of a page.
    pub(super) fn add(&mut self, at: usize, rows: &[u32], cells: &mut Cells) -> Result<()> {
        if rows.len() <= FEW && self.page.as_ref().is_none_or(|(known, _)| *known != at) {
            let page = self.read(at, Some(rows))?;
            return take(&page, rows, self.dictionary.as_mut(), cells);
        }
        self.page(at)?;
        match &self.page {
            Some((_, page)) => take(page, rows, self.dictionary.as_mut(), cells),
            None => Err(damaged("too few")),
        }
    }
}

fn take(page: &Page, rows: &[u32], mut dictionary: Option<&mut Dictionary>, cells: &mut Cells) -> Result<()> {
    if let Some(dictionary) = dictionary.as_mut().filter(|_| page.in_dictionary()) {
        match dictionary.is_for_all(rows.len()) {
            true => dictionary.expect(rows.len())?,
            false => dictionary.expect_at(&page.places(rows))?,
        }
    }
    cells.add(page, rows, dictionary.as_deref())
}
