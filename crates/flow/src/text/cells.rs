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

use super::address::{write_address, write_mac};
use super::escape::{write_json_string, write_plain_text};
use super::time::{Clock, write_date};
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

    /// Whether every cell is null, as of a column that no record of the batch had.
    pub const fn all_null(&self) -> bool {
        matches!(self.values, Values::Null)
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

/// What a cell's bytes are, whether quotes belong around them, and how they are written.
enum Scalar<'v> {
    Text(&'v str),
    Address(&'v [u8]),
}

impl<'a> Values<'a> {
    fn write_json(&self, out: &mut Vec<u8>, row: usize) {
        match self {
            Self::F32(values) if !values[row].is_finite() => out.extend_from_slice(b"null"),
            Self::F64(values) if !values[row].is_finite() => out.extend_from_slice(b"null"),
            Self::Mac(_) | Self::Time { .. } | Self::Date32(_) | Self::Date64(_) => {
                out.push(b'"');
                self.write_plain(out, row);
                out.push(b'"');
            }
            Self::Dictionary { keys, values } => values.write_json(out, keys[row]),
            Self::List { offsets, items } => write_list(out, items, offsets.of(row)),
            Self::Map { offsets, keys, values } => write_map(out, keys, values, offsets.of(row)),
            Self::Struct(members) => write_struct(out, members, row),
            Self::Other(formatter) => write_json_string(out, &formatter.text(row)),
            _ => match self.scalar(row) {
                Some(Scalar::Text(text)) => write_json_string(out, text),
                Some(Scalar::Address(bytes)) => {
                    out.push(b'"');
                    write_address(out, bytes);
                    out.push(b'"');
                }
                None => self.write_plain(out, row),
            },
        }
    }

    fn write_plain(&self, out: &mut Vec<u8>, row: usize) {
        match self {
            Self::Null => {}
            Self::Boolean(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Self::U8(values) => write_integer(out, values[row]),
            Self::U16(values) => write_integer(out, values[row]),
            Self::U32(values) => write_integer(out, values[row]),
            Self::U64(values) => write_integer(out, values[row]),
            Self::I8(values) => write_integer(out, values[row]),
            Self::I16(values) => write_integer(out, values[row]),
            Self::I32(values) => write_integer(out, values[row]),
            Self::I64(values) => write_integer(out, values[row]),
            Self::F32(values) => out.extend_from_slice(format!("{:?}", values[row]).as_bytes()),
            Self::F64(values) => out.extend_from_slice(format!("{:?}", values[row]).as_bytes()),
            Self::Mac(values) => write_mac(out, values[row]),
            Self::Time { values, per_second, clock } => clock.write(out, values[row], *per_second),
            Self::Date32(values) => write_date(out, values[row].into()),
            Self::Date64(values) => write_date(out, values[row].div_euclid(86_400_000)),
            Self::Dictionary { keys, values } => values.write_plain(out, keys[row]),
            Self::List { offsets, items } if items.values.is_flat() => write_items(out, items, offsets.of(row)),
            Self::List { .. } | Self::Map { .. } | Self::Struct(_) => self.write_json(out, row),
            Self::Decimal(formatter) | Self::Other(formatter) => write_plain_text(out, &formatter.text(row)),
            _ => match self.scalar(row) {
                Some(Scalar::Text(text)) => write_plain_text(out, text),
                Some(Scalar::Address(bytes)) => write_address(out, bytes),
                None => unreachable!("every other type is written above"),
            },
        }
    }

    /// The cell where it is text or bytes.
    fn scalar(&self, row: usize) -> Option<Scalar<'a>> {
        Some(match *self {
            Self::Bytes(array) => Scalar::Address(array.value(row)),
            Self::LargeBytes(array) => Scalar::Address(array.value(row)),
            Self::BytesView(array) => Scalar::Address(array.value(row)),
            Self::FixedBytes(array) => Scalar::Address(array.value(row)),
            Self::Text(array) => Scalar::Text(array.value(row)),
            Self::LargeText(array) => Scalar::Text(array.value(row)),
            Self::TextView(array) => Scalar::Text(array.value(row)),
            _ => return None,
        })
    }

    const fn is_flat(&self) -> bool {
        !matches!(self, Self::List { .. } | Self::Map { .. } | Self::Struct(_))
    }
}

impl Formatter<'_> {
    fn text(&self, row: usize) -> String {
        self.0.value(row).to_string()
    }
}

fn write_integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_list(out: &mut Vec<u8>, items: &Cells<'_>, range: Range<usize>) {
    out.push(b'[');
    for at in range.clone() {
        if at > range.start {
            out.push(b',');
        }
        items.write_json(out, at);
    }
    out.push(b']');
}

fn write_items(out: &mut Vec<u8>, items: &Cells<'_>, range: Range<usize>) {
    for at in range.clone() {
        if at > range.start {
            out.push(b' ');
        }
        items.write_plain(out, at);
    }
}

fn write_map(out: &mut Vec<u8>, keys: &Cells<'_>, values: &Cells<'_>, range: Range<usize>) {
    out.push(b'{');
    for at in range.clone() {
        if at > range.start {
            out.push(b',');
        }
        write_key(out, keys, at);
        out.push(b':');
        values.write_json(out, at);
    }
    out.push(b'}');
}

fn write_key(out: &mut Vec<u8>, keys: &Cells<'_>, at: usize) {
    if let Some(Scalar::Text(text)) = keys.values.scalar(at) {
        return write_json_string(out, text);
    }
    let mut key = Vec::new();
    keys.write_plain(&mut key, at);
    write_json_string(out, &String::from_utf8_lossy(&key));
}

fn write_struct(out: &mut Vec<u8>, members: &[(&str, Cells<'_>)], row: usize) {
    let start = out.len();
    out.push(b'{');
    for (name, cells) in members.iter().filter(|(_, cells)| !cells.is_null(row)) {
        if out.len() > start + 1 {
            out.push(b',');
        }
        write_json_string(out, name);
        out.push(b':');
        cells.write_json(out, row);
    }
    out.push(b'}');
}
