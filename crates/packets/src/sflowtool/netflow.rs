//! NetFlow v5 and v9 out of sampled packets: a flow a datagram, as sflowtool has it.
//!
//! A packet stands for as many as its sampling rate says. Bytes are the IP packet's; of UDP, the length that UDP says,
//! since the packets of a large datagram are fragments, of which only the first has it and the others are left out.

use std::net::IpAddr;

use finderscope_wire::ipfix::{Encoder, FieldSpecifier};
use finderscope_wire::netflow::{v5, v9};
use finderscope_wire::{WireError, Writer};

use super::seen::Seen;

/// Which NetFlow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// IPv4 alone.
    V5,
    /// IPv4 and IPv6, its template in every datagram.
    V9,
}

/// Makes NetFlow datagrams.
#[derive(Clone, Copy, Debug)]
pub struct NetFlow {
    /// Which.
    pub version: Version,
    /// Neighbours' AS numbers instead of those at the ends.
    pub peer_as: bool,
    /// Multiply by the sampling rate.
    pub scaled: bool,
    sequence: u32,
}

/// A sampled packet as a flow.
#[derive(Clone, Copy, Debug)]
struct Flow {
    source: IpAddr,
    destination: IpAddr,
    packets: u32,
    octets: u32,
    source_as: u32,
    destination_as: u32,
    uptime_ms: u32,
    /// 14 bits of rate and the mode, where nothing was multiplied.
    sampling: Option<v5::Sampling>,
}

/// What stands for an AS number that does not fit 16 bits (RFC 6793 section 9).
const AS_TRANS: u16 = 23456;
const TEMPLATE_V4: u16 = 256;
const TEMPLATE_V6: u16 = 257;
/// Random sampling, one in so many; as the two bits of version 5.
const SAMPLING_MODE: u8 = 1;
const DAY_S: i64 = 86_400;

impl NetFlow {
    /// Begins at sequence 0.
    pub const fn new(version: Version, peer_as: bool, scaled: bool) -> Self {
        Self { version, peer_as, scaled, sequence: 0 }
    }

    /// Writes a datagram into `out`, which is emptied; false where there is no flow that this version can say.
    ///
    /// # Errors
    /// Where the encoder refuses, which it does for nothing that comes from here.
    pub fn write(
        &mut self,
        seen: &Seen<'_>,
        source_id: u32,
        received_ns: i64,
        out: &mut Vec<u8>,
    ) -> Result<bool, WireError> {
        out.clear();
        let Some(flow) = self.flow(seen, received_ns) else { return Ok(false) };
        let seconds = u32::try_from(received_ns.div_euclid(1_000_000_000)).unwrap_or(0);
        match (self.version, flow.source, flow.destination) {
            (Version::V5, IpAddr::V4(source), IpAddr::V4(destination)) => {
                let record = record(seen, &flow, source.octets(), destination.octets());
                v5::encode(&self.header5(&flow, seconds), &[record], out)?;
            }
            (Version::V9, IpAddr::V4(_), IpAddr::V4(_)) => {
                self.write9(seen, &flow, (seconds, source_id), (TEMPLATE_V4, &FIELDS_V4), out)?;
            }
            (Version::V9, IpAddr::V6(_), IpAddr::V6(_)) => {
                self.write9(seen, &flow, (seconds, source_id), (TEMPLATE_V6, &FIELDS_V6), out)?;
            }
            _ => return Ok(false),
        }
        self.sequence = self.sequence.wrapping_add(1);
        Ok(true)
    }

    fn flow(&self, seen: &Seen<'_>, received_ns: i64) -> Option<Flow> {
        if seen.fragment_offset > 0 {
            return None;
        }
        seen.ip?;
        let size = if seen.udp_length > 0 { seen.udp_length } else { seen.ip_size() };
        let times = if self.scaled { seen.sampling_rate } else { 1 };
        let (source_as, destination_as) = match self.peer_as {
            true => (seen.src_peer_as, seen.dst_peer_as),
            false => (seen.src_as, seen.dst_as),
        };
        let rate = u16::try_from(seen.sampling_rate).unwrap_or(u16::MAX).min(0x3FFF);
        let since_midnight_s = received_ns.div_euclid(1_000_000_000).rem_euclid(DAY_S);
        let millis = received_ns.rem_euclid(1_000_000_000) / 1_000_000;
        Some(Flow {
            source: seen.source?,
            destination: seen.destination?,
            packets: times,
            octets: times.saturating_mul(size),
            source_as,
            destination_as,
            uptime_ms: (since_midnight_s * 1000 + millis) as u32,
            sampling: (!self.scaled).then_some(v5::Sampling { mode: SAMPLING_MODE, interval: rate }),
        })
    }

