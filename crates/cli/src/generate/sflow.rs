//! Flows as sFlow samples: a packet's header, its switch ports and its route; and interface counters.

use std::net::IpAddr;

use finderscope_wire::packet::{Address, Frame, HeaderProtocol, Transport};
use finderscope_wire::sflow::{
    CountersHeader, CountersVersion, DataSource, DatagramHeader, Encoder, ExtendedRouter, ExtendedSwitch, FlowHeader,
    FlowRecord, GenericInterface, Interface, PlainEncoder, PlainVersion, SampledHeader,
};

use super::exporter::{Clock, Exporter};
use super::traffic::{Flow, ICMP, ICMPV6, TCP, UDP};

/// Samples in a datagram.
pub const PER_DATAGRAM: usize = 5;
/// Bytes of a packet that agents usually send.
const HEADER_BYTES: usize = 128;
/// Counters come with every so-manieth datagram.
const COUNTERS_EVERY: u32 = 50;
const INTERFACES: u32 = 48;
/// How often the older versions say that they send counters.
const POLLING_S: u32 = 30;
const FCS: u32 = 4;
const ETHERNET_AND_SHORTEST_HEADERS: u32 = 14 + 20 + 8;

/// One datagram of samples, of version 5 or one before it. Returns the bytes of the frames that were sampled, FCS
/// included.
pub fn datagram(
    version: Option<PlainVersion>,
    exporter: &mut Exporter,
    clock: Clock,
    flows: &[Flow],
    out: &mut Vec<u8>,
) -> u64 {
    let agent = Some(IpAddr::V4(exporter.address()));
    let sequence_number = exporter.datagrams + 1;
    let header = DatagramHeader { agent, sub_agent_id: 0, sequence_number, uptime_ms: clock.uptime_ms() };
    let mut encoder = match version {
        None => AnyEncoder::Five(Encoder::new(out, &header)),
        Some(version) => AnyEncoder::Plain(PlainEncoder::new(out, version, &header)),
    };
    let mut scratch = Vec::with_capacity(HEADER_BYTES);
    let mut bytes = 0;
    for flow in flows {
        bytes += u64::from(sample(exporter, flow, &mut encoder, &mut scratch));
    }
    if exporter.datagrams.is_multiple_of(COUNTERS_EVERY) {
        counters(exporter, &mut encoder);
    }
    exporter.datagrams += 1;
    bytes
}

/// Versions 2 and 4 have an encoder of their own, since their samples have no lengths.
enum AnyEncoder<'b> {
    Five(Encoder<'b>),
    Plain(PlainEncoder<'b>),
}

fn sample(exporter: &mut Exporter, flow: &Flow, encoder: &mut AnyEncoder<'_>, scratch: &mut Vec<u8>) -> u32 {
    let frame = frame(flow);
    scratch.clear();
    frame.encode(scratch);
    let length = frame.length().max(60);
    scratch.resize(HEADER_BYTES.min(length as usize), 0);
    exporter.samples += 1;
    let head = FlowHeader {
        sequence_number: exporter.samples,
        source: DataSource { class: 0, index: flow.in_if.into() },
        sampling_rate: exporter.sampling_rate,
        sample_pool: exporter.samples.wrapping_mul(exporter.sampling_rate),
        drops: 0,
        input: Interface::index(flow.in_if.into()),
        output: Interface::index(flow.out_if.into()),
    };
    let frame_length = length + FCS;
    let packet = FlowRecord::SampledHeader(SampledHeader {
        protocol: HeaderProtocol::ETHERNET,
        frame_length,
        stripped: FCS,
        header: scratch,
    });
    let extended = [
        FlowRecord::ExtendedSwitch(ExtendedSwitch { src_vlan: 10, src_priority: 0, dst_vlan: 20, dst_priority: 0 }),
        FlowRecord::ExtendedRouter(ExtendedRouter {
            nexthop: Some(IpAddr::from([10, 0, 0, 1])),
            src_mask_len: 24,
            dst_mask_len: 24,
        }),
    ];
    match encoder {
        AnyEncoder::Five(encoder) => {
            let mut writer = encoder.flow_sample(&head);
            writer.record(&packet);
            extended.iter().for_each(|record| _ = writer.record(record));
        }
        AnyEncoder::Plain(encoder) => {
            if let Some(mut writer) = encoder.flow_sample(&head, &packet) {
                extended.iter().for_each(|record| _ = writer.extended(record));
            }
        }
    }
    frame_length
}

fn frame(flow: &Flow) -> Frame<'static> {
    let size = (flow.bytes / flow.packets.max(1)).clamp(64, 1500);
    let [high, low] = flow.in_if.to_be_bytes();
    let [out_high, out_low] = flow.out_if.to_be_bytes();
    let transport = match flow.proto {
        TCP => Transport::Tcp {
            src_port: flow.src_port,
            dst_port: flow.dst_port,
            sequence: flow.bytes,
            flags: flow.tcp_flags.into(),
        },
        UDP => Transport::Udp { src_port: flow.src_port, dst_port: flow.dst_port },
        ICMP | ICMPV6 => Transport::Icmp { kind: (flow.dst_port >> 8) as u8, code: 0 },
        proto => Transport::Other { proto },
    };
    let headers = match flow.src {
        Address::V4(_) => ETHERNET_AND_SHORTEST_HEADERS,
        Address::V6(_) => ETHERNET_AND_SHORTEST_HEADERS + 20,
    };
    Frame {
        src_mac: [2, 0, 0, 0, high, low],
        dst_mac: [2, 0, 1, 0, out_high, out_low],
        vlans: &[],
        src_addr: flow.src,
        dst_addr: flow.dst,
        tos: flow.tos,
        ttl: 64,
        label: flow.bytes & 0xFFFF,
        transport,
        payload_length: size.saturating_sub(headers) as u16,
    }
}

fn counters(exporter: &Exporter, encoder: &mut AnyEncoder<'_>) {
    let round = exporter.datagrams / COUNTERS_EVERY;
    let if_index = 1 + round % INTERFACES;
    let header = CountersHeader { sequence_number: round + 1, source: DataSource { class: 0, index: if_index } };
    let packets = exporter.samples.wrapping_mul(exporter.sampling_rate);
    let generic = GenericInterface {
        if_index,
        if_type: 6,
        if_speed: 10_000_000_000,
        if_direction: 1,
        if_status: 3,
        if_in_octets: u64::from(packets) * 800,
        if_in_ucast_pkts: packets,
        if_out_octets: u64::from(packets) * 700,
        if_out_ucast_pkts: packets,
        ..GenericInterface::default()
    };
    match encoder {
        AnyEncoder::Five(encoder) => _ = encoder.counters_sample(&header).generic_interface(&generic),
        AnyEncoder::Plain(encoder) => {
            encoder.counters_sample(&header, POLLING_S, CountersVersion::Generic, &generic, &[]);
        }
    }
}
