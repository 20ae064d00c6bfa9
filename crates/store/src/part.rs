//! One part while it is written: rows into Parquet, and what the manifest will say of them.
//!
//! The part's own description is also kept in its footer (key `finderscope`), so that a part that a damaged manifest
//! no longer names can be known again.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use finderscope_flow::{Column, Table};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};
use serde::{Deserialize, Serialize};

use crate::disk::{self, Probe, Step};
use crate::encode::PartWriter;
use crate::settings::Encoding;
use crate::{DiskError, Sums, split};

/// The footer's key.
const KEY: &str = "finderscope";

/// A part that takes rows.
pub(crate) struct OpenPart {
    pub(crate) table: Table,
    pub(crate) hour: i64,
    path: PathBuf,
    writer: PartWriter,
    file: Arc<File>,
    tally: Tally,
}

/// A part with all its rows, still in `incoming`.
#[derive(Debug)]
pub(crate) struct WholePart {
    pub(crate) table: Table,
    pub(crate) hour: i64,
    pub(crate) path: PathBuf,
    pub(crate) file_bytes: u64,
    pub(crate) tally: Tally,
    file: Arc<File>,
}

/// What is known of rows without reading them again.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) min_received_ns: i64,
    pub(crate) max_received_ns: i64,
    pub(crate) sums: Option<Sums>,
}

impl fmt::Debug for OpenPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenPart").field("path", &self.path).field("tally", &self.tally).finish_non_exhaustive()
    }
}

impl OpenPart {
    /// An empty part for one hour of one table.
    pub(crate) fn create(table: Table, hour: i64, encoding: Encoding, path: PathBuf) -> Result<Self, DiskError> {
        let file = Arc::new(disk::create(&path)?);
        let writer = PartWriter::new(Arc::clone(&file), table, encoding);
        let mut writer = writer.map_err(|error| parquet_error("write", &path, error))?;
        if encoding == Encoding::Merged {
            writer.wait_in(disk::scratch(&path.with_extension("pages"))?);
        }
        Ok(Self { table, hour, path, writer, file, tally: Tally::new(table) })
    }

    /// Adds rows, all of the part's hour.
    pub(crate) fn write(&mut self, batch: &RecordBatch, probe: &Probe) -> Result<(), DiskError> {
        probe.at(Step::Write).map_err(DiskError::of("write", &self.path))?;
        self.writer.write(batch).map_err(|error| parquet_error("write", &self.path, error))?;
        self.tally.add(batch);
        Ok(())
    }

    /// Writes the rest and the footer.
    pub(crate) fn close(self) -> Result<WholePart, DiskError> {
        let description = serde_json::to_string(&self.tally).expect("numbers always have a JSON form");
        let Self { table, hour, path, writer, file, tally } = self;
        let entry = KeyValue::new(KEY.to_owned(), description);
        writer.finish(entry).map_err(|error| parquet_error("write", &path, error))?;
        let file_bytes = file.metadata().map_err(DiskError::of("read", &path))?.len();
        Ok(WholePart { table, hour, path, file_bytes, tally, file })
    }

    pub(crate) const fn rows(&self) -> u64 {
        self.tally.rows
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl WholePart {
    /// Makes the rows last.
    pub(crate) fn sync(&self) -> Result<(), DiskError> {
        self.file.sync_all().map_err(DiskError::of("sync", &self.path))
    }
}

impl Tally {
    pub(crate) fn new(table: Table) -> Self {
        let sums = Column::Bytes.is_in(table).then(Sums::default);
        Self { rows: 0, min_received_ns: i64::MAX, max_received_ns: i64::MIN, sums }
    }

    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        let (first, last) = split::span(split::received(batch));
        self.min_received_ns = self.min_received_ns.min(first);
        self.max_received_ns = self.max_received_ns.max(last);
        self.sums = self.sums.and_then(|sums| sums.plus(batch));
    }
}

/// Reads what a part says of itself. The error says what is wrong with it.
pub(crate) fn describe(path: &Path) -> Result<Tally, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).map_err(|error| error.to_string())?;
    let tally = description(&metadata).ok_or("it does not say what it holds")?;
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    if rows == tally.rows { Ok(tally) } else { Err(format!("it holds {rows} rows but says {}", tally.rows)) }
}

fn description(metadata: &ParquetMetaData) -> Option<Tally> {
    let pairs = metadata.file_metadata().key_value_metadata()?;
    let value = pairs.iter().find(|pair| pair.key == KEY)?.value.as_deref()?;
    serde_json::from_str(value).ok()
}

/// The disk's own word where the Parquet writer passes it on.
pub(crate) fn parquet_error(doing: &'static str, path: &Path, error: ParquetError) -> DiskError {
    let source = match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    };
    DiskError { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use finderscope_flow::Builder;
    use parquet::file::metadata::PageIndexPolicy;

    use super::*;
    use crate::settings::{PAGE_ROWS, ROW_GROUP_ROWS};

    /// Rows with a list and a map that are long in some rows, and absent in others.
    fn uneven(start: usize, count: usize) -> RecordBatch {
        let mut builder = Builder::new(Table::Flows);
        builder.time(Column::TimeReceivedNs).extend((start..start + count).map(|row| row as i64));
        for row in start..start + count {
            builder.list(Column::AsPath).push((0..row as u32 % 7).map(|hop| hop + row as u32));
            for entry in 0..row % 3 {
                builder.map(Column::Extra).entry(&format!("{entry}"), &row.to_string());
            }
            builder.map(Column::Extra).close();
        }
        builder.advance(count);
        builder.finish()
    }

    #[test]
    fn the_pages_of_all_columns_of_a_merged_part_hold_the_same_rows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("merged-0.parquet");
        let mut part = OpenPart::create(Table::Flows, 0, Encoding::Merged, path.clone()).unwrap();
        let mut rows = 0;
        for count in [1, PAGE_ROWS - 2, 7, 3 * PAGE_ROWS + 11, ROW_GROUP_ROWS] {
            part.write(&uneven(rows, count), &Probe::default()).unwrap();
            rows += count;
        }
        part.close().unwrap();
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Required)
            .parse_and_finish(&File::open(&path).unwrap())
            .unwrap();
        let groups: Vec<i64> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
        let (last, whole) = groups.split_last().unwrap();
        assert_eq!(whole.iter().sum::<i64>() + last, rows as i64);
        // Such rows are wide: their bytes end a row group, too, but always with a page.
        let ends_a_page = |rows: &i64| rows % PAGE_ROWS as i64 == 0 && *rows <= ROW_GROUP_ROWS as i64;
        assert!(!whole.is_empty() && whole.iter().all(ends_a_page), "{groups:?}");
        for (group, columns) in metadata.offset_index().unwrap().iter().enumerate() {
            for (leaf, pages) in columns.iter().enumerate() {
                let firsts: Vec<i64> = pages.page_locations().iter().map(|page| page.first_row_index).collect();
                // What holds nothing is one page.
                let is_null = crate::is_null(metadata.row_group(group).column(leaf));
                let step = if is_null { usize::MAX } else { PAGE_ROWS };
                let expected: Vec<i64> = (0..groups[group]).step_by(step).collect();
                assert_eq!(firsts, expected, "group {group}, leaf {leaf}");
            }
        }
    }
}
