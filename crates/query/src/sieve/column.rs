//! A column of one row group, page by page: cells of chosen rows, each page decompressed once and at most.

use std::sync::Arc;

use parquet::column::page::{Page as RawPage, PageReader};
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::serialized_reader::SerializedPageReader;

use super::cells::{Cells, Kind};
use super::page::{Dictionary, Page, damaged};
use crate::part_file::PartFile;

/// A column of a row group.
pub(super) struct Column {
    kind: Kind,
    nullable: bool,
    /// None where the column has no value at all.
    reader: Option<SerializedPageReader<PartFile>>,
    /// Where pages begin, and the group's end.
    starts: Vec<usize>,
    /// The page that the reader comes to next.
    next: usize,
    dictionary: Option<Dictionary>,
    page: Option<(usize, Page)>,
}

impl Column {
    pub(super) fn open(
        file: PartFile,
        chunk: &ColumnChunkMetaData,
        pages: &[PageLocation],
        rows: usize,
        kind: Kind,
    ) -> Result<Self> {
        let starts = pages.iter().map(|page| page.first_row_index as usize).chain([rows]).collect();
        let nulls = chunk.statistics().and_then(|statistics| statistics.null_count_opt());
        let nullable = chunk.column_descr().max_def_level() > 0;
        let mut column = Self { kind, nullable, reader: None, starts, next: 0, dictionary: None, page: None };
        if nulls == Some(rows as u64) {
            return Ok(column);
        }
        let mut reader = SerializedPageReader::new(Arc::new(file), chunk, rows, Some(pages.to_vec()))?;
        let has_dictionary = pages.first().is_some_and(|page| page.offset as u64 != chunk.byte_range().0);
        if has_dictionary && let Some(RawPage::DictionaryPage { buf, num_values, .. }) = reader.get_next_page()? {
            let read = Dictionary::read(&column.kind, buf, num_values as usize);
            column.dictionary = Some(read.ok_or_else(|| damaged("a dictionary"))?);
        }
        column.reader = Some(reader);
        Ok(column)
    }

    pub(super) const fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(super) const fn dictionary(&self) -> Option<&Dictionary> {
        self.dictionary.as_ref()
    }

    /// A page; pages are asked for in their order.
    pub(super) fn page(&mut self, at: usize) -> Result<&Page> {
        if self.page.as_ref().is_none_or(|(known, _)| *known != at) {
            let page = self.read(at)?;
            self.page = Some((at, page));
        }
        self.page.as_ref().map(|(_, page)| page).ok_or_else(|| damaged("too few"))
    }

    fn read(&mut self, at: usize) -> Result<Page> {
        let Some(reader) = &mut self.reader else {
            return Ok(Page::of_nulls());
        };
        while self.next < at {
            reader.skip_next_page()?;
            self.next += 1;
        }
        let raw = reader.get_next_page()?.ok_or_else(|| damaged("too few"))?;
        self.next = at + 1;
        let rows = self.starts.get(at..at + 2).map_or(0, |ends| ends[1] - ends[0]);
        let entries = self.dictionary.as_ref().map_or(0, Dictionary::len);
        Page::read(&self.kind, self.nullable, raw, rows, entries).ok_or_else(|| damaged("its values"))
    }

    /// Adds the cells of these rows of a page.
    pub(super) fn add(&mut self, at: usize, rows: &[u32], cells: &mut Cells) -> Result<()> {
        self.page(at)?;
        match &self.page {
            Some((_, page)) => cells.add(page, rows, self.dictionary.as_ref()),
            None => Err(damaged("too few")),
        }
    }
}
