//! A part that is merged, read from beginning to end.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::layout::hour_of;
use crate::part::Tally;
use crate::settings::PAGE_ROWS;
use crate::{Part, split};

/// The rows of a part, in batches of its table's columns.
pub(crate) struct Source<'a> {
    part: &'a Part,
    rows: ParquetRecordBatchReader,
    schema: SchemaRef,
    tally: Tally,
}

impl<'a> Source<'a> {
    /// Opens it, or says why it cannot be merged.
    pub(crate) fn open(path: &Path, part: &'a Part) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let schema = part.table.schema();
        fits(reader.schema(), &schema)?;
        let rows = reader.with_batch_size(PAGE_ROWS).build().map_err(|error| error.to_string())?;
        Ok(Self { part, rows, schema, tally: Tally::new(part.table) })
    }

    /// The next rows. At the end it says whether they were what the manifest promised.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>, String> {
        let Some(batch) = self.rows.next() else { return self.check().map(|()| None) };
        let batch = with_columns(&batch.map_err(|error| error.to_string())?, &self.schema)?;
        let (first, last) = split::span(split::received(&batch));
        let hour = hour_of(self.part.min_received_ns);
        if batch.num_rows() > 0 && (hour_of(first), hour_of(last)) != (hour, hour) {
            return Err("it has rows of another hour".to_owned());
        }
        self.tally.add(&batch);
        Ok(Some(batch))
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

/// A column that an older program did not have is null.
fn with_columns(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, String> {
    let column = |field: &Arc<arrow::datatypes::Field>| -> ArrayRef {
        let found = batch.column_by_name(field.name());
        found.map_or_else(|| new_null_array(field.data_type(), batch.num_rows()), Arc::clone)
    };
    let columns = schema.fields().iter().map(column).collect();
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| error.to_string())
}
