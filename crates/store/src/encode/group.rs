//! What the footer says of one row group.

use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::schema::types::SchemaDescPtr;

/// A row group's chunks so far, in the order of the schema, and their offset indexes.
#[derive(Default)]
pub(super) struct Group {
    pub(super) chunks: Vec<ColumnChunkMetaData>,
    pub(super) pages: Vec<OffsetIndexMetaData>,
}

impl Group {
    pub(super) fn add(&mut self, (chunk, pages): (ColumnChunkMetaData, OffsetIndexMetaData)) {
        self.chunks.push(chunk);
        self.pages.push(pages);
    }

    /// The whole group, the `ordinal`th of the file.
    pub(super) fn finish(
        self,
        schema: &SchemaDescPtr,
        rows: usize,
        ordinal: usize,
        at: usize,
    ) -> Result<RowGroupMetaData> {
        let plain = self.chunks.iter().map(ColumnChunkMetaData::uncompressed_size).sum();
        let group = RowGroupMetaData::builder(schema.clone())
            .set_column_metadata(self.chunks)
            .set_total_byte_size(plain)
            .set_num_rows(rows as i64)
            .set_file_offset(at as i64);
        // The ordinal has 16 bits, and is of use to nobody but encryption.
        match i16::try_from(ordinal) {
            Ok(ordinal) => group.set_ordinal(ordinal).build(),
            Err(_) => group.build(),
        }
    }
}
