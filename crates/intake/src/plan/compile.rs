//! From a template's fields to a plan.

use std::sync::OnceLock;

use finderscope_flow::registry::{self, DataType, Mapping};
use finderscope_flow::{Column, Table};
use finderscope_wire::ipfix::{Dialect, FieldSpecifier, VARIABLE};
use finderscope_wire::netflow::fixed;

use super::draft::{Draft, TURNED, mappings, plain, turned};
use super::extras::named;
use super::inner::Inner;
use super::key::{self, Direction, Key};
use super::lists::Lists;
use super::rates::RateFields;
use super::sections;
use super::slot::{Slot, slots};
use super::times::{self, Times};
use super::{DataPlan, Face, Fill, Named, Plan, Work};
use crate::cells::Field;
use crate::mapping::{self, MapRule};
use crate::template::Layout;

/// Bytes and packets, delta and total: what makes a record a flow.
const COUNTERS: [u16; 4] = [1, 2, 85, 86];
/// Bytes and packets of an initiator, and of a responder (RFC 5103's elder cousins in firewalls).
const INITIATOR: [u16; 2] = [231, 298];
const RESPONDER: [u16; 2] = [232, 299];
/// What tells of an event: NAT, firewall, and ASA's old firewall event.
const EVENTS: [u16; 3] = [230, 233, 40005];
/// Times of a single observation, which without counters tell of an event.
const OBSERVATIONS: [u16; 4] = [322, 323, 324, 325];
/// paddingOctets.
const PADDING: u16 = 210;
/// What only a translation is told by: addresses and ports behind it, blocks of ports, pools, kinds of NAT.
const TRANSLATIONS: [u16; 14] = [225, 226, 227, 228, 229, 281, 282, 283, 284, 297, 361, 362, 363, 364];
/// Nokia's elements of a subscriber's translation.
const NOKIA: u32 = 637;
const NOKIA_TRANSLATIONS: std::ops::RangeInclusive<u16> = 91..=93;

pub(super) fn plan(layout: Layout, dialect: Dialect, fields: Vec<FieldSpecifier>, rules: &[MapRule]) -> Plan {
    let mut slots = slots(&fields, usize::from(layout.scope), dialect);
    for slot in &mut slots {
        slot.rule = mapping::rule(rules, slot.specifier, dialect);
        slot.mapped = slot.rule.and_then(|at| rules.get(at)?.mapping(slot.field.length));
    }
    let work = if layout.options {
        Work::Options(slots.iter().map(|slot| named(slot, dialect)).collect())
    } else {
        let mut data = data(&slots, dialect);
        data.rename(&slots, rules);
        Work::Data(Box::new(data))
    };
    let places: Vec<Field> = slots.iter().map(|slot| slot.field).collect();
    let fixed = places.iter().all(|field| field.length != VARIABLE);
    let stride = fixed.then(|| places.iter().map(|field| usize::from(field.length)).sum());
    Plan { layout, fields, places, stride, work, named: OnceLock::new(), lifted: OnceLock::new() }
}

/// What a record in a list gives to the rows of the record around it: no counters, which are of a part.
pub(super) fn lifted(fields: &[FieldSpecifier], layout: &Layout) -> [Vec<Fill>; 2] {
    let dialect = layout.dialect.into();
    let slots = slots(fields, usize::from(layout.scope), dialect);
    let faces = [forward(&slots, dialect, Table::Flows, true), reverse(&slots, dialect)];
    let is_count = |column| matches!(column, Column::Bytes | Column::Packets | Column::PostBytes | Column::PostPackets);
    faces.map(|face| face.columns.into_iter().filter(|fill| !is_count(fill.column)).collect())
}

/// The fields with length of a template, with their names.
pub(super) fn named_fields(fields: &[FieldSpecifier], layout: &Layout) -> Vec<Named> {
    let dialect = layout.dialect.into();
    slots(fields, usize::from(layout.scope), dialect).iter().map(|slot| named(slot, dialect)).collect()
}

/// The plan of records that need no template: their fields are elements like others, or have only a name.
pub(super) fn fixed(layout: &fixed::Layout) -> Plan {
    /// Stands for the enterprise of fields that are nobody's element.
    const NOBODY: u32 = u32::MAX;
    let specifier = |field: &fixed::Field| FieldSpecifier {
        element: field.element().unwrap_or(*field as u16),
        length: field.length() as u16,
        enterprise: field.element().map_or(Some(NOBODY), |_| None),
    };
    let told = Layout { dialect: Dialect::V9.into(), options: false, scope: 0, specifiers: Vec::new() };
    let mut plan = plan(told, Dialect::V9, layout.fields.iter().map(specifier).collect(), &[]);
    if let Work::Data(data) = &mut plan.work {
        for extra in data.flow.iter_mut().flat_map(|face| &mut face.extras) {
            let Some(field) = layout.fields.get(usize::from(extra.field.index)) else { continue };
            if field.element().is_none() {
                extra.name = field.name().to_owned();
                extra.data_type = Some(if field.is_address() { DataType::Ipv4Address } else { DataType::Unsigned32 });
            }
        }
    }
    plan
}

