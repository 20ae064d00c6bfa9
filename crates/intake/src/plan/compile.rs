//! From a template's fields to a plan.

use finderscope_flow::registry::{self, DataType, Mapping, REVERSE_ENTERPRISE};
use finderscope_flow::{Column, Table};
use finderscope_wire::ipfix::{Dialect, FieldSpecifier, VARIABLE};
use finderscope_wire::netflow::fixed;
use finderscope_wire::packet::HeaderProtocol;

use super::extras::named;
use super::rates::RateFields;
use super::times::{self, Times};
use super::{DataPlan, Face, Fill, Plan, Work};
use crate::cells::Field;
use crate::template::Layout;

/// A field with length, and what it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) specifier: FieldSpecifier,
    pub(super) scope: bool,
    pub(super) field: Field,
}

impl Slot {
    /// IANA's number, of either direction.
    pub(super) fn element(&self) -> Option<(u16, Direction)> {
        match self.specifier.enterprise {
            None | Some(0) => Some((self.specifier.element, Direction::Forward)),
            Some(REVERSE_ENTERPRISE) => Some((self.specifier.element, Direction::Reverse)),
            Some(_) => None,
        }
    }

    fn is(&self, elements: &[u16], direction: Direction) -> bool {
        self.element().is_some_and(|(element, of)| of == direction && elements.contains(&element))
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Direction {
    Forward,
    Reverse,
}

/// Bytes and packets, delta and total: what makes a record a flow.
const COUNTERS: [u16; 4] = [1, 2, 85, 86];
/// Bytes and packets of an initiator, and of a responder (RFC 5103's elder cousins in firewalls).
const INITIATOR: [u16; 2] = [231, 298];
const RESPONDER: [u16; 2] = [232, 299];
/// What tells of an event: NAT, firewall, and ASA's old firewall event.
const EVENTS: [u16; 3] = [230, 233, 40005];
/// Times of a single observation, which without counters tell of an event.
const OBSERVATIONS: [u16; 4] = [322, 323, 324, 325];
/// The first bytes of a packet.
const SECTIONS: [(u16, HeaderProtocol); 4] = [
    (315, HeaderProtocol::ETHERNET),
    (104, HeaderProtocol::ETHERNET),
    (313, HeaderProtocol::IPV4),
    (316, HeaderProtocol::MPLS),
];
/// paddingOctets.
const PADDING: u16 = 210;

pub(super) fn plan(layout: Layout, dialect: Dialect, fields: Vec<FieldSpecifier>) -> Plan {
    let slots = slots(&fields, usize::from(layout.scope));
    let work = if layout.options {
        Work::Options(slots.iter().map(|slot| named(slot, dialect)).collect())
    } else {
        Work::Data(Box::new(data(&slots, dialect)))
    };
    let places: Vec<Field> = slots.iter().map(|slot| slot.field).collect();
    let fixed = places.iter().all(|field| field.length != VARIABLE);
    let stride = fixed.then(|| places.iter().map(|field| usize::from(field.length)).sum());
    Plan { layout, fields, places, stride, work }
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
    let mut plan = plan(told, Dialect::V9, layout.fields.iter().map(specifier).collect());
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

fn slots(fields: &[FieldSpecifier], scope: usize) -> Vec<Slot> {
    let mut offset = 0;
    let with_length = fields.iter().enumerate().filter(|(_, specifier)| specifier.length > 0);
    let slot = |(index, (at, &specifier)): (usize, (usize, &FieldSpecifier))| {
        let field = Field { index: index as u16, offset, length: specifier.length };
        // Offsets are only used where no field varies.
        offset = offset.saturating_add(specifier.length.into());
        Slot { specifier, scope: at < scope, field }
    };
    with_length.enumerate().map(slot).collect()
}

fn data(slots: &[Slot], dialect: Dialect) -> DataPlan {
    let any = |elements: &[u16], direction| slots.iter().any(|slot| slot.is(elements, direction));
    let fields = |elements: &[u16], direction| -> Vec<Field> {
        slots.iter().filter(|slot| slot.is(elements, direction)).map(|slot| slot.field).collect()
    };
    use Direction::{Forward, Reverse};
    let section = slots.iter().any(|slot| section(slot).is_some());
    let counts = any(&COUNTERS, Forward) || any(&INITIATOR, Forward) || any(&RESPONDER, Forward);
    let tells = any(&EVENTS, Forward) || (any(&OBSERVATIONS, Forward) && !section && !counts);
    let two_way = any(&COUNTERS, Reverse) || any(&RESPONDER, Forward);
    let mut counters = fields(&COUNTERS, Forward);
    counters.extend(fields(&INITIATOR, Forward));
    let mut reverse_counters = fields(&COUNTERS, Reverse);
    reverse_counters.extend(fields(&RESPONDER, Forward));
    counters.extend(&reverse_counters);
    DataPlan {
        flow: (counts || !tells).then(|| forward(slots, dialect, Table::Flows)),
        event: tells.then(|| forward(slots, dialect, Table::Events)),
        reverse: two_way.then(|| reverse(slots, dialect)),
        counters,
        reverse_counters,
    }
}

/// Candidates for columns, and slots that fill none.
#[derive(Default)]
struct Draft {
    candidates: Vec<Candidate>,
    extras: Vec<Slot>,
}

#[derive(Clone, Copy)]
struct Candidate {
    column: Column,
    rank: u8,
    slot: Slot,
    mapping: Mapping,
}

fn forward(slots: &[Slot], dialect: Dialect, table: Table) -> Face {
    let times = times::of(slots, Direction::Forward);
    let mut draft = Draft::default();
    for &slot in slots {
        match slot.element() {
            Some((element, Direction::Forward)) => {
                if times.uses(slot.field) || is_silent(element) || section(&slot).is_some() {
                    continue;
                }
                draft.offer(slot, &mappings(element), table, 0);
            }
            // The other direction's row has it.
            Some((element, Direction::Reverse)) if fills(element) => {}
            _ => draft.extras.push(slot),
        }
    }
    let packet = slots.iter().find_map(section);
    draft.face(dialect, table, times, RateFields::of(slots), packet)
}

fn reverse(slots: &[Slot], dialect: Dialect) -> Face {
    /// What the record says of this direction itself comes before what is turned round.
    const TURNED: u8 = 100;
    let times = match times::of(slots, Direction::Reverse) {
        Times { start: None, end: None, .. } => times::of(slots, Direction::Forward),
        own => own,
    };
    let mut draft = Draft::default();
    for &slot in slots {
        match slot.element() {
            Some((element, Direction::Reverse)) if fills(element) && !times::is_time(element) => {
                draft.offer(slot, &mappings(element), Table::Flows, 0);
            }
            Some((element, Direction::Forward)) if RESPONDER.contains(&element) => {
                let column = if element == RESPONDER[0] { Column::Bytes } else { Column::Packets };
                draft.offer(slot, &[plain(element, column)], Table::Flows, 2);
            }
            Some((element, Direction::Forward)) if !is_silent(element) && !times.uses(slot.field) => {
                let turned: Vec<Mapping> = mappings(element).into_iter().filter_map(turned).collect();
                draft.offer(slot, &turned, Table::Flows, TURNED);
            }
            _ => {}
        }
    }
    draft.extras.clear();
    draft.face(dialect, Table::Flows, times, RateFields::of(slots), None)
}

impl Draft {
    fn offer(&mut self, slot: Slot, mappings: &[Mapping], table: Table, rank: u8) {
        let fits = |mapping: &&Mapping| mapping.column.is_in(table) && super::columns::can_fill(mapping, slot.field);
        let before = self.candidates.len();
        self.candidates.extend(mappings.iter().filter(fits).map(|&mapping| Candidate {
            column: mapping.column,
            rank: mapping.rank.saturating_add(rank),
            slot,
            mapping,
        }));
        if self.candidates.len() == before {
            self.extras.push(slot);
        }
    }

    /// Settles who fills which column. Who loses to another element is an extra; who says the same is asked next.
    fn face(
        mut self,
        dialect: Dialect,
        table: Table,
        times: Times,
        rates: RateFields,
        packet: Option<(Field, HeaderProtocol)>,
    ) -> Face {
        self.candidates.sort_by_key(|candidate| (candidate.column, candidate.rank));
        let mut columns: Vec<Fill> = Vec::new();
        let mut winner: Option<Candidate> = None;
        for candidate in self.candidates {
            let source = (candidate.slot.field, candidate.mapping.conversion);
            match (columns.last_mut(), winner) {
                (Some(fill), Some(winner)) if fill.column == candidate.column => {
                    if are_alternatives(&winner, &candidate) {
                        fill.sources.push(source);
                    } else if !self.extras.iter().any(|slot| slot.field == candidate.slot.field) {
                        self.extras.push(candidate.slot);
                    }
                }
                _ => {
                    columns.push(Fill { column: candidate.column, sources: vec![source] });
                    winner = Some(candidate);
                }
            }
        }
        self.extras.sort_by_key(|slot| slot.field.index);
        let extras = self.extras.iter().map(|slot| named(slot, dialect)).collect();
        Face { table, columns, times, rates, extras, packet }
    }
}

/// The mappings of the registry, and those of an initiator's counters.
fn mappings(element: u16) -> Vec<Mapping> {
    match element {
        231 => vec![plain(element, Column::Bytes)],
        298 => vec![plain(element, Column::Packets)],
        _ => registry::mappings(element).to_vec(),
    }
}

const fn plain(element: u16, column: Column) -> Mapping {
    Mapping { element, column, rank: 2, conversion: registry::Conversion::Plain }
}

/// Whether an element fills a column or a time.
fn fills(element: u16) -> bool {
    !mappings(element).is_empty() || times::is_time(element)
}

/// What never makes a cell of its own: rates have columns of their own, responders a row, padding nothing.
fn is_silent(element: u16) -> bool {
    matches!(element, 34 | 35 | 49 | 50 | PADDING) || RESPONDER.contains(&element)
}

fn section(slot: &Slot) -> Option<(Field, HeaderProtocol)> {
    let (element, direction) = slot.element()?;
    let (_, protocol) = SECTIONS.into_iter().find(|&(number, _)| number == element)?;
    (direction == Direction::Forward).then_some((slot.field, protocol))
}

/// Two fields of one column that mean the same: the same element twice (ASR 1000, Junos 16.1), the two address
/// families, ICMP's many forms, and labels of one stack. Others, such as logical and physical interface, do not.
fn are_alternatives(one: &Candidate, other: &Candidate) -> bool {
    use Column as C;
    let families = matches!(
        one.column,
        C::SrcAddr
            | C::DstAddr
            | C::NextHop
            | C::BgpNextHop
            | C::SrcNet
            | C::DstNet
            | C::PostNatSrcAddr
            | C::PostNatDstAddr
            | C::PostNaptSrcPort
            | C::PostNaptDstPort
            | C::IcmpType
            | C::IcmpCode
            | C::MplsLabel
            | C::FirewallEvent
    );
    one.mapping.element == other.mapping.element || families
}

/// The same element seen from the other end: source and destination change places, and what only the forward
/// packets have (their counts, flags, times to live) is not said of the others.
fn turned(mapping: Mapping) -> Option<Mapping> {
    use Column as C;
    let column = match mapping.column {
        C::SrcAddr => C::DstAddr,
        C::DstAddr => C::SrcAddr,
        C::SrcPort => C::DstPort,
        C::DstPort => C::SrcPort,
        C::InIf => C::OutIf,
        C::OutIf => C::InIf,
        C::SrcAs => C::DstAs,
        C::DstAs => C::SrcAs,
        C::SrcNet => C::DstNet,
        C::DstNet => C::SrcNet,
        C::SrcMac => C::DstMac,
        C::DstMac => C::SrcMac,
        C::SrcVlan => C::DstVlan,
        C::DstVlan => C::SrcVlan,
        C::IngressVrfId => C::EgressVrfId,
        C::EgressVrfId => C::IngressVrfId,
        C::PostNatSrcAddr => C::PostNatDstAddr,
        C::PostNatDstAddr => C::PostNatSrcAddr,
        C::PostNaptSrcPort => C::PostNaptDstPort,
        C::PostNaptDstPort => C::PostNaptSrcPort,
        same @ (C::Proto
        | C::Etype
        | C::VlanId
        | C::App
        | C::UserName
        | C::FlowId
        | C::FlowEndReason
        | C::ObservationPointId
        | C::SamplerId
        | C::FirewallEvent
        | C::NatEvent) => same,
        _ => return None,
    };
    Some(Mapping { column, ..mapping })
}
