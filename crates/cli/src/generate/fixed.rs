//! Flows as records of NetFlow v1, v6, v7 and v8.
//!
//! Each exporter of version 8 has one aggregation scheme, by its number: fourteen exporters have them all. What a router
//! adds up over minutes is added up here over a turn's flows.

use std::collections::HashMap;

use finderscope_wire::WireError;
use finderscope_wire::netflow::fixed::{self, Field, Header, Layout, Record};
use finderscope_wire::netflow::v5::Sampling;
use finderscope_wire::netflow::{v1, v6, v7, v8};
use finderscope_wire::packet::Address;

use super::exporter::{Clock, Exporter};
use super::traffic::Flow;

const ENGINE_TYPE: u8 = 1;
/// Systematic sampling, one in so many.
const DETERMINISTIC: u8 = 1;
/// The address that the exporters' flows are sent on to.
const NEXT_HOP: u32 = 0x0A00_0001;

/// The layout of an exporter's records.
pub fn layout(version: Version, exporter: usize) -> &'static Layout {
    match version {
        Version::V1 => &v1::LAYOUT,
        Version::V6 => &v6::LAYOUT,
        Version::V7 => &v7::LAYOUT,
        Version::V8 => &v8::LAYOUTS[exporter % v8::LAYOUTS.len()],
    }
}

/// Which of the versions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// No sequence.
    V1,
    /// With encapsulation.
    V6,
    /// Catalyst's.
    V7,
    /// Aggregates.
    V8,
}

/// A turn's flows as records.
pub fn records(layout: &Layout, clock: Clock, flows: &[Flow]) -> Vec<Record> {
    let all = flows.iter().map(|flow| record(flow, clock));
    if layout.version == v8::VERSION { aggregate(layout, all) } else { all.collect() }
}

/// One datagram of at most [`Layout::records_max`] records.
pub fn datagram(
    layout: &Layout,
    exporter: &mut Exporter,
    clock: Clock,
    records: &[Record],
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let sampling = match exporter.sampling_rate {
        0 | 1 => 0,
        rate => Sampling { mode: DETERMINISTIC, interval: rate as u16 }.to_word(),
    };
    let header = Header {
        uptime_ms: clock.uptime_ms(),
        unix_seconds: clock.seconds(),
        unix_nanoseconds: clock.nanoseconds(),
        flow_sequence: exporter.sequence,
        engine_type: ENGINE_TYPE,
        engine_id: exporter.number as u8,
        sampling,
        aggregation_version: v8::AGGREGATION_VERSION,
    };
    exporter.sequence = exporter.sequence.wrapping_add(records.len() as u32);
    fixed::encode(layout, &header, records, out)
}

fn record(flow: &Flow, clock: Clock) -> Record {
    [
        (Field::Source, v4(flow.src)),
        (Field::Destination, v4(flow.dst)),
        (Field::NextHop, NEXT_HOP),
        (Field::Input, flow.in_if.into()),
        (Field::Output, flow.out_if.into()),
        (Field::Flows, 1),
        (Field::Packets, flow.packets),
        (Field::Octets, flow.bytes),
        (Field::First, clock.flow_start_uptime_ms(flow)),
        (Field::Last, clock.uptime_ms()),
        (Field::SourcePort, flow.src_port.into()),
        (Field::DestinationPort, flow.dst_port.into()),
        (Field::Protocol, flow.proto.into()),
        (Field::Tos, flow.tos.into()),
        (Field::TcpFlags, flow.tcp_flags.into()),
        (Field::SourceAs, flow.src_as.into()),
        (Field::DestinationAs, flow.dst_as.into()),
        (Field::SourceMask, 24),
        (Field::DestinationMask, 24),
        (Field::InputEncapsulation, 14),
        (Field::OutputEncapsulation, 18),
        (Field::PeerNextHop, NEXT_HOP),
        (Field::RouterShortcut, NEXT_HOP),
    ]
    .into_iter()
    .fold(Record::default(), |record, (field, value)| record.with(field, value))
}

/// Records that differ in counters and times alone become one, as long as its counters hold the sum.
fn aggregate(layout: &Layout, records: impl Iterator<Item = Record>) -> Vec<Record> {
    let mut sums: Vec<Record> = Vec::new();
    let mut places: HashMap<Vec<u32>, usize> = HashMap::new();
    for record in records.map(|record| prefixed(layout, record)) {
        let own = layout.fields.iter().filter(|&&field| !is_sum(field));
        let key: Vec<u32> = own.map(|&field| record.get(field)).collect();
        let place = places.entry(key).or_insert(sums.len());
        match sums.get(*place).and_then(|sum| added(sum, &record)) {
            Some(sum) => sums[*place] = sum,
            None => {
                *place = sums.len();
                sums.push(record);
            }
        }
    }
    sums
}

const fn is_sum(field: Field) -> bool {
    matches!(field, Field::Flows | Field::Packets | Field::Octets | Field::First | Field::Last)
}

/// Where a scheme has prefix lengths, its addresses are prefixes.
fn prefixed(layout: &Layout, record: Record) -> Record {
    const PAIRS: [(Field, Field); 2] =
        [(Field::Source, Field::SourceMask), (Field::Destination, Field::DestinationMask)];
    PAIRS.into_iter().filter(|(_, mask)| layout.fields.contains(mask)).fold(record, |record, (address, mask)| {
        let bits = record.get(mask).min(32);
        record.with(address, record.get(address) & u32::MAX.checked_shl(32 - bits).unwrap_or(0))
    })
}

/// The sum of two records; nothing where a counter does not hold it.
fn added(sum: &Record, record: &Record) -> Option<Record> {
    let mut added = *sum;
    for field in [Field::Flows, Field::Packets, Field::Octets] {
        added = added.with(field, sum.get(field).checked_add(record.get(field))?);
    }
    Some(added.with(Field::First, sum.get(Field::First).min(record.get(Field::First))))
}

fn v4(address: Address) -> u32 {
    match address {
        Address::V4(bytes) => u32::from_be_bytes(bytes),
        Address::V6([.., a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
    }
}
