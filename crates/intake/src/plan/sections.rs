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
/// sectionExportedOctets.
const EXPORTED: u16 = 410;

/// A field that holds the first bytes of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    field: Field,
    layer: Layer,
    /// What says more of how they begin.
    hint: Option<Field>,
    /// What says how long the frame was.
    size: Option<Field>,
    /// What says how many of the field's bytes are the packet's.
    exported: Option<Field>,
}

impl Section {
    /// What the bytes of a record begin with.
    pub(super) fn layer(&self, records: &Records<'_>, row: usize) -> Layer {
        let hint = self.hint.and_then(|hint| records.cell(row, hint).last().copied());
        match (self.layer, hint) {
            (Layer::IpPayload(_), Some(proto)) => Layer::IpPayload(proto),
            (Layer::Ethernet, Some(WIFI)) => Layer::Wifi,
            (layer, _) => layer,
        }
    }

    /// How long a record's frame was; none where it does not say.
    pub(super) fn size(&self, records: &Records<'_>, row: usize) -> Option<u64> {
        number(records.cell(row, self.size?))
    }

    /// A record's bytes of a packet: in a field of fixed length as many as the record says that there are.
    pub(super) fn bytes<'a>(&self, records: &Records<'a>, row: usize) -> &'a [u8] {
        let bytes = records.cell(row, self.field);
        let said = self.exported.and_then(|field| number(records.cell(row, field)));
        let said = said.and_then(|said| usize::try_from(said).ok()).filter(|&said| said > 0);
        said.and_then(|said| bytes.get(..said)).unwrap_or(bytes)
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    let number = bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    (!bytes.is_empty() && bytes.len() <= size_of::<u64>()).then_some(number)
}

/// The section that rows are filled from.
pub(super) fn best(slots: &[Slot]) -> Option<Section> {
    SECTIONS.into_iter().find_map(|(element, layer)| {
        let slot = slots.iter().find(|slot| slot.is(&[element], Direction::Forward) && is_read(slot, slots))?;
        let hint = if element == PAYLOAD { PROTOCOL } else { FRAME_TYPE };
        let (hint, size, exported) = (field(slots, hint), field(slots, FRAME_SIZE), field(slots, EXPORTED));
        Some(Section { field: slot.field, layer, hint, size, exported })
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
