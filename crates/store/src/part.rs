//! One part while it is written: rows into Parquet, and what the manifest will say of them.
//!
//! The part's own description is also kept in its footer (key `finderscope`), so that a part that a damaged manifest
//! no longer names can be known again.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use finderscope_flow::{Column, Table};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};
use serde::{Deserialize, Serialize};

use crate::disk::{self, Probe, Step};
use crate::settings::writer_properties;
use crate::{DiskError, Sums, split};

/// The footer's key.
const KEY: &str = "finderscope";

/// A part that takes rows.
pub(crate) struct OpenPart {
    pub(crate) table: Table,
    pub(crate) hour: i64,
    path: PathBuf,
    writer: ArrowWriter<Arc<File>>,
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
    pub(crate) fn create(table: Table, hour: i64, path: PathBuf) -> Result<Self, DiskError> {
        let file = Arc::new(disk::create(&path)?);
        let writer = ArrowWriter::try_new(Arc::clone(&file), table.schema(), Some(writer_properties(table)))
            .map_err(|error| parquet_error("write", &path, error))?;
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
    pub(crate) fn close(mut self) -> Result<WholePart, DiskError> {
        let description = serde_json::to_string(&self.tally).expect("numbers always have a JSON form");
        self.writer.append_key_value_metadata(KeyValue::new(KEY.to_owned(), description));
        self.writer.finish().map_err(|error| parquet_error("write", &self.path, error))?;
        let Self { table, hour, path, file, tally, .. } = self;
        let file_bytes = file.metadata().map_err(DiskError::of("read", &path))?.len();
        Ok(WholePart { table, hour, path, file_bytes, tally, file })
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
    fn new(table: Table) -> Self {
        let sums = Column::Bytes.is_in(table).then(Sums::default);
        Self { rows: 0, min_received_ns: i64::MAX, max_received_ns: i64::MIN, sums }
    }

    fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        let (first, last) = split::span(split::received(batch));
        self.min_received_ns = self.min_received_ns.min(first);
        self.max_received_ns = self.max_received_ns.max(last);
        self.sums = self.sums.and_then(|sums| sums.plus(batch));
    }
}

impl Sums {
    /// With a batch's rows; `None` where a sum, or one row's product, is beyond 64 bits.
    fn plus(mut self, batch: &RecordBatch) -> Option<Self> {
        let column = |column: Column| batch.column_by_name(column.name());
        let rate = column(Column::SamplingRate)?;
        let bytes = scaled(column(Column::Bytes)?, rate)?;
        let packets = scaled(column(Column::Packets)?, rate)?;
        let fields = [
            (&mut self.bytes, bytes.plain),
            (&mut self.packets, packets.plain),
            (&mut self.bytes_scaled, bytes.scaled),
            (&mut self.packets_scaled, packets.scaled),
            (&mut self.bytes_assumed, bytes.assumed),
            (&mut self.packets_assumed, packets.assumed),
        ];
        for (field, more) in fields {
            *field = field.checked_add(more)?;
        }
        Some(self)
    }
}

#[derive(Default)]
struct Scaled {
    plain: u64,
    scaled: u64,
    assumed: u64,
}

fn scaled(values: &ArrayRef, rates: &ArrayRef) -> Option<Scaled> {
    let (values, rates) = (values.as_primitive::<UInt64Type>(), rates.as_primitive::<UInt64Type>());
    let (mut plain, mut scaled, mut assumed) = (0u128, 0u128, 0u128);
    if values.null_count() == values.len() {
        return Some(Scaled::default());
    }
    if values.null_count() == 0 && rates.null_count() == rates.len() {
        plain = values.values().iter().map(|&value| u128::from(value)).sum();
        (scaled, assumed) = (plain, plain);
    } else {
        for (value, rate) in values.iter().zip(rates) {
            let value = value.unwrap_or(0);
            let product = value.checked_mul(rate.unwrap_or(1))?;
            plain += u128::from(value);
            scaled += u128::from(product);
            assumed += u128::from(if rate.is_none() { value } else { 0 });
        }
    }
    let [plain, scaled, assumed] = [plain, scaled, assumed].map(|sum| u64::try_from(sum).ok());
    Some(Scaled { plain: plain?, scaled: scaled?, assumed: assumed? })
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
fn parquet_error(doing: &'static str, path: &Path, error: ParquetError) -> DiskError {
    let source = match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    };
    DiskError { doing, path: path.to_owned(), source }
}
