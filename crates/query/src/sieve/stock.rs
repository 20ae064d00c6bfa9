//! Lists, maps and text of the rows that are left, by the general reader.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Result, internal_err};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::ParquetMetaData;

use super::group::Group;
use crate::schema::to_type;

/// The columns of a file that are read the general way.
#[derive(Debug)]
pub(super) struct Stock {
    /// Which of the table's they are, under which name and as which type.
    columns: Vec<(usize, String, DataType)>,
    mask: ProjectionMask,
    metadata: ArrowReaderMetadata,
}

impl Stock {
    /// Nothing where there are no such columns.
    pub(super) fn new(metadata: &Arc<ParquetMetaData>, table: &Schema, columns: &[usize]) -> Result<Option<Self>> {
        if columns.is_empty() {
            return Ok(None);
        }
        let field =
            |&column: &usize| (column, table.field(column).name().clone(), table.field(column).data_type().clone());
        let columns: Vec<_> = columns.iter().map(field).collect();
        let schema = metadata.file_metadata().schema_descr();
        let mask = ProjectionMask::columns(schema, columns.iter().map(|(_, name, _)| name.as_str()));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata), ArrowReaderOptions::new())?;
        Ok(Some(Self { columns, mask, metadata }))
    }

    /// The cells of these rows of a row group.
    pub(super) fn read(&self, group: &Group, rows: &[u32]) -> Result<HashMap<usize, ArrayRef>> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(group.file(), self.metadata.clone());
        let reader = builder
            .with_row_groups(vec![group.at()])
            .with_projection(self.mask.clone())
            .with_row_selection(selection(rows))
            .with_batch_size(rows.len())
            .build()?;
        let schema = arrow::array::RecordBatchReader::schema(&reader);
        let batches = reader.collect::<Result<Vec<_>, _>>()?;
        let batch = concat_batches(&schema, &batches)?;
        if batch.num_rows() != rows.len() {
            return internal_err!("{} rows of {}", batch.num_rows(), rows.len());
        }
        let cells = |(column, name, data_type): &(usize, String, DataType)| match batch.column_by_name(name) {
            Some(cells) => Ok((*column, to_type(cells, data_type)?)),
            None => internal_err!("no column {name}"),
        };
        self.columns.iter().map(cells).collect()
    }
}

/// Rows, which rise, as stretches.
fn selection(rows: &[u32]) -> RowSelection {
    let mut selectors = Vec::new();
    let mut done = 0;
    for together in rows.chunk_by(|one, next| one + 1 == *next) {
        let first = together.first().map_or(done, |&first| first as usize);
        selectors.push(RowSelector::skip(first - done));
        selectors.push(RowSelector::select(together.len()));
        done = first + together.len();
    }
    selectors.into()
}
