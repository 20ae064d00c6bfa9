//! What a column's cells are, and how Arrow keeps them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

/// The type of a column's cells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One byte.
    U8,
    /// Two bytes.
    U16,
    /// Four bytes.
    U32,
    /// Eight bytes.
    U64,
    /// Nanoseconds since 1970, UTC.
    Time,
    /// An IP address: 4 or 16 bytes, as it came.
    Address,
    /// A MAC address in the lower 48 bits, as in goflow2's messages.
    Mac,
    /// UTF-8 text.
    Text,
    /// One of a few fixed words.
    Word(&'static [&'static str]),
    /// A list of numbers.
    List,
    /// Names and values.
    Map,
}

impl Kind {
    /// The name that documentation and field metadata use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::Time => "time",
            Self::Address => "address",
            Self::Mac => "mac",
            Self::Text => "text",
            Self::Word(_) => "word",
            Self::List => "list",
            Self::Map => "map",
        }
    }

    /// How Arrow keeps it.
    pub fn data_type(self) -> DataType {
        match self {
            Self::U8 => DataType::UInt8,
            Self::U16 => DataType::UInt16,
            Self::U32 => DataType::UInt32,
            Self::U64 | Self::Mac => DataType::UInt64,
            Self::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some(Arc::from("UTC"))),
            Self::Address => DataType::Binary,
            Self::Text => DataType::Utf8,
            Self::Word(_) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::List => DataType::List(list_item()),
            Self::Map => DataType::Map(map_entries(), false),
        }
    }
}

/// The field of a list's items.
pub(crate) fn list_item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::UInt32, false))
}

/// The field of a map's entries.
pub(crate) fn map_entries() -> Arc<Field> {
    Arc::new(Field::new("entries", DataType::Struct(map_fields()), false))
}

/// The key and value of a map.
pub(crate) fn map_fields() -> Fields {
    Fields::from(vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)])
}
