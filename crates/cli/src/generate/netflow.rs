//! Flows as NetFlow v5 records.

use finderscope_wire::WireError;
use finderscope_wire::netflow::v5::{Header, Record, Sampling};
use finderscope_wire::packet::Address;

use super::exporter::{Clock, Exporter};
use super::traffic::Flow;

/// Records in a datagram.
pub const PER_DATAGRAM: usize = finderscope_wire::netflow::v5::RECORDS_MAX;
const ENGINE_TYPE: u8 = 1;
/// Systematic sampling, one in so many.
const DETERMINISTIC: u8 = 1;

/// One datagram of at most [`PER_DATAGRAM`] flows.
pub fn datagram(exporter: &mut Exporter, clock: Clock, flows: &[Flow], out: &mut Vec<u8>) -> Result<(), WireError> {
    let sampling = match exporter.sampling_rate {
        0 | 1 => 0,
        rate => Sampling { mode: DETERMINISTIC, interval: rate as u16 }.to_word(),
    };
    let header = Header {
        uptime_ms: clock.uptime_ms().into(),
        unix_seconds: clock.seconds().into(),
        unix_nanoseconds: clock.nanoseconds().into(),
        flow_sequence: exporter.sequence.into(),
        engine_type: ENGINE_TYPE,
        engine_id: exporter.number as u8,
        sampling: sampling.into(),
        ..Header::default()
    };
    let mut records = [Record::default(); PER_DATAGRAM];
    for (record, flow) in records.iter_mut().zip(flows) {
        *record = record_of(flow, clock);
    }
    exporter.sequence = exporter.sequence.wrapping_add(flows.len() as u32);
    finderscope_wire::netflow::v5::encode(&header, &records[..flows.len()], out)
}

fn record_of(flow: &Flow, clock: Clock) -> Record {
    Record {
        source: v4(flow.src),
        destination: v4(flow.dst),
        next_hop: [10, 0, 0, 1],
        input: flow.in_if.into(),
        output: flow.out_if.into(),
        packets: flow.packets.into(),
        octets: flow.bytes.into(),
        first_ms: clock.flow_start_uptime_ms(flow).into(),
        last_ms: clock.uptime_ms().into(),
        source_port: flow.src_port.into(),
        destination_port: flow.dst_port.into(),
        tcp_flags: flow.tcp_flags,
        protocol: flow.proto,
        tos: flow.tos,
        source_as: flow.src_as.into(),
        destination_as: flow.dst_as.into(),
        source_mask: 24,
        destination_mask: 24,
        ..Record::default()
    }
}

fn v4(address: Address) -> [u8; 4] {
    match address {
        Address::V4(bytes) => bytes,
        Address::V6([.., a, b, c, d]) => [a, b, c, d],
    }
}
