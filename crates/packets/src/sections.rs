//! Packet sections of IPFIX and NetFlow v9 records, as packets.
//!
//! A section's bytes begin as its element says; here that becomes one of sFlow's numbers, which are what packets
//! have. What begins with the payload of IP has none, and is given [`NO_PROTOCOL`].

use finderscope_intake::{ErrorEvent, PacketSection, Trouble, Watch};
use finderscope_wire::packet::{self, HeaderProtocol, Layer};
use finderscope_wire::sflow::Interface;

use crate::{Counts, Item, Packet};

/// What the bytes begin with has no number.
pub const NO_PROTOCOL: HeaderProtocol = HeaderProtocol(0);

/// Looks on while an intake decodes, and hands out the packets that it sees.
#[derive(Debug)]
pub struct Sections<'a, F> {
    counts: &'a mut Counts,
    take: F,
}

impl<'a, F: FnMut(Item<'_>)> Sections<'a, F> {
    /// Counts into `counts`, and hands packets to `take`.
    pub const fn new(counts: &'a mut Counts, take: F) -> Self {
        Self { counts, take }
    }
}

impl<F: FnMut(Item<'_>)> Watch for Sections<'_, F> {
    fn wants_packets(&self) -> bool {
        true
    }

    fn packet(&mut self, section: &PacketSection<'_>) {
        self.counts.packets += 1;
        (self.take)(Item::Packet(Packet::of_section(section)));
    }

    fn error(&mut self, event: &ErrorEvent) {
        // Data that waits for its template is not lost yet.
        if let Trouble::Wire(error) = event.error {
            match error.field {
                "version" | "header" => self.counts.datagrams_malformed += 1,
                _ => self.counts.samples_malformed += 1,
            }
        }
    }
}

impl<'a> Packet<'a> {
    /// A section as a packet.
    pub fn of_section(section: &PacketSection<'a>) -> Self {
        let protocol = protocol(section.layer, section.bytes);
        let told = section.frame_length.and_then(|length| u32::try_from(length).ok()).filter(|&length| length > 0);
        // A field of fixed length is filled up with zeros behind a packet that is shorter.
        let whole = told.and_then(|length| section.bytes.get(..usize::try_from(length).ok()?));
        let bytes = whole.unwrap_or(section.bytes);
        Self {
            received_ns: section.received_ns,
            exporter: section.exporter,
            agent: section.exporter,
            source: None,
            input: section.input.map(Interface::index),
            output: section.output.map(Interface::index),
            sampling_rate: section.sampling_rate.map(|rate| u32::try_from(rate).unwrap_or(u32::MAX)),
            sample_pool: 0,
            drops: 0,
            discard: None,
            protocol,
            frame_length: told.unwrap_or_else(|| length(section.layer, bytes)),
            stripped: 0,
            bytes,
        }
    }
}

/// How long a packet was whose record does not say it: as long as its IP header says.
fn length(layer: Layer, bytes: &[u8]) -> u32 {
    let packet = packet::Packet::parse(layer, bytes);
    let held = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let said = packet.l3_offset.zip(packet.ip_total_length);
    said.map_or(held, |(offset, length)| offset.saturating_add(length)).max(held)
}

fn protocol(layer: Layer, bytes: &[u8]) -> HeaderProtocol {
    match layer {
        Layer::Ethernet => HeaderProtocol::ETHERNET,
        Layer::Wifi => HeaderProtocol::WIFI_MAC,
        Layer::Mpls => HeaderProtocol::MPLS,
        // What labels carry is told by its first four bits, as routers do.
        Layer::Ip | Layer::MplsPayload => match bytes.first().map(|first| first >> 4) {
            Some(4) => HeaderProtocol::IPV4,
            Some(6) => HeaderProtocol::IPV6,
            _ => NO_PROTOCOL,
        },
        _ => NO_PROTOCOL,
    }
}
