//! The interfaces of a capture: one for each port of each device, described before its first packet.
//!
//! A description cannot be changed once it is written. Where a port's name becomes known later, the port is described
//! again, and its packets from there on belong to the new description.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::{Packet, Port};

/// Descriptions in one capture, and ports that are remembered: more than any network has, and a bound for one that is made up.
const INTERFACES_MAX: usize = 1 << 16;

/// A device's port; none where it is not known which.
pub(super) type Place = (IpAddr, Option<u32>);

/// What is known of ports, and which are described.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    known: HashMap<Place, Interface>,
    /// The next description's number.
    next: u32,
    /// The description of what is beyond the limit.
    rest: Option<u32>,
}

/// A port.
#[derive(Debug, Default)]
pub(super) struct Interface {
    pub(super) name: Option<String>,
    pub(super) speed: Option<u64>,
    /// Its description's number.
    id: Option<u32>,
    /// The counts of what was left out, when they were last said: of samples, and of discarded packets.
    drops: [Option<u32>; 2],
}

/// What a packet belongs to.
pub(super) enum Belongs<'a> {
    /// A description that is there.
    Described { id: u32, drops: u32 },
    /// One that must be written first.
    New { id: u32, place: Place, interface: &'a Interface },
    /// The one for all that are too many, to be written first.
    NewRest { id: u32 },
}

impl Interfaces {
    /// Begins a new capture.
    pub(super) fn forget_ids(&mut self) {
        (self.next, self.rest) = (0, None);
        for interface in self.known.values_mut() {
            interface.id = None;
        }
    }

    /// Whether nothing was described yet.
    pub(super) const fn are_none(&self) -> bool {
        self.next == 0
    }

    pub(super) fn learn(&mut self, port: &Port<'_>) {
        let place = (port.agent, Some(port.if_index));
        if !self.has_room_for(&place) {
            return;
        }
        let interface = self.known.entry(place).or_default();
        if let Some(name) = port.name {
            let name = String::from_utf8_lossy(name);
            // Nothing that a terminal would act on.
            let name: String = name.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect();
            if interface.name.as_deref() != Some(name.as_str()) {
                (interface.name, interface.id) = (Some(name), None);
            }
        }
        if port.speed.is_some() {
            // Not worth another description by itself.
            interface.speed = port.speed;
        }
    }

    /// Where a packet belongs. Samplers count what they left out; `drops` is how many that were since their last packet. Those
    /// of discarded packets count for themselves.
    pub(super) fn of(&mut self, packet: &Packet<'_>) -> Belongs<'_> {
        let place = (packet.agent, packet.if_index());
        if let Some(interface) = self.known.get_mut(&place)
            && let Some(id) = interface.id
        {
            let before = interface.drops[counter(packet)].replace(packet.drops);
            // A count that went back is one that began anew.
            let drops = before.map_or(0, |before| packet.drops.saturating_sub(before));
            return Belongs::Described { id, drops };
        }
        self.first(place, packet)
    }

    #[cold]
    fn first(&mut self, place: Place, packet: &Packet<'_>) -> Belongs<'_> {
        let id = self.next;
        if id as usize >= INTERFACES_MAX || !self.has_room_for(&place) {
            return self.rest();
        }
        self.next = id + 1;
        let interface = self.known.entry(place).or_default();
        interface.id = Some(id);
        interface.drops[counter(packet)] = Some(packet.drops);
        Belongs::New { id, place, interface }
    }

    fn rest(&mut self) -> Belongs<'_> {
        match self.rest {
            Some(id) => Belongs::Described { id, drops: 0 },
            None => {
                let id = self.next;
                (self.rest, self.next) = (Some(id), id + 1);
                Belongs::NewRest { id }
            }
        }
    }

    fn has_room_for(&self, place: &Place) -> bool {
        self.known.len() < INTERFACES_MAX || self.known.contains_key(place)
    }
}

/// Which of a port's counts a packet comes with.
const fn counter(packet: &Packet<'_>) -> usize {
    packet.discard.is_some() as usize
}
