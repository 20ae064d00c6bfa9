//! Columns that Parquet's own writer encodes: lists, maps and text, which are rare.

use arrow::array::ArrayRef;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedRowGroupWriter;

use super::chunk::Sink;
use super::group::Group;
use super::layout::StockField;

/// A column's chunks while they take rows.
pub(super) struct Stock {
    writers: Vec<ArrowColumnWriter>,
}

impl Stock {
    pub(super) fn new(field: &StockField) -> Result<Self> {
        Ok(Self { writers: field.factory.create_column_writers(0)? })
    }

    /// Adds rows.
    pub(super) fn write(&mut self, field: &StockField, array: &ArrayRef) -> Result<()> {
        let leaves = compute_leaves(field.arrow.field(0), array)?;
        self.writers.iter_mut().zip(&leaves).try_for_each(|(writer, leaf)| writer.write(leaf))
    }

    /// Bytes in memory.
    pub(super) fn memory(&self) -> usize {
        self.writers.iter().map(ArrowColumnWriter::memory_size).sum()
    }

    /// Writes the chunks into the file.
    ///
    /// A chunk can only be had as part of a row group, so it becomes one of this column alone, at the same place.
    pub(super) fn finish(self, field: &StockField, sink: &mut Sink, group: &mut Group) -> Result<()> {
        let Group { chunks, pages } = group;
        let (schema, properties) = (field.schema.clone(), field.properties.clone());
        let done = move |_: &mut Sink, own: parquet::file::metadata::RowGroupMetaData, _, _, offsets: Vec<_>| {
            chunks.extend_from_slice(own.columns());
            pages.extend(offsets.into_iter().flatten());
            Ok::<_, ParquetError>(())
        };
        let mut own = SerializedRowGroupWriter::new(schema, properties, sink, 0, Some(Box::new(done)));
        for writer in self.writers {
            writer.close()?.append_to_row_group(&mut own)?;
        }
        own.close()?;
        Ok(())
    }
}
