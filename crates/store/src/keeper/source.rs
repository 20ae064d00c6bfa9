//! A part that is merged, read from beginning to end.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::layout::hour_of;
use crate::part::Tally;
use crate::settings::PAGE_ROWS;
use crate::{Part, is_null, split};

/// The rows of a part, in batches of its table's columns.
pub(crate) struct Source<'a> {
    part: &'a Part,
    rows: ParquetRecordBatchReader,
    schema: SchemaRef,
    /// Columns of nulls, one of each type, for those that the part lacks.
    nulls: Vec<ArrayRef>,
    tally: Tally,
}

impl<'a> Source<'a> {
    /// Opens it, or says why it cannot be merged.
    pub(crate) fn open(path: &Path, part: &'a Part) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let schema = part.table.schema();
        fits(reader.schema(), &schema)?;
        let telling = ProjectionMask::roots(reader.parquet_schema(), with_values(&reader));
        let rows = reader.with_projection(telling).with_batch_size(PAGE_ROWS).build();
        let rows = rows.map_err(|error| error.to_string())?;
        Ok(Self { part, rows, schema, nulls: Vec::new(), tally: Tally::new(part.table) })
    }

    /// The next rows. At the end it says whether they were what the manifest promised.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>, String> {
        let Some(batch) = self.rows.next() else { return self.check().map(|()| None) };
        let batch = self.with_columns(&batch.map_err(|error| error.to_string())?)?;
        let (first, last) = split::span(split::received(&batch));
        let hour = hour_of(self.part.min_received_ns);
        if batch.num_rows() > 0 && (hour_of(first), hour_of(last)) != (hour, hour) {
            return Err("it has rows of another hour".to_owned());
        }
        self.tally.add(&batch);
        Ok(Some(batch))
    }

    /// A column that the part lacks is null.
    fn with_columns(&mut self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let schema = Arc::clone(&self.schema);
        let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
            Some(found) => Arc::clone(found),
            None => self.nulls(field.data_type(), batch.num_rows()),
        });
        RecordBatch::try_new(Arc::clone(&schema), columns.collect()).map_err(|error| error.to_string())
    }

    fn nulls(&mut self, of: &DataType, rows: usize) -> ArrayRef {
        if let Some(known) = self.nulls.iter().find(|known| known.data_type() == of) {
            return known.slice(0, rows);
        }
        let nulls = new_null_array(of, PAGE_ROWS);
        self.nulls.push(Arc::clone(&nulls));
        nulls.slice(0, rows)
    }

    fn check(&self) -> Result<(), String> {
        let Tally { rows, min_received_ns, max_received_ns, sums } = self.tally;
        let part = self.part;
        if rows != part.rows {
            return Err(format!("it holds {rows} rows and should hold {}", part.rows));
        }
        let same = (min_received_ns, max_received_ns) == (part.min_received_ns, part.max_received_ns);
        if same && (part.sums.is_none() || sums == part.sums) {
            Ok(())
        } else {
            Err("its rows do not add up to what was stored".to_owned())
        }
    }
}

/// A column that this program does not know would be lost, and one of another type cannot be kept.
fn fits(found: &Schema, known: &Schema) -> Result<(), String> {
    for field in found.fields() {
        match known.field_with_name(field.name()) {
            Ok(known) if known.data_type() == field.data_type() => {}
            Ok(known) => {
                return Err(format!("its column {} is {}, not {}", field.name(), field.data_type(), known.data_type()));
            }
            Err(_) => return Err(format!("its column {} is not known", field.name())),
        }
    }
    Ok(())
}

/// The columns that have a value somewhere, as the footer says. Most columns of a part have none.
fn with_values(reader: &ParquetRecordBatchReaderBuilder<File>) -> BTreeSet<usize> {
    let schema = reader.parquet_schema();
    let leaves = (0..schema.num_columns())
        .filter(|&leaf| reader.metadata().row_groups().iter().any(|group| !is_null(group.column(leaf))));
    leaves.map(|leaf| schema.get_column_root_idx(leaf)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use arrow::array::RecordBatchReader;
    use finderscope_flow::{Builder, Column, Table};
    use parquet::file::metadata::KeyValue;

    use super::*;
    use crate::{Encoding, PartWriter};

    const HOUR_NS: i64 = 490_896 * 3_600_000_000_000;
    const ROWS: usize = 40;

    /// Rows with times only, or with an empty list in every second one, too.
    fn rows(empty: bool) -> RecordBatch {
        let mut flows = Builder::new(Table::Flows);
        flows.time(Column::TimeReceivedNs).extend((0..ROWS).map(|row| HOUR_NS + row as i64));
        for row in (0..ROWS).filter(|_| empty) {
            if row % 2 == 0 {
                flows.list(Column::AsPath).push(std::iter::empty());
            } else {
                flows.list(Column::AsPath).push_nulls(1);
            }
        }
        flows.advance(ROWS);
        flows.finish()
    }

    /// Written as a part, and read to be merged.
    fn through(path: &Path, encoding: Encoding, rows: &RecordBatch) -> (RecordBatch, usize) {
        let mut writer = PartWriter::new(Arc::new(File::create(path).unwrap()), Table::Flows, encoding).unwrap();
        writer.write(rows).unwrap();
        writer.finish(KeyValue::new("test".to_owned(), None)).unwrap();
        let part = Part {
            min_received_ns: HOUR_NS,
            max_received_ns: HOUR_NS + ROWS as i64 - 1,
            rows: ROWS as u64,
            table: Table::Flows,
            path: String::new(),
            file_bytes: 0,
            origin: None,
            sums: None,
            index: None,
        };
        let mut source = Source::open(path, &part).unwrap();
        let read = source.rows.schema().fields().len();
        let found = source.next().unwrap().unwrap();
        assert!(source.next().unwrap().is_none());
        (found, read)
    }

    #[test]
    fn empty_lists_stay_what_they_are_and_columns_of_nulls_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        for encoding in Encoding::ALL {
            let path = dir.path().join("part.parquet");
            for (empty, read) in [(false, 1), (true, 2)] {
                let rows = rows(empty);
                assert_eq!(through(&path, encoding, &rows), (rows, read), "{encoding:?}");
            }
        }
    }
}
