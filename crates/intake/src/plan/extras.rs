//! Elements that no column takes: kept by name in the column `extra`.

use std::fmt::Write;

use finderscope_flow::builder::Maps;
use finderscope_flow::registry::{self, DataType, Element};
use finderscope_wire::ipfix::{Dialect, FieldSpecifier, ScopeKind};

use super::Named;
use super::columns::put_application;
use super::key::number;
use super::slot::Slot;
use crate::Protocol;
use crate::cells::Records;
use crate::structured::Meaning;
use crate::text;

/// applicationId.
const APPLICATION: u16 = 95;
/// mplsVpnRouteDistinguisher.
const ROUTE_DISTINGUISHER: u16 = 90;

pub(super) fn named(slot: &Slot, dialect: Dialect) -> Named {
    let element = element_of(slot.specifier, dialect);
    let iana = matches!(slot.specifier.enterprise, None | Some(0)) && !(slot.scope && dialect.is_v9());
    Named {
        field: slot.field,
        element: iana.then_some(slot.specifier.element),
        scope: slot.scope,
        v9_scope: (slot.scope && dialect.is_v9()).then(|| ScopeKind::of(dialect, slot.specifier.element)),
        name: name_of(slot.specifier, slot.scope, dialect),
        unknown: element.is_none().then(|| number(slot.specifier, dialect)),
        data_type: if slot.scope && dialect.is_v9() {
            Some(registry::DataType::Unsigned32)
        } else {
            element.map(|element| element.data_type)
        },
    }
}

fn element_of(specifier: FieldSpecifier, dialect: Dialect) -> Option<&'static Element> {
    let (enterprise, element) = number(specifier, dialect);
    registry::element(Some(enterprise), element)
}

/// The name of a template's field, `pen/id` where it has none; `scope` says that it is one of the first, which in NetFlow
/// v9 are numbers of another kind.
pub fn field_name(protocol: Protocol, field: FieldSpecifier, scope: bool) -> String {
    let dialect = if protocol == Protocol::NetflowV9 { Dialect::V9 } else { Dialect::Ipfix };
    name_of(field, scope, dialect)
}

/// The element's name in the registry, or `pen/id` where it has none. A v9 scope has a name of its own.
fn name_of(specifier: FieldSpecifier, scope: bool, dialect: Dialect) -> String {
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
pub(super) fn write(
    extras: &[Named],
    records: &Records<'_>,
    meaning: &Meaning<'_>,
    cells: &mut Maps,
    buffer: &mut String,
) {
    for row in 0..records.len() {
        for extra in extras {
            let bytes = records.cell(row, extra.field);
            if !bytes.is_empty() {
                buffer.clear();
                let (name, data_type) = meaning.of(extra);
                put(buffer, extra.element, data_type, bytes, meaning);
                cells.entry(name, buffer);
            }
        }
        cells.close();
    }
}

/// Appends a value: what its type says, but for elements that have a way of their own to be written.
pub(crate) fn put(
    out: &mut String,
    element: Option<u16>,
    data_type: Option<DataType>,
    bytes: &[u8],
    meaning: &Meaning<'_>,
) {
    match element {
        // As the column `app` spells it.
        Some(APPLICATION) => put_application(out, bytes),
        Some(ROUTE_DISTINGUISHER) if text::put_route_distinguisher(out, bytes).is_some() => {}
        _ => meaning.put(out, data_type, bytes),
    }
}

/// `name=value` of the fields that say what an options record is about.
pub(crate) fn put_scope(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push(',');
    }
    let _ = write!(out, "{name}={value}");
}
