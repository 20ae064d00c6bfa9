//! Totals into their file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, RecordBatch, StringArray, TimestampNanosecondArray, UInt8Array, UInt16Array, UInt32Array,
    UInt64Array, new_null_array,
};
use arrow::datatypes::{DataType, Field};
use finderscope_flow::Column;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};

use super::cells::Sums;
use super::dimension::{Dimension, GROUPED, Level, columns, schema};
use super::key::Key;
use crate::DiskError;
use crate::disk;
use crate::part::parquet_error;

/// The footer's key.
pub(super) const KEY: &str = "finderscope-totals";
/// The format of the file. Another program's may add columns without a new one.
pub(super) const FORMAT: u32 = 2;
/// The first format's scaled sums are never left out.
pub(super) const FORMATS: std::ops::RangeInclusive<u32> = 1..=FORMAT;
/// Rows of a page: one interface's minutes of a day are a sixth of it.
const PAGE_ROWS: usize = 8_192;
/// Rows of a row group at most.
const ROW_GROUP_ROWS: usize = 1 << 20;

/// A file of totals that was written and synced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TotalsFile {
    /// Where.
    pub path: PathBuf,
    /// Its size.
    pub file_bytes: u64,
    /// How many flows it stands for.
    pub rows: u64,
    /// Their earliest receive time.
    pub min_received_ns: i64,
    /// Their latest.
    pub max_received_ns: i64,
    /// What it lacks, as `minute/in_if`, because it would have taken too much memory or a sum is beyond 64 bits.
    pub lacks: Vec<String>,
}

/// What a file says of itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Description {
    pub(super) format: u32,
    pub(super) rows: u64,
    pub(super) min_received_ns: i64,
    pub(super) max_received_ns: i64,
    pub(super) lacks: Vec<String>,
    /// How many row groups each level and dimension has, in the order of the file.
    pub(super) row_groups: Vec<(String, usize)>,
}

impl Description {
    /// Of flows yet to be counted.
    pub(super) const fn new() -> Self {
        Self {
            format: FORMAT,
            rows: 0,
            min_received_ns: i64::MAX,
            max_received_ns: i64::MIN,
            lacks: Vec::new(),
            row_groups: Vec::new(),
        }
    }
}

/// What is kept of an exporter's flows, beyond their sums.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Extra {
    pub(super) bytes_assumed: u64,
    pub(super) first_ns: i64,
    pub(super) last_ns: i64,
}

/// One row of totals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) key: Key,
    pub(super) time_ns: Option<i64>,
    pub(super) sums: Sums,
    pub(super) extra: Option<Extra>,
}

/// Writes rows, one level and dimension after the other.
pub(super) struct Writer {
    path: PathBuf,
    file: Arc<File>,
    writer: ArrowWriter<Arc<File>>,
    rows: Vec<Row>,
}

impl Writer {
    pub(super) fn create(path: &Path) -> Result<Self, DiskError> {
        let file = Arc::new(disk::create(path)?);
        let writer = ArrowWriter::try_new(Arc::clone(&file), schema(), Some(properties()))
            .map_err(|error| parquet_error("write", path, error))?;
        Ok(Self { path: path.to_owned(), file, writer, rows: Vec::with_capacity(PAGE_ROWS) })
    }

    /// Adds a row of the level and dimension at hand.
    pub(super) fn push(&mut self, level: Level, dimension: Dimension, row: Row) -> Result<(), DiskError> {
        self.rows.push(row);
        if self.rows.len() == PAGE_ROWS { self.write(level, dimension) } else { Ok(()) }
    }

    fn write(&mut self, level: Level, dimension: Dimension) -> Result<(), DiskError> {
        let batch = batch(level, dimension, &self.rows);
        self.rows.clear();
        self.writer.write(&batch).map_err(|error| parquet_error("write", &self.path, error))
    }

    /// Ends a level and dimension: what comes next lies in another row group. How many there are now.
    pub(super) fn end(&mut self, level: Level, dimension: Dimension) -> Result<usize, DiskError> {
        if !self.rows.is_empty() {
            self.write(level, dimension)?;
        }
        self.writer.flush().map_err(|error| parquet_error("write", &self.path, error))?;
        Ok(self.writer.flushed_row_groups().len())
    }

    /// Writes what the file says of itself, and makes it last.
    pub(super) fn close(mut self, of: Description) -> Result<TotalsFile, DiskError> {
        let text = serde_json::to_string(&of).expect("numbers and words always have a JSON form");
        self.writer.append_key_value_metadata(KeyValue::new(KEY.to_owned(), text));
        self.writer.finish().map_err(|error| parquet_error("write", &self.path, error))?;
        let file_bytes = self.file.metadata().map_err(DiskError::of("read", &self.path))?.len();
        self.file.sync_all().map_err(DiskError::of("sync", &self.path))?;
        Ok(TotalsFile {
            path: self.path,
            file_bytes,
            rows: of.rows,
            min_received_ns: of.min_received_ns,
            max_received_ns: of.max_received_ns,
            lacks: of.lacks,
        })
    }
}

