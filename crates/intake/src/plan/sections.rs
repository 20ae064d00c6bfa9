//! The fields of a template that hold the first bytes of a packet.

use finderscope_wire::packet::Layer;

use super::key::Direction;
use super::slot::Slot;
use crate::cells::{Field, Records};

/// The elements, the one that tells most first: a frame of a link (and Cisco's older element for it), an IP packet, a
/// label stack and what it carries, the payload of labels, the payload of IP.
const SECTIONS: [(u16, Layer); 6] = [
    (315, Layer::Ethernet),
    (104, Layer::Ethernet),
    (313, Layer::Ip),
    (316, Layer::Mpls),
    (317, Layer::MplsPayload),
    (PAYLOAD, Layer::IpPayload(0)),
];
/// ipPayloadPacketSection.
const PAYLOAD: u16 = 314;
/// protocolIdentifier, without which nobody knows what a payload of IP begins with.
const PROTOCOL: u16 = 4;
/// dataLinkFrameType: 1 is Ethernet, 2 is IEEE 802.11.
const FRAME_TYPE: u16 = 408;
const WIFI: u8 = 2;
/// dataLinkFrameSize.
const FRAME_SIZE: u16 = 312;

/// A field that holds the first bytes of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub(crate) field: Field,
    layer: Layer,
    /// What says more of how they begin.
    hint: Option<Field>,
    /// What says how long the frame was.
    size: Option<Field>,
}

impl Section {
    /// What the bytes of the first of `records` begin with.
    pub(super) fn layer(&self, records: &Records<'_>) -> Layer {
        let hint = self.hint.and_then(|hint| records.cell(0, hint).last().copied());
        match (self.layer, hint) {
            (Layer::IpPayload(_), Some(proto)) => Layer::IpPayload(proto),
            (Layer::Ethernet, Some(WIFI)) => Layer::Wifi,
            (layer, _) => layer,
        }
    }
}

impl Section {
    /// How long the frame of the first of `records` was; none where they do not say.
    pub(super) fn size(&self, records: &Records<'_>) -> Option<u64> {
        let bytes = records.cell(0, self.size?);
        let size = bytes.iter().fold(0, |size: u64, byte| size << 8 | u64::from(*byte));
        (bytes.len() <= size_of::<u64>()).then_some(size)
    }
}

/// The section that rows are filled from.
pub(super) fn best(slots: &[Slot]) -> Option<Section> {
    SECTIONS.into_iter().find_map(|(element, layer)| {
        let slot = slots.iter().find(|slot| slot.is(&[element], Direction::Forward) && is_read(slot, slots))?;
        let hint = if element == PAYLOAD { PROTOCOL } else { FRAME_TYPE };
        Some(Section { field: slot.field, layer, hint: field(slots, hint), size: field(slots, FRAME_SIZE) })
    })
}

/// Whether the slot holds a packet's bytes that can be read.
pub(super) fn is_read(slot: &Slot, slots: &[Slot]) -> bool {
    match slot.element() {
        Some((PAYLOAD, Direction::Forward)) => field(slots, PROTOCOL).is_some(),
        Some((element, Direction::Forward)) => SECTIONS.iter().any(|(section, _)| *section == element),
        _ => false,
    }
}

fn field(slots: &[Slot], element: u16) -> Option<Field> {
    slots.iter().find(|slot| slot.is(&[element], Direction::Forward)).map(|slot| slot.field)
}
