//! What is the same in all parts of a table: the schema as Parquet has it, and per column what encoding needs to know.

use std::io;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Schema, SchemaRef};
use finderscope_flow::{Kind, Table};
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, encode_arrow_schema};
use parquet::basic::ColumnOrder;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr, SchemaDescriptor};

use crate::settings::{DICTIONARY_PART, DICTIONARY_PART_KEY, Encoding, is_telling, writer_properties};

/// A table's parts.
pub(super) struct Layout {
    pub(super) schema: SchemaDescPtr,
    pub(super) orders: Vec<ColumnOrder>,
    /// What every footer says: the Arrow schema, and how dictionaries are cut.
    pub(super) told: Vec<KeyValue>,
    pub(super) fields: Vec<Field>,
}

/// One column.
pub(super) struct Field {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// Whether its smallest and largest values are worth keeping.
    pub(super) telling: bool,
    /// Its Parquet columns: one, but for maps.
    pub(super) leaves: Vec<ColumnDescPtr>,
    pub(super) stock: StockField,
}

/// What Parquet's own writer needs for a column.
pub(super) struct StockField {
    pub(super) arrow: SchemaRef,
    pub(super) schema: SchemaDescPtr,
    pub(super) properties: WriterPropertiesPtr,
    pub(super) factory: ArrowRowGroupWriterFactory,
}

/// The layout of a table's parts.
pub(super) fn layout(table: Table, encoding: Encoding) -> &'static Layout {
    static LAYOUTS: LazyLock<[[Layout; 2]; 5]> =
        LazyLock::new(|| Table::ALL.map(|table| Encoding::ALL.map(|encoding| make(table, encoding))));
    // `Table::ALL` lists every table once, in the order of its bits.
    &LAYOUTS[(table as u8).trailing_zeros() as usize][encoding as usize]
}

fn make(table: Table, encoding: Encoding) -> Layout {
    let arrow = table.schema();
    let schema = convert(&arrow);
    let orders = schema.columns().iter().map(|column| {
        let (logical, converted) = (column.logical_type_ref(), column.converted_type());
        ColumnOrder::TYPE_DEFINED_ORDER(ColumnOrder::sort_order_for_type(logical, converted, column.physical_type()))
    });
    let properties = Arc::new(writer_properties(table, encoding));
    let fields = table.columns().iter().enumerate().map(|(at, &column)| {
        let leaves = schema.columns().iter().enumerate();
        let leaves = leaves.filter(|(leaf, _)| schema.get_column_root_idx(*leaf) == at);
        let arrow = Arc::new(Schema::new(vec![arrow.field(at).clone()]));
        Field {
            kind: column.kind(),
            nullable: arrow.field(0).is_nullable(),
            telling: is_telling(table, column),
            leaves: leaves.map(|(_, leaf)| Arc::clone(leaf)).collect(),
            stock: stock(arrow, &properties),
        }
    });
    let mut told = vec![KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), encode_arrow_schema(&arrow))];
    if encoding == Encoding::Merged {
        told.push(KeyValue::new(DICTIONARY_PART_KEY.to_owned(), DICTIONARY_PART.to_string()));
    }
    Layout { orders: orders.collect(), fields: fields.collect(), told, schema }
}

fn convert(schema: &Schema) -> Arc<SchemaDescriptor> {
    Arc::new(ArrowSchemaConverter::new().convert(schema).expect("every kind of column has a Parquet type"))
}

fn stock(arrow: SchemaRef, properties: &WriterPropertiesPtr) -> StockField {
    let schema = convert(&arrow);
    // A factory is only to be had from a file's writer; this one writes nowhere.
    let root = Arc::clone(&schema.root_schema_ptr());
    let file = SerializedFileWriter::new(io::sink(), root, Arc::clone(properties)).expect("nowhere is never full");
    let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(&arrow));
    StockField { arrow, schema, properties: Arc::clone(properties), factory }
}
