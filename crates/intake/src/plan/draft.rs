//! Who fills which column, where several fields could.

use finderscope_flow::registry::{self, Mapping};
use finderscope_flow::{Column, Table};
use finderscope_wire::ipfix::Dialect;

use super::columns::can_fill;
use super::extras::named;
use super::key::Key;
use super::lists::Lists;
use super::rates::RateFields;
use super::slot::Slot;
use super::times::Times;
use super::{Face, Fill};

/// What a record says of the other direction itself comes before what is turned round.
pub(super) const TURNED: u8 = 100;

/// Candidates for columns, and slots that fill none.
#[derive(Default)]
pub(super) struct Draft {
    candidates: Vec<Candidate>,
    pub(super) extras: Vec<Slot>,
}

#[derive(Clone, Copy)]
struct Candidate {
    column: Column,
    rank: u8,
    slot: Slot,
    mapping: Mapping,
}

impl Draft {
    /// Offers a field for the columns that it may fill; one that fits none is an extra.
    pub(super) fn offer(&mut self, slot: Slot, mappings: &[Mapping], table: Table, rank: u8) {
        let fits = |mapping: &&Mapping| mapping.column.is_in(table) && can_fill(mapping, slot.field);
        let before = self.candidates.len();
        self.candidates.extend(mappings.iter().filter(fits).map(|&mapping| Candidate {
            column: mapping.column,
            // Behind what the operator says.
            rank: mapping.rank.saturating_add(rank).saturating_add(1),
            slot,
            mapping,
        }));
        if self.candidates.len() == before {
            self.extras.push(slot);
        }
    }

    /// Offers a field for the column that the operator's rule names.
    pub(super) fn offer_mapped(&mut self, slot: Slot, mapping: Option<Mapping>, table: Table, rank: u8) {
        let fits = |it: &Mapping| it.column.is_in(table) && can_fill(it, slot.field);
        match mapping.filter(fits) {
            Some(mapping) => self.candidates.push(Candidate { column: mapping.column, rank, slot, mapping }),
            None => self.extras.push(slot),
        }
    }

    /// Settles who fills which column. Who loses to another element is an extra; who says the same is asked next.
    pub(super) fn face(mut self, dialect: Dialect, table: Table, times: Times, rates: RateFields) -> Face {
        self.candidates.sort_by_key(|candidate| (candidate.column, candidate.rank));
        let mut columns: Vec<Fill> = Vec::new();
        let mut winner: Option<Candidate> = None;
        for candidate in self.candidates {
            let source = (candidate.slot.field, candidate.mapping.conversion);
            match (columns.last_mut(), winner) {
                (Some(fill), Some(winner)) if fill.column == candidate.column => {
                    let alternatives = are_alternatives(&winner, &candidate);
                    if alternatives {
                        fill.sources.push(source);
                    }
                    // Of flags that were or-ed nobody could tell any more whose they were.
                    let parts =
                        alternatives && fill.column == Column::TcpFlags && winner.slot.key != candidate.slot.key;
                    let slots = if parts { vec![winner.slot, candidate.slot] } else { vec![candidate.slot] };
                    if (parts || !alternatives) && candidate.rank < TURNED {
                        let extras = &mut self.extras;
                        let is_new = |slot: &Slot| !extras.iter().any(|extra| extra.field == slot.field);
                        let more: Vec<Slot> = slots.into_iter().filter(is_new).collect();
                        extras.extend(more);
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
        Face { table, columns, times, rates, extras, packet: None, lists: Lists::default() }
    }
}

/// The mappings of the registry, and those of an initiator's counters.
pub(super) fn mappings(key: Key) -> Vec<Mapping> {
    match (key.enterprise, key.element) {
        (0, 231) => vec![plain(231, Column::Bytes)],
        (0, 298) => vec![plain(298, Column::Packets)],
        (enterprise, element) => registry::mappings(enterprise, element).to_vec(),
    }
}

pub(super) const fn plain(element: u16, column: Column) -> Mapping {
    Mapping { enterprise: 0, element, column, rank: 2, conversion: registry::Conversion::Plain }
}

/// Two fields of one column that mean the same: the same element twice (ASR 1000, Junos 16.1), the two address
/// families, ports by protocol, ICMP's many forms, flags of parts of a flow, and places of one list. Others, such as
/// logical and physical interface, or an address and its prefix, do not.
fn are_alternatives(one: &Candidate, other: &Candidate) -> bool {
    /// sourceIPv4Prefix to destinationIPv6Prefix.
    const PREFIXES: [u16; 4] = [44, 45, 169, 170];
    use Column as C;
    let families = matches!(
        one.column,
        C::SrcAddr
            | C::DstAddr
            | C::NextHop
            | C::BgpNextHop
            | C::SrcNet
            | C::DstNet
            | C::SrcPort
            | C::DstPort
            | C::InnerSrcAddr
            | C::InnerDstAddr
            | C::TcpFlags
            | C::AsPath
            | C::PostNatSrcAddr
            | C::PostNatDstAddr
            | C::PostNaptSrcPort
            | C::PostNaptDstPort
            | C::IcmpType
            | C::IcmpCode
            | C::MplsLabel
            | C::FirewallEvent
    );
    let is_prefix = |candidate: &Candidate| candidate.slot.is(&PREFIXES, candidate.slot.key.direction);
    match (one.slot.rule, other.slot.rule) {
        (None, None) => one.slot.key == other.slot.key || (families && is_prefix(one) == is_prefix(other)),
        // The operator named the column for both of them, or for one alone.
        (one, other) => one.is_some() && other.is_some(),
    }
}

/// The same element seen from the other end: source and destination change places, and what only the forward
/// packets have (their counts, flags, times to live) is not said of the others.
pub(super) fn turned(mapping: Mapping) -> Option<Mapping> {
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
        C::InnerSrcAddr => C::InnerDstAddr,
        C::InnerDstAddr => C::InnerSrcAddr,
        C::InnerSrcPort => C::InnerDstPort,
        C::InnerDstPort => C::InnerSrcPort,
        same @ (C::Proto
        | C::InnerProto
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
