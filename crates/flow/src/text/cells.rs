//! The cells of one column, ready to be written: types and offsets are looked up once per batch, not per cell.

use std::ops::Range;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, LargeBinaryArray,
    LargeStringArray, StringArray, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{self as arrow_types, DataType, Field, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::time::Clock;
use crate::Kind;

/// The cells of one column.
///
/// What they look like is told by the field's metadata (`kind`, see [`crate::Kind`]) where Arrow's type alone does
/// not say it, which is so for MAC addresses; a query's answers, which have types of the query engine's choosing
/// and no such metadata, are written by type.
#[derive(Debug)]
pub struct Cells<'a> {
    len: usize,
    nulls: Option<NullBuffer>,
    pub(super) values: Values<'a>,
}

#[derive(Debug)]
pub(super) enum Values<'a> {
    Null,
    Boolean(&'a BooleanArray),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    F32(&'a [f32]),
    F64(&'a [f64]),
    Mac(&'a [u64]),
    Time {
        values: &'a [i64],
        per_second: i64,
        clock: Clock,
    },
    Date32(&'a [i32]),
    Date64(&'a [i64]),
    Bytes(&'a BinaryArray),
    LargeBytes(&'a LargeBinaryArray),
    BytesView(&'a BinaryViewArray),
    FixedBytes(&'a FixedSizeBinaryArray),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    TextView(&'a StringViewArray),
    Dictionary {
        keys: Vec<usize>,
        values: Box<Cells<'a>>,
    },
    List {
        offsets: Offsets<'a>,
        items: Box<Cells<'a>>,
    },
    Map {
        offsets: Offsets<'a>,
        keys: Box<Cells<'a>>,
        values: Box<Cells<'a>>,
    },
    Struct(Vec<(&'a str, Cells<'a>)>),
    /// What Arrow prints as a number.
    Decimal(Formatter<'a>),
    /// What only Arrow knows how to print.
    Other(Formatter<'a>),
}

/// Where the items of a row are.
#[derive(Debug)]
pub(super) enum Offsets<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
    Fixed(usize),
}

impl Offsets<'_> {
    pub(super) fn of(&self, row: usize) -> Range<usize> {
        match self {
            Self::Small(ends) => ends[row] as usize..ends[row + 1] as usize,
            Self::Large(ends) => ends[row] as usize..ends[row + 1] as usize,
            Self::Fixed(length) => row * length..(row + 1) * length,
        }
    }
}

/// Arrow's own way to print an array.
pub(super) struct Formatter<'a>(ArrayFormatter<'a>);

impl std::fmt::Debug for Formatter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Formatter")
    }
}

impl Formatter<'_> {
    pub(super) fn text(&self, row: usize) -> String {
        self.0.value(row).to_string()
    }
}

impl<'a> Cells<'a> {
    /// The cells of `array`, a column of `field`.
    ///
    /// Fails for types that Arrow itself cannot print.
    pub fn new(array: &'a dyn Array, field: &'a Field) -> Result<Self, ArrowError> {
        let values = if array.null_count() == array.len() { Values::Null } else { values(array, field)? };
        Ok(Self { len: array.len(), nulls: array.logical_nulls(), values })
    }

    /// How many cells there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the cell is null.
    pub fn is_null(&self, row: usize) -> bool {
        matches!(self.values, Values::Null) || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Whether any cell may be null.
    pub(super) const fn has_nulls(&self) -> bool {
        self.nulls.is_some()
    }

    /// Whether every cell is null, as of a column that no record of the batch had.
    pub const fn all_null(&self) -> bool {
        matches!(self.values, Values::Null)
    }

    /// Whether two cells, neither of them null, surely are the same, where that is quicker to know than a cell
    /// is to write.
    pub(super) fn same(&self, one: usize, other: usize) -> bool {
        match &self.values {
            Values::U8(values) => values[one] == values[other],
            Values::U16(values) => values[one] == values[other],
            Values::U32(values) => values[one] == values[other],
            Values::U64(values) | Values::Mac(values) => values[one] == values[other],
            Values::I64(values) | Values::Time { values, .. } => values[one] == values[other],
            Values::Dictionary { keys, .. } => keys[one] == keys[other],
            Values::Bytes(array) => same_bytes(array.value(one), array.value(other)),
            Values::BytesView(array) => same_bytes(array.value(one), array.value(other)),
            _ => false,
        }
    }

    /// Whether cells have neither blanks nor quotes nor commas in them, unless they are empty.
    pub(super) const fn is_bare(&self) -> bool {
        !matches!(
            self.values,
            Values::Text(_)
                | Values::LargeText(_)
                | Values::TextView(_)
                | Values::Dictionary { .. }
                | Values::List { .. }
                | Values::Map { .. }
                | Values::Struct(_)
                | Values::Other(_)
        )
    }

    /// Writes a cell as a JSON value. A null is `null`; members of structures that are null are left out.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_json(&self, out: &mut Vec<u8>, row: usize) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
        } else {
            self.values.write_json(out, row);
        }
    }

    /// Writes a cell for tables and CSV: nothing for a null, text without quotes, the items of a list with
    /// blanks between them, and structures as JSON.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_plain(&self, out: &mut Vec<u8>, row: usize) {
        if !self.is_null(row) {
            self.values.write_plain(out, row);
        }
    }
}