fn data(slots: &[Slot], dialect: Dialect) -> DataPlan {
    let any = |elements: &[u16], direction| slots.iter().any(|slot| slot.is(elements, direction));
    let fields = |elements: &[u16], direction| -> Vec<Field> {
        slots.iter().filter(|slot| slot.is(elements, direction)).map(|slot| slot.field).collect()
    };
    use Direction::{Forward, Reverse};
    let section = slots.iter().any(|slot| sections::is_read(slot, slots));
    let counts = any(&COUNTERS, Forward) || any(&INITIATOR, Forward) || any(&RESPONDER, Forward);
    let translates = any(&TRANSLATIONS, Forward) || slots.iter().any(is_translation_of_nokia);
    let moment = any(&OBSERVATIONS, Forward) || translates;
    let tells = any(&EVENTS, Forward) || (moment && !section && !counts);
    let two_way = any(&COUNTERS, Reverse) || any(&RESPONDER, Forward);
    let mut counters = fields(&COUNTERS, Forward);
    counters.extend(fields(&INITIATOR, Forward));
    let mut reverse_counters = fields(&COUNTERS, Reverse);
    reverse_counters.extend(fields(&RESPONDER, Forward));
    counters.extend(&reverse_counters);
    DataPlan {
        flow: (counts || !tells).then(|| forward(slots, dialect, Table::Flows, two_way)),
        event: tells.then(|| forward(slots, dialect, Table::Events, two_way)),
        reverse: two_way.then(|| reverse(slots, dialect)),
        counters,
        reverse_counters,
    }
}

fn is_translation_of_nokia(slot: &Slot) -> bool {
    slot.key.enterprise == NOKIA && NOKIA_TRANSLATIONS.contains(&slot.key.element)
}

impl DataPlan {
    /// Gives elements in `extra` the names that the operator's rules have for them.
    fn rename(&mut self, slots: &[Slot], rules: &[MapRule]) {
        let faces = self.flow.iter_mut().chain(&mut self.event);
        for extra in faces.flat_map(|face| &mut face.extras) {
            let Some(slot) = slots.get(usize::from(extra.field.index)) else { continue };
            let rule = slot.rule.and_then(|at| rules.get(at));
            let Some((name, data_type)) = rule.and_then(|rule| rule.extra(slot.field.length)) else { continue };
            extra.name = name.to_owned();
            extra.data_type = data_type.or(extra.data_type);
            // It has a name and a type: what the exporter says of it (RFC 5610) does not count.
            extra.unknown = None;
        }
    }
}

/// `two_way` says that the other direction has a row of its own.
fn forward(slots: &[Slot], dialect: Dialect, table: Table, two_way: bool) -> Face {
    let times = times::of(slots, Direction::Forward);
    let inside = Inner::of(slots);
    let mut draft = Draft::default();
    for &slot in slots {
        match slot.key.direction {
            // What the operator says holds for the record as it came.
            _ if slot.rule.is_some() => draft.offer_mapped(slot, slot.mapped, table, 0),
            Direction::Forward if times.uses(slot.field) || is_silent(slot.key) || sections::is_read(&slot, slots) => {}
            Direction::Forward => draft.offer(slot, &Inner::mappings(inside, &slot), table, 0),
            // The other direction's row has it.
            Direction::Reverse if two_way && fills(slot.key) => {}
            Direction::Reverse => draft.extras.push(slot),
        }
    }
    let mut face = draft.face(dialect, table, times, RateFields::of(slots));
    face.packet = sections::best(slots);
    face.lists = Lists { fields: slots.iter().filter_map(|slot| list(slot, dialect)).collect(), reverse: false };
    face
}

/// A field that is a list of records.
fn list(slot: &Slot, dialect: Dialect) -> Option<(Field, DataType)> {
    let (enterprise, element) = key::number(slot.specifier, dialect);
    let data_type = registry::element(Some(enterprise), element)?.data_type;
    let records = matches!(data_type, DataType::SubTemplateList | DataType::SubTemplateMultiList);
    records.then_some((slot.field, data_type))
}

fn reverse(slots: &[Slot], dialect: Dialect) -> Face {
    let times = match times::of(slots, Direction::Reverse) {
        Times { start: None, end: None, .. } => times::of(slots, Direction::Forward),
        own => own,
    };
    let inside = Inner::of(slots);
    let mut draft = Draft::default();
    for &slot in slots {
        let responder = slot.element().map(|(element, _)| element).filter(|element| RESPONDER.contains(element));
        match (slot.key.direction, responder) {
            _ if slot.rule.is_some() => {
                draft.offer_mapped(slot, slot.mapped.and_then(turned), Table::Flows, TURNED);
            }
            (Direction::Reverse, _) if times.uses(slot.field) => {}
            (Direction::Reverse, _) => draft.offer(slot, &mappings(slot.key), Table::Flows, 0),
            (Direction::Forward, Some(element)) => {
                let column = if element == RESPONDER[0] { Column::Bytes } else { Column::Packets };
                draft.offer(slot, &[plain(element, column)], Table::Flows, 2);
            }
            (Direction::Forward, None) if !is_silent(slot.key) && !times.uses(slot.field) => {
                let turned: Vec<Mapping> = Inner::mappings(inside, &slot).into_iter().filter_map(turned).collect();
                draft.offer(slot, &turned, Table::Flows, TURNED);
            }
            (Direction::Forward, None) => {}
        }
    }
    draft.extras.clear();
    let mut face = draft.face(dialect, Table::Flows, times, RateFields::of(slots));
    face.lists = Lists { fields: slots.iter().filter_map(|slot| list(slot, dialect)).collect(), reverse: true };
    face
}

/// Whether an element fills a column or a time.
fn fills(key: Key) -> bool {
    !mappings(key).is_empty() || (key.enterprise == 0 && times::is_time(key.element))
}

/// What never makes a cell of its own: rates have columns of their own, responders a row, padding nothing.
fn is_silent(key: Key) -> bool {
    key.enterprise == 0 && (matches!(key.element, 34 | 35 | 49 | 50 | PADDING) || RESPONDER.contains(&key.element))
}
