//! The interfaces of a capture: one for each port of each device, described before its first packet.
//!
//! A description cannot be changed once it is written. Where a port's name becomes known later, the port is described
//! again, and its packets from there on belong to the new description.

use std::collections::HashMap;
use std::net::IpAddr;

use finderscope_wire::sflow::DataSource;

use crate::{Packet, Port};

/// Descriptions in one capture, and ports that are remembered: more than any network has, and a bound for one that is made up.
const INTERFACES_MAX: usize = 1 << 16;

/// A device's port; none where it is not known which.
pub(super) type Place = (IpAddr, Option<u32>);

/// What is known of ports, and which are described.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    known: HashMap<Place, Interface>,
    /// The counts of samplers that are no ports, such as a VLAN: their packets belong to many interfaces.
    elsewhere: HashMap<(IpAddr, DataSource), Left>,
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
    drops: Left,
}

/// A sampler's counts of what it left out, as they were last said: of samples, and of discarded packets.
#[derive(Debug, Default)]
struct Left([Option<u32>; 2]);

/// What a packet belongs to.
pub(super) enum Belongs<'a> {
    /// A description that is there.
    Described { id: u32, drops: u32 },
    /// One that must be written first.
    New { id: u32, drops: u32, place: Place, interface: &'a Interface },
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
            let drops = match sampler(packet) {
                None => interface.drops.since(packet),
                Some(sampler) => self.left_elsewhere(sampler, packet),
            };
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
        let elsewhere = sampler(packet).map(|sampler| self.left_elsewhere(sampler, packet));
        let interface = self.known.entry(place).or_default();
        interface.id = Some(id);
        let drops = elsewhere.unwrap_or_else(|| interface.drops.since(packet));
        Belongs::New { id, drops, place, interface }
    }

    /// What a sampler left out that is no port: told once, with its next packet, whichever interface that belongs to.
    fn left_elsewhere(&mut self, sampler: (IpAddr, DataSource), packet: &Packet<'_>) -> u32 {
        if self.elsewhere.len() >= INTERFACES_MAX && !self.elsewhere.contains_key(&sampler) {
            return 0;
        }
        self.elsewhere.entry(sampler).or_default().since(packet)
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

impl Left {
    /// How many more that are than at the sampler's packet before.
    fn since(&mut self, packet: &Packet<'_>) -> u32 {
        let before = self.0[usize::from(packet.discard.is_some())].replace(packet.drops);
        // A count that went back is one that began anew.
        before.map_or(0, |before| packet.drops.saturating_sub(before))
    }
}

/// Where a packet was sampled, if that is no port.
fn sampler(packet: &Packet<'_>) -> Option<(IpAddr, DataSource)> {
    let source = packet.source.filter(|source| source.if_index().is_none_or(|index| index == 0))?;
    Some((packet.agent, source))
}
