//! A cell's value in bytes, by its type.

use std::ops::Range;

use super::address::{write_address, write_mac};
use super::cells::{Cells, Values};
use super::escape::{write_json_string, write_plain_text};
use super::time::write_date;

/// What is written in quotes in JSON, whatever array it is from.
enum Scalar<'v> {
    Text(&'v str),
    Address(&'v [u8]),
}

impl<'a> Values<'a> {
    pub(super) fn write_json(&self, out: &mut Vec<u8>, row: usize) {
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

    pub(super) fn write_plain(&self, out: &mut Vec<u8>, row: usize) {
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
