//! From fields to a column's cells: one loop per column over all records of a set.
//!
//! The common case, a big-endian integer at a stride, is a loop for each width with nothing in it but a load, a byte
//! swap and a store. Everything else takes the general way, cell by cell.

use std::fmt::Write;

use finderscope_flow::builder::{Addresses, Bytes, Fixed, Lists};
use finderscope_flow::registry::{Conversion, Mapping};
use finderscope_flow::{Builder, Column, Kind};
use finderscope_wire::Reader;
use finderscope_wire::ipfix::{self, BasicList, VARIABLE};

use super::Fill;
use crate::cells::{Field, Records};
use crate::text;

type Source = (Field, Conversion);

/// Whether a field of this length can fill the column. What varies is looked at cell by cell.
pub(super) fn can_fill(mapping: &Mapping, field: Field) -> bool {
    let length = field.length;
    if length == VARIABLE || mapping.conversion == Conversion::Application {
        return true;
    }
    match mapping.column.kind() {
        Kind::U8 | Kind::U16 | Kind::U32 | Kind::U64 => (1..=8).contains(&length),
        Kind::Address => matches!(length, 4 | 16),
        Kind::Mac => length == 6,
        Kind::List => list_fits(mapping.conversion, length),
        Kind::Text => true,
        Kind::Time | Kind::Word(_) | Kind::Map => false,
    }
}

fn list_fits(conversion: Conversion, length: u16) -> bool {
    match conversion {
        Conversion::Label(_) => length == 3,
        Conversion::Item(_) => (1..=4).contains(&length),
        _ => true,
    }
}

/// Writes one column for all records.
pub(super) fn write(fill: &Fill, records: &Records<'_>, builder: &mut Builder, buffer: &mut String) {
    let (column, sources) = (fill.column, fill.sources.as_slice());
    match column.kind() {
        Kind::U8 => u8_cells(builder.u8(column), records, sources),
        Kind::U16 if column == Column::TcpFlags && sources.len() > 1 => {
            flag_cells(builder.u16(column), records, sources)
        }
        Kind::U16 => u16_cells(builder.u16(column), records, sources),
        Kind::U32 => u32_cells(builder.u32(column), records, sources),
        Kind::U64 => u64_cells(builder.u64(column), records, sources),
        Kind::Mac => mac_cells(builder.u64(column), records, sources),
        Kind::Address => address_cells(builder.address(column), records, sources),
        Kind::Text => text_cells(builder.text(column), records, sources, buffer),
        Kind::List => list_cells(builder.list(column), records, sources),
        // `can_fill` lets no field fill these.
        Kind::Time | Kind::Word(_) | Kind::Map => {}
    }
}

macro_rules! integers {
    ($($name:ident $type:ty;)*) => {$(
        fn $name(cells: &mut Fixed<$type>, records: &Records<'_>, sources: &[Source]) {
            const BYTES: usize = size_of::<$type>();
            if let &[(field, Conversion::Plain)] = sources {
                // A field wider than its column may not fit, and goes the general way.
                match field.length {
                    1 => if let Some(values) = records.arrays::<1>(field) {
                        return cells.extend(values.map(|[byte]| <$type>::from(byte)));
                    },
                    2 if BYTES >= 2 => if let Some(values) = records.arrays::<2>(field) {
                        return cells.extend(values.map(|value| u16::from_be_bytes(value) as $type));
                    },
                    4 if BYTES >= 4 => if let Some(values) = records.arrays::<4>(field) {
                        return cells.extend(values.map(|value| u32::from_be_bytes(value) as $type));
                    },
                    8 if BYTES == 8 => if let Some(values) = records.arrays::<8>(field) {
                        return cells.extend(values.map(|value| u64::from_be_bytes(value) as $type));
                    },
                    _ => {}
                }
            }
            for row in 0..records.len() {
                let value = number(records, row, sources);
                cells.push_option(value.and_then(|value| <$type>::try_from(value).ok()));
            }
        }
    )*};
}

integers! {
    u8_cells u8;
    u16_cells u16;
    u32_cells u32;
    u64_cells u64;
}

/// The first of the sources that is not zero, else the first that is a number at all.
fn number(records: &Records<'_>, row: usize, sources: &[Source]) -> Option<u64> {
    let mut first = None;
    for &(field, conversion) in sources {
        let Some(value) = ipfix::unsigned(records.cell(row, field)) else { continue };
        let value = convert(value, conversion);
        if value != 0 {
            return Some(value);
        }
        first = first.or(Some(value));
    }
    first
}

const fn convert(value: u64, conversion: Conversion) -> u64 {
    match conversion {
        Conversion::HighByte => value >> 8 & 0xff,
        Conversion::LowByte => value & 0xff,
        Conversion::Vlan => value & 0xfff,
        Conversion::TopBits => value >> 5 & 7,
        Conversion::CodePoint => (value & 0x3f) << 2,
        Conversion::Precedence => (value & 7) << 5,
        Conversion::Plain
        | Conversion::Label(_)
        | Conversion::Item(_)
        | Conversion::Items
        | Conversion::Application
        | Conversion::Typed(_) => value,
    }
}

