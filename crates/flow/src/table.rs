//! The tables that the store keeps, and their schemas.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Field, Schema, SchemaRef};

use crate::Column;

/// A table that rows are kept in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Table {
    /// Traffic: one direction of one flow, or one packet sample, a row.
    Flows = 1,
    /// sFlow counters: one structure of one sample a row.
    Counters = 2,
    /// Discarded packets.
    Drops = 4,
    /// Records without counters: NSEL, NAT, firewall.
    Events = 8,
    /// Options data: one element of one record a row.
    Options = 16,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 5] = [Self::Flows, Self::Counters, Self::Drops, Self::Events, Self::Options];

    /// The name in SQL, and of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Counters => "counters",
            Self::Drops => "drops",
            Self::Events => "events",
            Self::Options => "options",
        }
    }

    /// The table of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Its columns, in the order of its schema.
    pub fn columns(self) -> &'static [Column] {
        &layout(self).columns
    }

    /// Its Arrow schema. Each field's metadata names the column's [`crate::Kind`] as `kind`.
    pub fn schema(self) -> SchemaRef {
        Arc::clone(&layout(self).schema)
    }
}

struct Layout {
    columns: Vec<Column>,
    schema: SchemaRef,
}

fn layout(table: Table) -> &'static Layout {
    static LAYOUTS: LazyLock<[Layout; 5]> = LazyLock::new(|| Table::ALL.map(make_layout));
    // `Table::ALL` lists every table once, in the order of its bits.
    &LAYOUTS[(table as u8).trailing_zeros() as usize]
}

fn make_layout(table: Table) -> Layout {
    let columns: Vec<Column> = Column::ALL.iter().copied().filter(|column| column.is_in(table)).collect();
    let fields: Vec<Field> = columns.iter().map(|&column| field(column)).collect();
    Layout { columns, schema: Arc::new(Schema::new(fields)) }
}

fn field(column: Column) -> Field {
    let nullable = column != Column::TimeReceivedNs;
    let metadata = HashMap::from([("kind".to_owned(), column.kind().name().to_owned())]);
    Field::new(column.name(), column.kind().data_type(), nullable).with_metadata(metadata)
}