/// Whether two addresses are the same; of those that are 4 bytes long, without a call.
pub(super) fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    match (<[u8; 4]>::try_from(one), <[u8; 4]>::try_from(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn values<'a>(array: &'a dyn Array, field: &'a Field) -> Result<Values<'a>, ArrowError> {
    use DataType as D;
    Ok(match array.data_type() {
        D::Null => Values::Null,
        D::Boolean => Values::Boolean(array.as_boolean()),
        D::UInt8 => Values::U8(array.as_primitive::<arrow_types::UInt8Type>().values()),
        D::UInt16 => Values::U16(array.as_primitive::<arrow_types::UInt16Type>().values()),
        D::UInt32 => Values::U32(array.as_primitive::<arrow_types::UInt32Type>().values()),
        D::UInt64 if is_mac(field) => Values::Mac(array.as_primitive::<arrow_types::UInt64Type>().values()),
        D::UInt64 => Values::U64(array.as_primitive::<arrow_types::UInt64Type>().values()),
        D::Int8 => Values::I8(array.as_primitive::<arrow_types::Int8Type>().values()),
        D::Int16 => Values::I16(array.as_primitive::<arrow_types::Int16Type>().values()),
        D::Int32 => Values::I32(array.as_primitive::<arrow_types::Int32Type>().values()),
        D::Int64 => Values::I64(array.as_primitive::<arrow_types::Int64Type>().values()),
        D::Float32 => Values::F32(array.as_primitive::<arrow_types::Float32Type>().values()),
        D::Float64 => Values::F64(array.as_primitive::<arrow_types::Float64Type>().values()),
        D::Timestamp(unit, _) => time(array, *unit),
        D::Date32 => Values::Date32(array.as_primitive::<arrow_types::Date32Type>().values()),
        D::Date64 => Values::Date64(array.as_primitive::<arrow_types::Date64Type>().values()),
        D::Binary => Values::Bytes(array.as_binary()),
        D::LargeBinary => Values::LargeBytes(array.as_binary()),
        D::BinaryView => Values::BytesView(array.as_binary_view()),
        D::FixedSizeBinary(_) => Values::FixedBytes(array.as_fixed_size_binary()),
        D::Utf8 => Values::Text(array.as_string()),
        D::LargeUtf8 => Values::LargeText(array.as_string()),
        D::Utf8View => Values::TextView(array.as_string_view()),
        D::Dictionary(..) => dictionary(array, field)?,
        D::List(item) => {
            list(Offsets::Small(array.as_list::<i32>().value_offsets()), array.as_list::<i32>().values(), item)?
        }
        D::LargeList(item) => {
            list(Offsets::Large(array.as_list::<i64>().value_offsets()), array.as_list::<i64>().values(), item)?
        }
        D::FixedSizeList(item, length) => list(
            Offsets::Fixed(usize::try_from(*length).unwrap_or_default()),
            array.as_fixed_size_list().values(),
            item,
        )?,
        D::Map(entries, _) => map(array, entries)?,
        D::Struct(fields) => {
            let columns = array.as_struct().columns().iter().zip(fields.iter());
            let cells = columns.map(|(column, field)| Ok((field.name().as_str(), Cells::new(column, field)?)));
            Values::Struct(cells.collect::<Result<_, ArrowError>>()?)
        }
        D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..) => {
            Values::Decimal(formatter(array)?)
        }
        _ => Values::Other(formatter(array)?),
    })
}

fn is_mac(field: &Field) -> bool {
    field.metadata().get("kind").is_some_and(|kind| kind == Kind::Mac.name())
}

fn time(array: &dyn Array, unit: TimeUnit) -> Values<'_> {
    let (values, per_second) = match unit {
        TimeUnit::Second => (array.as_primitive::<arrow_types::TimestampSecondType>().values(), 1),
        TimeUnit::Millisecond => (array.as_primitive::<arrow_types::TimestampMillisecondType>().values(), 1_000),
        TimeUnit::Microsecond => (array.as_primitive::<arrow_types::TimestampMicrosecondType>().values(), 1_000_000),
        TimeUnit::Nanosecond => (array.as_primitive::<arrow_types::TimestampNanosecondType>().values(), 1_000_000_000),
    };
    Values::Time { values, per_second, clock: Clock::default() }
}

fn dictionary<'a>(array: &'a dyn Array, field: &'a Field) -> Result<Values<'a>, ArrowError> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return Ok(Values::Null);
    }
    let values = Box::new(Cells::new(dictionary.values(), field)?);
    Ok(Values::Dictionary { keys: dictionary.normalized_keys(), values })
}

fn list<'a>(offsets: Offsets<'a>, items: &'a ArrayRef, item: &'a Field) -> Result<Values<'a>, ArrowError> {
    Ok(Values::List { offsets, items: Box::new(Cells::new(items, item)?) })
}

fn map<'a>(array: &'a dyn Array, entries: &'a Field) -> Result<Values<'a>, ArrowError> {
    let map = array.as_map();
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(ArrowError::SchemaError(format!("a map's entries are {}", entries.data_type())));
    };
    let [key, value] = &fields[..] else {
        return Err(ArrowError::SchemaError(format!("a map's entries have {} fields", fields.len())));
    };
    Ok(Values::Map {
        offsets: Offsets::Small(map.value_offsets()),
        keys: Box::new(Cells::new(map.keys(), key)?),
        values: Box::new(Cells::new(map.values(), value)?),
    })
}

fn formatter(array: &dyn Array) -> Result<Formatter<'_>, ArrowError> {
    const OPTIONS: FormatOptions<'static> = FormatOptions::new();
    Ok(Formatter(ArrayFormatter::try_new(array, &OPTIONS)?))
}