/// Flags of parts of a flow are or-ed, as those of its packets are.
fn flag_cells(cells: &mut Fixed<u16>, records: &Records<'_>, sources: &[Source]) {
    for row in 0..records.len() {
        let flags = sources.iter().filter_map(|&(field, _)| ipfix::unsigned(records.cell(row, field)));
        let all = flags.reduce(|all, flags| all | flags);
        cells.push_option(all.and_then(|flags| u16::try_from(flags).ok()));
    }
}

/// The first of the sources whose bytes are not all zero, else the first that has any.
fn bytes<'a>(records: &Records<'a>, row: usize, sources: &[Source], fits: impl Fn(&[u8]) -> bool) -> Option<&'a [u8]> {
    let mut first = None;
    for &(field, _) in sources {
        let cell = records.cell(row, field);
        if !fits(cell) {
            continue;
        }
        if !ipfix::is_zero(cell) {
            return Some(cell);
        }
        first = first.or(Some(cell));
    }
    first
}

fn address_cells(cells: &mut Addresses, records: &Records<'_>, sources: &[Source]) {
    if let &[(field, _)] = sources {
        if let Some(addresses) = records.arrays::<4>(field) {
            return cells.extend_fixed(addresses);
        }
        if let Some(addresses) = records.arrays::<16>(field) {
            return cells.extend_fixed(addresses);
        }
    }
    for row in 0..records.len() {
        cells.push_option(bytes(records, row, sources, |cell| matches!(cell.len(), 4 | 16)));
    }
}

fn mac_cells(cells: &mut Fixed<u64>, records: &Records<'_>, sources: &[Source]) {
    let whole = |[a, b, c, d, e, f]: [u8; 6]| u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    if let &[(field, _)] = sources
        && let Some(addresses) = records.arrays::<6>(field)
    {
        return cells.extend(addresses.map(whole));
    }
    for row in 0..records.len() {
        let cell = bytes(records, row, sources, |cell| cell.len() == 6);
        cells.push_option(cell.and_then(|cell| cell.try_into().ok()).map(whole));
    }
}

fn text_cells(cells: &mut Bytes, records: &Records<'_>, sources: &[Source], buffer: &mut String) {
    for row in 0..records.len() {
        buffer.clear();
        for &(field, conversion) in sources {
            let cell = records.cell(row, field);
            match conversion {
                Conversion::Application => put_application(buffer, cell),
                Conversion::Typed(data_type) if !cell.is_empty() => text::put(buffer, Some(data_type), cell),
                _ => text::put_string(buffer, cell),
            }
            if !buffer.is_empty() {
                break;
            }
        }
        cells.push_option((!buffer.is_empty()).then_some(buffer.as_bytes()));
    }
}

/// RFC 6759 section 4: a classification engine, and its selector. Zeros say that the application is not known.
pub(crate) fn put_application(out: &mut String, cell: &[u8]) {
    let Some((engine, selector)) = cell.split_first() else { return };
    if ipfix::is_zero(cell) {
        return;
    }
    let _ = match ipfix::unsigned(selector) {
        Some(selector) => write!(out, "{engine}:{selector}"),
        None => write!(out, "{engine}:"),
    };
    if selector.len() > 8 {
        text::put_hex(out, selector);
    }
}

/// A list, of a field for each of its places, or of one that is a list itself. What is zero is a place that the list
/// did not reach; of lists the first that holds anything counts.
fn list_cells(cells: &mut Lists, records: &Records<'_>, sources: &[Source]) {
    let mut sources = sources.to_vec();
    sources.sort_by_key(|&(_, conversion)| match conversion {
        Conversion::Label(place) | Conversion::Item(place) => place,
        _ => 0,
    });
    let mut items = Vec::new();
    for row in 0..records.len() {
        items.clear();
        for &(field, conversion) in &sources {
            let cell = records.cell(row, field);
            match conversion {
                Conversion::Items if items.is_empty() => items.extend(numbers(cell)),
                Conversion::Items => {}
                Conversion::Label(_) => items.extend(label(cell)),
                _ => items.extend(number_of(cell).filter(|&number| number != 0)),
            }
        }
        if items.is_empty() {
            cells.push_nulls(1);
        } else {
            cells.push(items.iter().copied());
        }
    }
}

fn label(cell: &[u8]) -> Option<u32> {
    match *cell {
        [0, 0, 0] => None,
        [a, b, c] => Some(u32::from_be_bytes([0, a, b, c]) >> 4),
        _ => None,
    }
}

fn number_of(cell: &[u8]) -> Option<u32> {
    ipfix::unsigned(cell).and_then(|number| u32::try_from(number).ok())
}

/// The numbers of a basicList, as far as it is sound.
fn numbers(cell: &[u8]) -> impl Iterator<Item = u32> {
    let list = BasicList::read(Reader::new(cell)).ok();
    list.into_iter().flat_map(|list| list.values()).map_while(Result::ok).filter_map(number_of)
}