fn properties() -> WriterProperties {
    let builder = WriterProperties::builder()
        .set_created_by(concat!("finderscope ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("zstd has a level 1")))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_write_batch_size(PAGE_ROWS)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::None);
    let builder = [columns::LEVEL, columns::DIMENSION].into_iter().fold(builder, |builder, name| {
        builder.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Chunk)
    });
    // Pages are chosen by these. They are in order: little is left of the differences.
    let keys = GROUPED.iter().map(|column| column.name()).chain([columns::TIME]);
    let builder = keys.fold(builder, |builder, name| {
        builder.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Page)
    });
    let schema = schema();
    let fields = schema.fields().iter().filter(|field| field.data_type() != &DataType::Utf8);
    fields
        .fold(builder, |builder, field| {
            let name = field.name().as_str();
            let is_key = name == columns::TIME || Column::by_name(name).is_some_and(|column| GROUPED.contains(&column));
            let encoding = match field.data_type() {
                DataType::Binary => Encoding::DELTA_BYTE_ARRAY,
                _ if is_key => Encoding::DELTA_BINARY_PACKED,
                _ => Encoding::BYTE_STREAM_SPLIT,
            };
            let path = ColumnPath::from(name);
            builder.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding)
        })
        .build()
}

fn batch(level: Level, dimension: Dimension, rows: &[Row]) -> RecordBatch {
    let schema = schema();
    let columns = schema.fields().iter().map(|field| column(field, level, dimension, rows)).collect();
    RecordBatch::try_new(schema.clone(), columns).expect("each column is made after its field, of all rows")
}

fn column(field: &Field, level: Level, dimension: Dimension, rows: &[Row]) -> ArrayRef {
    let numbers = |of: fn(&Row) -> Option<u64>| Arc::new(rows.iter().map(of).collect::<UInt64Array>()) as ArrayRef;
    let times = |of: fn(&Row) -> Option<i64>| {
        Arc::new(rows.iter().map(of).collect::<TimestampNanosecondArray>().with_timezone("UTC")) as ArrayRef
    };
    match field.name().as_str() {
        columns::LEVEL => Arc::new(StringArray::from_iter_values(rows.iter().map(|_| level.name()))),
        columns::DIMENSION => Arc::new(StringArray::from_iter_values(rows.iter().map(|_| dimension.name()))),
        columns::TIME => times(|row| row.time_ns),
        columns::FLOWS => numbers(|row| Some(row.sums.flows)),
        "bytes" => numbers(|row| row.sums.bytes().map(|(plain, _)| plain)),
        "packets" => numbers(|row| row.sums.packets().map(|(plain, _)| plain)),
        columns::BYTES_SCALED => numbers(|row| row.sums.bytes().and_then(apart)),
        columns::PACKETS_SCALED => numbers(|row| row.sums.packets().and_then(apart)),
        columns::FLOWS_SAMPLED => numbers(|row| Some(row.sums.flows_sampled)),
        columns::BYTES_ASSUMED => numbers(|row| row.extra.map(|extra| extra.bytes_assumed)),
        columns::FIRST => times(|row| row.extra.map(|extra| extra.first_ns)),
        columns::LAST => times(|row| row.extra.map(|extra| extra.last_ns)),
        name => match Column::by_name(name).filter(|column| dimension.columns().contains(column)) {
            Some(column) => key_column(column, rows),
            None => new_null_array(field.data_type(), rows.len()),
        },
    }
}

/// What is scaled, where that is another number.
fn apart((plain, scaled): (u64, u64)) -> Option<u64> {
    (plain != scaled).then_some(scaled)
}

fn key_column(column: Column, rows: &[Row]) -> ArrayRef {
    let numbers = rows.iter().map(|row| row.key.number);
    // A dimension's numbers are read from cells of the column's own width.
    match column.kind().data_type() {
        DataType::UInt8 => Arc::new(numbers.map(|number| number.map(|number| number as u8)).collect::<UInt8Array>()),
        DataType::UInt16 => Arc::new(numbers.map(|number| number.map(|number| number as u16)).collect::<UInt16Array>()),
        DataType::UInt32 => Arc::new(numbers.collect::<UInt32Array>()),
        _ => Arc::new(
            rows.iter().map(|row| row.key.address.as_ref().map(|address| address.octets())).collect::<BinaryArray>(),
        ),
    }
}
