//! Elements that no column takes: kept by name in the column `extra`.

use std::fmt::Write;

use finderscope_flow::builder::Maps;
use finderscope_flow::registry::{self, Element};
use finderscope_wire::ipfix::{Dialect, FieldSpecifier, ScopeKind};

use super::Named;
use super::compile::Slot;
use crate::cells::Records;
use crate::text;

/// nProbe's elements in NetFlow v9 begin here, and have these numbers under its enterprise in IPFIX.
const NPROBE_V9_BASE: u16 = 57_472;
const NPROBE: u32 = 35_632;

pub(super) fn named(slot: &Slot, dialect: Dialect) -> Named {
    let element = element_of(slot.specifier, dialect);
    let iana = matches!(slot.specifier.enterprise, None | Some(0)) && !(slot.scope && dialect.is_v9());
    Named {
        field: slot.field,
        element: iana.then_some(slot.specifier.element),
        scope: slot.scope,
        v9_scope: (slot.scope && dialect.is_v9()).then(|| ScopeKind::of(dialect, slot.specifier.element)),
        name: name_of(slot.specifier, slot.scope, dialect),
        data_type: if slot.scope && dialect.is_v9() {
            Some(registry::DataType::Unsigned32)
        } else {
            element.map(|element| element.data_type)
        },
    }
}

fn element_of(specifier: FieldSpecifier, dialect: Dialect) -> Option<&'static Element> {
    if dialect.is_v9() && specifier.enterprise.is_none() && specifier.element >= NPROBE_V9_BASE {
        return registry::element(Some(NPROBE), specifier.element - NPROBE_V9_BASE);
    }
    registry::element(specifier.enterprise, specifier.element)
}

/// The element's name in the registry, or `pen/id` where it has none. A v9 scope has a name of its own.
pub(crate) fn name_of(specifier: FieldSpecifier, scope: bool, dialect: Dialect) -> String {
    if scope && dialect.is_v9() {
        return match ScopeKind::of(dialect, specifier.element) {
            ScopeKind::System => "system".to_owned(),
            ScopeKind::Interface => "interface".to_owned(),
            ScopeKind::LineCard => "lineCard".to_owned(),
            ScopeKind::Cache => "cache".to_owned(),
            ScopeKind::Template => "template".to_owned(),
            ScopeKind::Other(kind) | ScopeKind::Element(kind) => format!("scope/{kind}"),
        };
    }
    match element_of(specifier, dialect) {
        Some(element) => element.name.to_owned(),
        None => format!("{}/{}", specifier.enterprise.unwrap_or(0), specifier.element),
    }
}

/// Writes one row of the column for each record.
pub(super) fn write(extras: &[Named], records: &Records<'_>, cells: &mut Maps, buffer: &mut String) {
    for row in 0..records.len() {
        for extra in extras {
            let bytes = records.cell(row, extra.field);
            if !bytes.is_empty() {
                buffer.clear();
                text::put(buffer, extra.data_type, bytes);
                cells.entry(&extra.name, buffer);
            }
        }
        cells.close();
    }
}

/// `name=value` of the fields that say what an options record is about.
pub(crate) fn put_scope(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push(',');
    }
    let _ = write!(out, "{name}={value}");
}
