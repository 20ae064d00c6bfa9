//! A row group under way: its columns, opened once they are needed.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{Result, internal_err};
use parquet::file::metadata::ParquetMetaData;

use super::cells::Kind;
use super::column::Column;
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
}

impl Group {
    pub(super) fn new(
        metadata: Arc<ParquetMetaData>,
        at: usize,
        file: PartFile,
        places: Arc<HashMap<usize, Place>>,
    ) -> Self {
        Self { metadata, at, file, places, columns: HashMap::new(), rows_left: 0 }
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
            let opened = Column::open(self.file.clone(), chunk, pages, rows, place.kind.clone())?;
            self.columns.insert(column, opened);
        }
        match self.columns.get_mut(&column) {
            Some(column) => Ok(column),
            None => internal_err!("column {column} was just opened"),
        }
    }
}
