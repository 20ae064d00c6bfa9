//! A row group under way: its columns, opened once they are needed.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::{Result, internal_err};
use finderscope_store::DICTIONARY_PART_KEY;
use parquet::file::metadata::ParquetMetaData;

use super::cells::Kind;
use super::column::Column;
use crate::pages::Stretches;
use crate::part_file::PartFile;

/// A table's column in a file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which of the file's columns it is.
    pub(super) leaf: usize,
    /// How its cells are kept.
    pub(super) kind: Kind,
}

/// A row group.
pub(super) struct Group {
    metadata: Arc<ParquetMetaData>,
    at: usize,
    file: PartFile,
    places: Arc<HashMap<usize, Place>>,
    columns: HashMap<usize, Column>,
    rows_left: usize,
    /// Entries of a part of a dictionary, where the file says so.
    part: Option<usize>,
    /// The part's rows before it.
    before: u64,
    /// The rows of the page under way.
    page: Range<u64>,
}

impl Group {
    pub(super) fn new(
        metadata: Arc<ParquetMetaData>,
        at: usize,
        file: PartFile,
        places: Arc<HashMap<usize, Place>>,
    ) -> Self {
        let part = metadata
            .file_metadata()
            .key_value_metadata()
            .and_then(|told| told.iter().find(|told| told.key == DICTIONARY_PART_KEY)?.value.as_deref()?.parse().ok());
        let before = metadata.row_groups().iter().take(at).map(|group| group.num_rows().unsigned_abs()).sum();
        Self { metadata, at, file, places, columns: HashMap::new(), rows_left: 0, part, before, page: 0..0 }
    }

    /// Goes to a page, which has these of the group's rows.
    pub(super) const fn enter(&mut self, rows: Range<usize>) {
        self.page = self.before + rows.start as u64..self.before + rows.end as u64;
    }

    /// Whether the page has rows of one of these stretches of so many of the part's rows.
    pub(super) fn is_in(&self, stretches: &Stretches) -> bool {
        let of = |row: u64| u32::try_from(row / u64::from(stretches.rows.max(1))).unwrap_or(u32::MAX);
        let first = stretches.numbers.partition_point(|&number| number < of(self.page.start));
        stretches.numbers.get(first).is_some_and(|&number| number <= of(self.page.end.saturating_sub(1)))
    }

    /// Which row group it is.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The file.
    pub(super) fn file(&self) -> PartFile {
        self.file.clone()
    }

    /// How a column's cells are kept; none where it is not read page by page.
    pub(super) fn kind(&self, column: usize) -> Option<Kind> {
        self.places.get(&column).map(|place| place.kind.clone())
    }

    /// Rows that are still to be asked.
    pub(super) const fn rows_left(&self) -> usize {
        self.rows_left
    }

    pub(super) const fn expect(&mut self, rows: usize) {
        self.rows_left = rows;
    }

    /// A column, by its place in the table.
    pub(super) fn column(&mut self, column: usize) -> Result<&mut Column> {
        if !self.columns.contains_key(&column) {
            let (Some(place), Some(pages)) = (self.places.get(&column), self.metadata.offset_index()) else {
                return internal_err!("column {column} is not in the file");
            };
            let group = self.metadata.row_group(self.at);
            let (chunk, pages) = (group.column(place.leaf), &pages[self.at][place.leaf].page_locations);
            let rows = group.num_rows() as usize;
            let opened = Column::open(self.file.clone(), chunk, pages, rows, place.kind.clone(), self.part)?;
            self.columns.insert(column, opened);
        }
        match self.columns.get_mut(&column) {
            Some(column) => Ok(column),
            None => internal_err!("column {column} was just opened"),
        }
    }
}
