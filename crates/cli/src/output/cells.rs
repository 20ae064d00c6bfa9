//! The cells of a batch as a table shows them: exact, times in a zone, nulls as a dash.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampNanosecondType};
use arrow::error::ArrowError;
use finderscope_flow::text;

use super::local::{Zone, digits};
use super::table::Column;

/// Stands where there is nothing.
pub const NOTHING: &str = "-";

/// Makes a table's rows of batches of one schema.
#[derive(Debug)]
pub struct Cells {
    zone: Zone,
    /// Digits of a second that each column has had to show so far.
    digits: Vec<u8>,
}

impl Cells {
    /// For batches of `schema`.
    pub fn new(schema: &Schema, zone: Zone) -> Self {
        Self { zone, digits: vec![0; schema.fields().len()] }
    }

    /// The table's columns: numbers on the right, times with their zone.
    pub fn columns(&self, schema: &Schema) -> Vec<Column> {
        schema.fields().iter().map(|field| self.column(field)).collect()
    }

    fn column(&self, field: &Field) -> Column {
        let name = text::plain_text(field.name()).into_owned();
        match field.data_type() {
            DataType::Timestamp(..) => Column::left(format!("{name} ({})", self.zone.name())),
            data_type if data_type.is_numeric() && !is_mac(field) => Column::right(name),
            _ => Column::left(name),
        }
    }

    /// The rows of a batch, cell by cell.
    pub fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<Vec<String>>, ArrowError> {
        let mut rows: Vec<Vec<String>> = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
        for (at, (array, field)) in batch.columns().iter().zip(batch.schema().fields()).enumerate() {
            match field.data_type() {
                DataType::Timestamp(..) => self.times(array, at, &mut rows)?,
                _ => plain(array, field, &mut rows)?,
            }
        }
        Ok(rows)
    }

    fn times(&mut self, array: &dyn Array, at: usize, rows: &mut [Vec<String>]) -> Result<(), ArrowError> {
        let zone = match array.data_type() {
            DataType::Timestamp(_, zone) => zone.clone(),
            _ => None,
        };
        let array = cast(array, &DataType::Timestamp(TimeUnit::Nanosecond, zone))?;
        let times = array.as_primitive::<TimestampNanosecondType>();
        self.digits[at] = self.digits[at].max(digits(times.iter().flatten()));
        for (time, row) in times.iter().zip(rows) {
            row.push(time.map_or_else(|| NOTHING.to_owned(), |time| self.zone.time(time, self.digits[at])));
        }
        Ok(())
    }
}

fn plain(array: &dyn Array, field: &Field, rows: &mut [Vec<String>]) -> Result<(), ArrowError> {
    let cells = text::Cells::new(array, field)?;
    let mut bytes = Vec::new();
    for (at, row) in rows.iter_mut().enumerate() {
        bytes.clear();
        cells.write_plain(&mut bytes, at);
        let cell = String::from_utf8_lossy(&bytes);
        row.push(if cells.is_null(at) { NOTHING.to_owned() } else { cell.into_owned() });
    }
    Ok(())
}

fn is_mac(field: &Field) -> bool {
    field.metadata().get("kind").is_some_and(|kind| kind == "mac")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::sync::Arc;

    use arrow::array::{ArrayRef, BinaryArray, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array};

    use super::{Cells, Zone};
    use crate::output::table::Align;

    #[test]
    fn cells_are_exact_escaped_and_never_blank() {
        let columns: [(&str, ArrayRef); 4] = [
            ("addr", Arc::new(BinaryArray::from_opt_vec(vec![Some(&[10, 1, 2, 3]), None]))),
            ("name", Arc::new(StringArray::from(vec!["a\u{1b}[2J\u{202e}b", "plain"]))),
            ("bytes", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
            ("time", Arc::new(TimestampNanosecondArray::from(vec![1_500_000_000, 0]).with_timezone("UTC"))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut cells = Cells::new(&batch.schema(), Zone::utc());
        let rows = cells.rows(&batch).unwrap();
        assert_eq!(rows[0], ["10.1.2.3", "a\\u001b[2J\\u202eb", "18446744073709551615", "1970-01-01 00:00:01.500"]);
        assert_eq!(rows[1], ["-", "plain", "0", "1970-01-01 00:00:00.000"]);
        let columns = cells.columns(&batch.schema());
        assert_eq!(columns[3].header, "time (UTC)");
        assert_eq!(
            columns.iter().map(|column| column.align == Align::Right).collect::<Vec<_>>(),
            [false, false, true, false]
        );
    }
}
