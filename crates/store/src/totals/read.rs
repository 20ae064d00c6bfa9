//! Totals out of their file, row by row.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use finderscope_flow::Column;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::cells::{Sums, known};
use super::dimension::{Dimension, Level, columns, schema};
use super::key::{Address, Key};
use super::write::{Description, Extra, FORMATS, KEY, Row};
use crate::DiskError;
use crate::part::parquet_error;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 2_048;

/// A file of totals.
#[derive(Debug)]
pub(super) struct Totals {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    pub(super) description: Description,
}

impl Totals {
    pub(super) fn open(path: &Path) -> Result<Self, DiskError> {
        let file = File::open(path).map_err(DiskError::of("open", path))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|error| parquet_error("read", path, error))?;
        let known = metadata.schema().fields().len() >= schema().fields().len();
        let description = description(&metadata).filter(|description| known && FORMATS.contains(&description.format));
        let description = description.ok_or_else(|| damaged(path, "it is no file of totals that is known here"))?;
        Ok(Self { path: path.to_owned(), file, metadata, description })
    }

    /// The rows of a level and dimension.
    pub(super) fn rows(&self, level: Level, dimension: Dimension) -> Result<Rows, DiskError> {
        let name = dimension.at(level);
        let mut first = 0;
        let mut row_groups = Vec::new();
        for (known, count) in &self.description.row_groups {
            if *known == name {
                row_groups.extend(first..first + count);
            }
            first += count;
        }
        let file = self.file.try_clone().map_err(DiskError::of("read", &self.path))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let others = [columns::LEVEL, columns::DIMENSION];
        let wanted = schema();
        let wanted = wanted.fields().iter().map(|field| field.name().as_str()).filter(|name| {
            !others.contains(name)
                && Column::by_name(name).is_none_or(|column| {
                    !super::dimension::GROUPED.contains(&column) || dimension.columns().contains(&column)
                })
        });
        let projection = ProjectionMask::columns(builder.parquet_schema(), wanted);
        let reader = builder
            .with_row_groups(row_groups)
            .with_projection(projection)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| parquet_error("read", &self.path, error))?;
        Ok(Rows { path: self.path.clone(), dimension, reader, rows: Vec::new().into_iter() })
    }
}

/// The rows of one level and dimension, in the order of the file.
pub(super) struct Rows {
    path: PathBuf,
    dimension: Dimension,
    reader: ParquetRecordBatchReader,
    rows: std::vec::IntoIter<Row>,
}

impl Rows {
    pub(super) fn next(&mut self) -> Result<Option<Row>, DiskError> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            let Some(batch) = self.reader.next() else { return Ok(None) };
            let batch = batch.map_err(|error| damaged(&self.path, &error.to_string()))?;
            let rows = rows(&batch, self.dimension);
            self.rows = rows.ok_or_else(|| damaged(&self.path, "its columns are not those of totals"))?.into_iter();
        }
    }
}

fn damaged(path: &Path, why: &str) -> DiskError {
    DiskError::of("read", path)(io::Error::new(io::ErrorKind::InvalidData, why.to_owned()))
}

fn description(metadata: &ArrowReaderMetadata) -> Option<Description> {
    let pairs = metadata.metadata().file_metadata().key_value_metadata()?;
    let text = pairs.iter().find(|pair| pair.key == KEY)?.value.as_deref()?;
    serde_json::from_str(text).ok()
}

fn rows(batch: &RecordBatch, dimension: Dimension) -> Option<Vec<Row>> {
    let numbers = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<UInt64Type>()?.clone());
    let times = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<TimestampNanosecondType>()?.clone());
    let [time, first, last] = [times(columns::TIME)?, times(columns::FIRST)?, times(columns::LAST)?];
    let [flows, sampled, assumed] =
        [numbers(columns::FLOWS)?, numbers(columns::FLOWS_SAMPLED)?, numbers(columns::BYTES_ASSUMED)?];
    let [bytes, packets] = [numbers("bytes")?, numbers("packets")?];
    let [bytes_scaled, packets_scaled] = [numbers(columns::BYTES_SCALED)?, numbers(columns::PACKETS_SCALED)?];
    let keys = keys(batch, dimension)?;
    let row = |(row, key): (usize, Key)| Row {
        key,
        time_ns: time.is_valid(row).then(|| time.value(row)),
        sums: Sums {
            flows: flows.value(row),
            // What is null has zero below it or anything: it is not known, and adds nothing.
            bytes: or(&bytes, &bytes, row),
            packets: or(&packets, &packets, row),
            bytes_scaled: or(&bytes_scaled, &bytes, row),
            packets_scaled: or(&packets_scaled, &packets, row),
            flows_sampled: sampled.value(row),
            known: known(bytes.is_valid(row), packets.is_valid(row)),
        },
        extra: assumed.is_valid(row).then(|| Extra {
            bytes_assumed: assumed.value(row),
            first_ns: first.value(row),
            last_ns: last.value(row),
        }),
    };
    Some(keys.into_iter().enumerate().map(row).collect())
}

/// A number, or where it is null the other, or nothing.
fn or(numbers: &UInt64Array, other: &UInt64Array, row: usize) -> u64 {
    [numbers, other].into_iter().find(|numbers| numbers.is_valid(row)).map_or(0, |numbers| numbers.value(row))
}

fn keys(batch: &RecordBatch, dimension: Dimension) -> Option<Vec<Key>> {
    let mut keys = vec![Key::default(); batch.num_rows()];
    if let Some(column) = dimension.address() {
        let cells = batch.column_by_name(column.name())?.as_binary_opt::<i32>()?;
        for (key, cell) in keys.iter_mut().zip(cells) {
            key.address = match cell {
                Some(cell) => Some(Address::new(cell)?),
                None => None,
            };
        }
    }
    if let Some(column) = dimension.number() {
        let cells = batch.column_by_name(column.name())?;
        let numbers: Vec<Option<u32>> = match cells.data_type() {
            DataType::UInt8 => cells.as_primitive::<UInt8Type>().iter().map(|cell| cell.map(u32::from)).collect(),
            DataType::UInt16 => cells.as_primitive::<UInt16Type>().iter().map(|cell| cell.map(u32::from)).collect(),
            DataType::UInt32 => cells.as_primitive::<UInt32Type>().iter().collect(),
            _ => return None,
        };
        for (key, number) in keys.iter_mut().zip(numbers) {
            key.number = number;
        }
    }
    Some(keys)
}
