//! What holds for the encoding of all parts, and the settings of Parquet's own writer, which encodes lists, maps and
//! text. How the other columns are encoded, and why, is in [`crate::encode`]; `examples/write_speed` measures.
//!
//! Smallest and largest values are kept a chunk, not a page, and only of columns where they can rule a chunk out: over
//! some thousand flows every port, host and size occurs.

use std::sync::LazyLock;

use arrow::datatypes::{DataType, Schema};
use finderscope_flow::{Column, Kind, Table};
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{self, Compression, Type, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::{ColumnDescriptor, ColumnPath, SchemaDescriptor};

/// Who wrote a part, as its footer says.
pub(crate) const CREATED_BY: &str = concat!("finderscope ", env!("CARGO_PKG_VERSION"));
/// Rows of a page of a merged part, the same in every column: row `r` of a part lies in its page `r / PAGE_ROWS`.
/// Only a part's last page has fewer.
pub const PAGE_ROWS: usize = 16_384;
/// Frames that a page's compressed bytes are cut into, stream by stream, so that a row costs a part of its page.
pub(crate) const FRAMES: usize = 4;
/// Entries of each frame of a merged part's dictionary, but the last; the footer says so under [`DICTIONARY_PART_KEY`].
pub(crate) const DICTIONARY_PART: usize = 4_096;
/// Where a merged part's footer says how many entries a frame of its dictionaries has. A part without it has whole ones.
pub const DICTIONARY_PART_KEY: &str = "finderscope.dictionary_part";
/// Rows of a row group of a merged part. One of very wide rows is closed earlier, but always at a page's end.
/// What a writer holds in memory is bounded by this and the next.
pub const ROW_GROUP_ROWS: usize = 1 << 20;
/// Encoded bytes after which a row group is closed.
pub(crate) const ROW_GROUP_BYTES: usize = 28 << 20;
/// Cells that are encoded at a time. The default of 1 024 costs calls.
const WRITE_BATCH: usize = 8_192;
/// Bytes of a page before compression.
const PAGE_BYTES: usize = 1 << 20;
/// A dictionary that grows past this is given up for the rest of its chunk.
const DICTIONARY_BYTES: usize = 1 << 20;

/// For whom a part is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// For the minutes until it is merged: cheap to write.
    Cut,
    /// For good: small, in pages of [`PAGE_ROWS`] and row groups of [`ROW_GROUP_ROWS`], with an offset index, so
    /// that single pages can be read.
    Merged,
}

impl Encoding {
    pub(crate) const ALL: [Self; 2] = [Self::Cut, Self::Merged];
}

/// The Parquet settings of a table's parts.
pub fn writer_properties(table: Table, encoding: Encoding) -> WriterProperties {
    static PROPERTIES: LazyLock<[[WriterProperties; 2]; 5]> =
        LazyLock::new(|| Table::ALL.map(|table| Encoding::ALL.map(|encoding| make(table, encoding))));
    // `Table::ALL` lists every table once, in the order of its bits.
    PROPERTIES[(table as u8).trailing_zeros() as usize][encoding as usize].clone()
}

fn make(table: Table, encoding: Encoding) -> WriterProperties {
    let schema = table.schema();
    let descriptor = ArrowSchemaConverter::new().convert(&schema).expect("every kind of column has a Parquet type");
    let builder = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("zstd has a level 1")))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_write_batch_size(WRITE_BATCH)
        .set_statistics_enabled(EnabledStatistics::None);
    let builder = match encoding {
        Encoding::Cut => builder
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .set_data_page_size_limit(PAGE_BYTES)
            .set_data_page_row_count_limit(usize::MAX)
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .set_offset_index_disabled(true),
        // Nothing but the count of rows may end a page: neither its bytes nor a dictionary that is given up.
        Encoding::Merged => builder
            .set_max_row_group_bytes(None)
            .set_data_page_size_limit(usize::MAX)
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_dictionary_page_size_limit(usize::MAX),
    };
    let builder = columns(&schema, &descriptor).fold(builder, |builder, (column, of)| encode(builder, column, of));
    let telling = table.columns().iter().copied().filter(|&column| is_telling(table, column));
    let with_statistics = telling.fold(builder, |builder, column| {
        builder.set_column_statistics_enabled(ColumnPath::from(column.name()), EnabledStatistics::Chunk)
    });
    with_statistics.build()
}

/// Whether the smallest and largest value of a chunk say something about it.
pub(crate) fn is_telling(table: Table, column: Column) -> bool {
    let from = [Column::ExporterAddress, Column::SamplerAddress, Column::ObservationDomainId];
    // The other tables have few rows.
    let few = table != Table::Flows;
    match column.kind() {
        Kind::List | Kind::Map => false,
        Kind::Time | Kind::Word(_) => true,
        _ => few || from.contains(&column),
    }
}

/// Each Parquet column with the type of the Arrow column that it belongs to.
fn columns<'a>(
    schema: &'a Schema,
    descriptor: &'a SchemaDescriptor,
) -> impl Iterator<Item = (&'a ColumnDescriptor, &'a DataType)> {
    descriptor.columns().iter().enumerate().map(|(leaf, column)| {
        let root = descriptor.get_column_root_idx(leaf);
        (column.as_ref(), schema.field(root).data_type())
    })
}

fn encode(builder: WriterPropertiesBuilder, column: &ColumnDescriptor, of: &DataType) -> WriterPropertiesBuilder {
    let path = column.path().clone();
    match column.physical_type() {
        Type::BYTE_ARRAY if *of == DataType::Binary => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, basic::Encoding::DELTA_LENGTH_BYTE_ARRAY),
        Type::BYTE_ARRAY => builder.set_column_dictionary_enabled(path, true),
        _ => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, basic::Encoding::BYTE_STREAM_SPLIT),
    }
}
