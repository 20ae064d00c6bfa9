//! Records of packets in a tunnel: what comes again in a template is said of the packet inside.
//!
//! RFC 7011 section 8 has elements that are repeated stand from the outside in. Routers that export SRv6 (Cisco,
//! Huawei) give the outer packet's addresses, ports and protocol, and after them the inner ones' once more. Templates
//! that have both address families but one protocol are another matter: a record fills the family that its packet has.

use finderscope_flow::Column;
use finderscope_flow::registry::Mapping;

use super::draft::mappings;
use super::key::Direction;
use super::slot::Slot;

const SOURCES: [u16; 2] = [8, 27];
const ADDRESSES: [u16; 4] = [8, 12, 27, 28];
const PROTOCOL: [u16; 1] = [4];

/// The fields of the inner packet, from a place in the template on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inner<'a> {
    outer: &'a [Slot],
}

impl<'a> Inner<'a> {
    /// From the second source address on, where there is a protocol before and after it.
    pub(super) fn of(slots: &'a [Slot]) -> Option<Self> {
        let has = |slots: &[Slot], elements: &[u16]| slots.iter().any(|slot| slot.is(elements, Direction::Forward));
        let is_source = |slot: &Slot| slot.is(&SOURCES, Direction::Forward);
        let first = slots.iter().position(is_source)?;
        let second = first + 1 + slots.get(first + 1..)?.iter().position(is_source)?;
        let (outer, inner) = slots.split_at(second);
        (has(outer, &PROTOCOL) && has(inner, &PROTOCOL)).then_some(Self { outer })
    }

    /// The columns that a field fills, inside a tunnel or not.
    pub(super) fn mappings(inside: Option<Self>, slot: &Slot) -> Vec<Mapping> {
        let outer = mappings(slot.key);
        if inside.is_some_and(|inside| inside.has(slot)) {
            outer.into_iter().filter_map(inner).collect()
        } else {
            outer
        }
    }

    /// Whether this field is the inner packet's: an address, or what was said of the outer one before.
    fn has(&self, slot: &Slot) -> bool {
        let is_outer = |field| self.outer.iter().any(|outer| outer.field == field);
        let comes_again = self.outer.iter().any(|outer| outer.key == slot.key);
        !is_outer(slot.field) && (comes_again || slot.is(&ADDRESSES, Direction::Forward))
    }
}

/// What an element fills where it is the inner packet's; `None` where there is no such column.
fn inner(mapping: Mapping) -> Option<Mapping> {
    use Column as C;
    let column = match mapping.column {
        C::SrcAddr => C::InnerSrcAddr,
        C::DstAddr => C::InnerDstAddr,
        C::SrcPort => C::InnerSrcPort,
        C::DstPort => C::InnerDstPort,
        C::Proto => C::InnerProto,
        C::Etype => C::InnerEtype,
        C::SrcMac => C::InnerSrcMac,
        C::DstMac => C::InnerDstMac,
        C::VlanId => C::InnerVlanId,
        _ => return None,
    };
    Some(Mapping { column, ..mapping })
}