    fn header5(&self, flow: &Flow, seconds: u32) -> v5::Header {
        v5::Header {
            uptime_ms: flow.uptime_ms.into(),
            unix_seconds: seconds.into(),
            flow_sequence: self.sequence.into(),
            sampling: flow.sampling.map_or(0, v5::Sampling::to_word).into(),
            ..v5::Header::default()
        }
    }

    fn write9(
        &self,
        seen: &Seen<'_>,
        flow: &Flow,
        (seconds, source_id): (u32, u32),
        (template, fields): (u16, &[(u16, u16)]),
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        let header = v9::Header {
            uptime_ms: flow.uptime_ms.into(),
            unix_seconds: seconds.into(),
            sequence_number: self.sequence.into(),
            source_id: source_id.into(),
            ..v9::Header::default()
        };
        let specifiers: Vec<FieldSpecifier> =
            fields.iter().map(|&(element, length)| FieldSpecifier::new(element, length)).collect();
        let mut encoder = Encoder::v9(out, &header);
        encoder.template(template, &specifiers);
        encoder.record_with(template, |writer| {
            for &(element, length) in fields {
                put(writer, element, length, seen, flow);
            }
        });
        encoder.finish().map(drop)
    }
}

fn record(seen: &Seen<'_>, flow: &Flow, source: [u8; 4], destination: [u8; 4]) -> v5::Record {
    let next_hop = match seen.next_hop {
        Some(IpAddr::V4(address)) => address.octets(),
        _ => [0; 4],
    };
    let as_number = |number: u32| u16::try_from(number).unwrap_or(AS_TRANS);
    v5::Record {
        source,
        destination,
        next_hop,
        input: port(seen.input).into(),
        output: port(seen.output).into(),
        packets: flow.packets.into(),
        octets: flow.octets.into(),
        first_ms: flow.uptime_ms.into(),
        last_ms: flow.uptime_ms.into(),
        source_port: short(seen.src_port).into(),
        destination_port: short(seen.dst_port).into(),
        tcp_flags: byte(seen.tcp_flags),
        protocol: byte(seen.protocol),
        tos: byte(seen.tos),
        source_as: as_number(flow.source_as).into(),
        destination_as: as_number(flow.destination_as).into(),
        source_mask: byte(seen.src_mask),
        destination_mask: byte(seen.dst_mask),
        ..v5::Record::default()
    }
}

/// Version 5 has 16 bits for an interface; one that does not fit is not known there.
fn port(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(0)
}

fn short(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(0)
}

fn byte(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

/// Elements of RFC 3954 section 8 and their lengths.
const FIELDS_V4: [(u16, u16); 19] = [
    (8, 4),
    (12, 4),
    (15, 4),
    (10, 4),
    (14, 4),
    (2, 4),
    (1, 4),
    (22, 4),
    (21, 4),
    (7, 2),
    (11, 2),
    (6, 1),
    (4, 1),
    (5, 1),
    (16, 4),
    (17, 4),
    (9, 1),
    (13, 1),
    (34, 4),
];

/// The same of IPv6, and the flow label.
const FIELDS_V6: [(u16, u16); 20] = [
    (27, 16),
    (28, 16),
    (62, 16),
    (10, 4),
    (14, 4),
    (2, 4),
    (1, 4),
    (22, 4),
    (21, 4),
    (7, 2),
    (11, 2),
    (6, 1),
    (4, 1),
    (5, 1),
    (16, 4),
    (17, 4),
    (29, 1),
    (30, 1),
    (31, 4),
    (34, 4),
];

fn put(writer: &mut Writer<'_>, element: u16, length: u16, seen: &Seen<'_>, flow: &Flow) {
    let address = match element {
        8 | 27 => Some(Some(flow.source)),
        12 | 28 => Some(Some(flow.destination)),
        15 | 62 => Some(seen.next_hop),
        _ => None,
    };
    if let Some(address) = address {
        match (address, length) {
            (Some(IpAddr::V4(address)), 4) => writer.bytes(&address.octets()),
            (Some(IpAddr::V6(address)), 16) => writer.bytes(&address.octets()),
            _ => writer.bytes(&[0; 16][..usize::from(length.min(16))]),
        };
        return;
    }
    let number = match element {
        1 => flow.octets,
        2 => flow.packets,
        4 => seen.protocol,
        5 => seen.tos,
        6 => seen.tcp_flags,
        7 => seen.src_port,
        9 | 29 => seen.src_mask,
        10 => seen.input,
        11 => seen.dst_port,
        13 | 30 => seen.dst_mask,
        14 => seen.output,
        16 => flow.source_as,
        17 => flow.destination_as,
        21 | 22 => flow.uptime_ms,
        31 => seen.flow_label,
        // The rate is said only where nothing was multiplied by it.
        _ => flow.sampling.map_or(0, |_| seen.sampling_rate),
    };
    match length {
        1 => _ = writer.u8(byte(number)),
        2 => _ = writer.u16(short(number)),
        _ => _ = writer.u32(number),
    }
}
