//! sFlow: flow samples, counters, discarded packets.

use finderscope_flow::Table;
use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{
    CountersHeader, DataSource, DatagramHeader, DiscardedHeader, Encoder, ExtendedRouter, ExtendedSwitch, FlowHeader,
    FlowRecord, GatewayValue, GenericInterface, Interface, SampledHeader, SampledIpv4, Tag, Value,
};
use serde_json::json;

use crate::harness::{Collector, address, check};
use crate::packets::frame;

fn datagram(write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header =
        DatagramHeader { agent: Some(address("192.0.2.1")), sub_agent_id: 3, sequence_number: 9, uptime_ms: 1_000 };
    write(&mut Encoder::new(&mut bytes, &header));
    bytes
}

fn header() -> FlowHeader {
    FlowHeader {
        sequence_number: 5,
        source: DataSource { class: 0, index: 7 },
        sampling_rate: 1024,
        sample_pool: 5120,
        drops: 2,
        input: Interface::index(7),
        output: Interface::index(8),
    }
}

fn sampled(bytes: &[u8]) -> FlowRecord<'_> {
    let protocol = HeaderProtocol::ETHERNET;
    FlowRecord::SampledHeader(SampledHeader { protocol, frame_length: 1062, stripped: 4, header: bytes })
}

#[test]
fn a_sampled_packet_is_a_row_with_all_that_is_known_of_it() {
    let mut collector = Collector::new(Default::default());
    let packet = frame(443);
    collector.send(&datagram(|encoder| {
        let mut sample = encoder.flow_sample(&header());
        sample.record(&sampled(&packet));
        sample.record(&FlowRecord::ExtendedSwitch(ExtendedSwitch {
            src_vlan: 100,
            src_priority: 0,
            dst_vlan: 200,
            dst_priority: 5,
        }));
        sample.record(&FlowRecord::ExtendedRouter(ExtendedRouter {
            nexthop: Some(address("10.9.9.9")),
            src_mask_len: 24,
            dst_mask_len: 16,
        }));
        sample.gateway(&GatewayValue {
            nexthop: Some(address("2001:db8::1")),
            router_as: 64_500,
            src_as: 64_501,
            src_peer_as: 64_502,
            dst_as_path: &[(2, &[64_510, 64_511]), (1, &[64_512])],
            communities: &[65_536],
            local_pref: 100,
        });
        sample.values(Tag::new(0, 1029), &[Value::U32(4242)]);
    }));
    check(
        &collector.flow(),
        &[
            ("type", json!("SFLOW_5")),
            ("exporter_address", json!("10.0.0.1")),
            ("sampler_address", json!("192.0.2.1")),
            ("observation_domain_id", json!(3)),
            ("sub_agent_id", json!(3)),
            ("sequence_num", json!(9)),
            ("time_export_ns", json!(null)),
            ("time_flow_start_ns", json!("2026-01-01T00:00:00Z")),
            ("time_flow_end_ns", json!("2026-01-01T00:00:00Z")),
            ("time_source", json!("sample")),
            ("sampling_rate", json!(1024)),
            ("sampling_source", json!("sample")),
            ("bytes", json!(1062)),
            ("packets", json!(1)),
            ("bytes_l3", json!(1040)),
            ("source_id_class", json!(0)),
            ("source_id_index", json!(7)),
            ("sample_sequence", json!(5)),
            ("sample_pool", json!(5120)),
            ("sample_drops", json!(2)),
            ("in_if", json!(7)),
            ("out_if", json!(8)),
            ("src_addr", json!("10.1.0.1")),
            ("dst_addr", json!("10.2.0.2")),
            ("src_port", json!(40_000)),
            ("dst_port", json!(443)),
            ("vlan_id", json!(100)),
            ("src_vlan", json!(100)),
            ("dst_vlan", json!(200)),
            ("next_hop", json!("10.9.9.9")),
            ("src_net", json!(24)),
            ("dst_net", json!(16)),
            ("bgp_next_hop", json!("2001:db8::1")),
            ("src_as", json!(64_501)),
            ("dst_as", json!(64_512)),
            ("next_hop_as", json!(64_510)),
            ("as_path", json!([64_510, 64_511, 64_512])),
            ("bgp_communities", json!([65_536])),
            (
                "extra",
                json!({
                    "dst_priority": "5", "router_as": "64500", "src_peer_as": "64502", "local_pref": "100",
                    "extended_vni_egress.vni": "4242"
                }),
            ),
        ],
    );
    let books = collector.books();
    assert_eq!((books.sets.decoded, books.records.received), (1, 1));
}

#[test]
fn interfaces_that_are_none_or_many_are_told_by_name() {
    for (output, expected) in [
        (Interface::INTERNAL, json!({"output": "internal"})),
        (Interface { format: 1, value: 258 }, json!({"output": "discarded: acl"})),
        (Interface { format: 2, value: 5 }, json!({"output": "multiple: 5"})),
        (Interface::UNKNOWN, json!(null)),
    ] {
        let mut collector = Collector::new(Default::default());
        collector.send(&datagram(|encoder| {
            _ = encoder.flow_sample(&FlowHeader { output, ..header() }).record(&sampled(&frame(1)))
        }));
        check(&collector.flow(), &[("out_if", json!(null)), ("extra", expected)]);
    }
}

#[test]
fn a_packet_known_only_by_its_fields_has_its_ip_length() {
    let mut collector = Collector::new(Default::default());
    let ip = SampledIpv4 {
        length: 576,
        protocol: 17,
        src_ip: [10, 1, 0, 1].into(),
        dst_ip: [10, 2, 0, 2].into(),
        src_port: 5353,
        dst_port: 53,
        tcp_flags: 0,
        tos: 0,
    };
    collector.send(&datagram(|encoder| {
        _ = encoder
            .flow_sample_expanded(&FlowHeader { sampling_rate: 0, ..header() })
            .record(&FlowRecord::SampledIpv4(ip))
    }));
    check(
        &collector.flow(),
        &[("bytes", json!(576)), ("bytes_l3", json!(null)), ("dst_port", json!(53)), ("sampling_rate", json!(null))],
    );
}

#[test]
fn each_counter_structure_is_a_row() {
    let mut collector = Collector::new(Default::default());
    let generic = GenericInterface {
        if_index: 7,
        if_speed: 10_000_000_000,
        if_in_octets: 5,
        if_in_errors: u32::MAX,
        ..Default::default()
    };
    collector.send(&datagram(|encoder| {
        let header = CountersHeader { sequence_number: 4, source: DataSource { class: 0, index: 7 } };
        let mut sample = encoder.counters_sample(&header);
        sample.generic_interface(&generic);
        sample.values(
            Tag::new(0, 5),
            &[Value::U32(9), Value::U64(80), Value::U32(1), Value::U32(2), Value::U32(u32::MAX), Value::U32(4)],
        );
        sample.values(Tag::new(99, 5), &[Value::U32(9)]);
    }));
    let rows = collector.rows(Table::Counters);
    assert_eq!(rows.len(), 2);
    check(
        &rows[0],
        &[
            ("structure", json!("if_counters")),
            ("if_index", json!(7)),
            ("if_speed", json!(10_000_000_000_u64)),
            ("if_in_octets", json!(5)),
            ("if_in_errors", json!(null)),
            ("sample_sequence", json!(4)),
        ],
    );
    let extra = json!({"vlan_id": "9", "octets": "80", "ucast_pkts": "1", "multicast_pkts": "2", "discards": "4"});
    check(&rows[1], &[("structure", json!("vlan_counters")), ("if_index", json!(7)), ("extra", extra)]);
    let books = collector.books();
    assert_eq!((books.sets.decoded, books.records.received, books.notes.get("unknown counter record 99:5")), (1, 2, 1));
}

#[test]
fn a_discarded_packet_is_a_row_of_drops() {
    let mut collector = Collector::new(Default::default());
    collector.send(&datagram(|encoder| {
        let header = DiscardedHeader {
            sequence_number: 1,
            source: DataSource { class: 0, index: 7 },
            drops: 3,
            input: Interface::index(7),
            output: Interface::UNKNOWN,
            reason: 258,
        };
        encoder.discarded_packet(&header).record(&sampled(&frame(23)));
    }));
    let rows = collector.rows(Table::Drops);
    check(
        &rows[0],
        &[
            ("drop_reason", json!("acl")),
            ("drop_reason_code", json!(258)),
            ("dst_port", json!(23)),
            ("packets", json!(1)),
            ("bytes", json!(1062)),
            ("sampling_rate", json!(1)),
        ],
    );
    assert!(collector.flows().is_empty());
}

#[test]
fn samples_and_records_of_unknown_kinds_are_counted_and_cost_nothing_else() {
    let mut collector = Collector::new(Default::default());
    let packet = frame(443);
    collector.send(&datagram(|encoder| {
        encoder.raw_sample(Tag::new(0, 77), &[1, 2, 3, 4]);
        let mut sample = encoder.flow_sample(&header());
        sample.values(Tag::new(77, 1), &[Value::U32(1)]);
        sample.record(&sampled(&packet));
    }));
    check(&collector.flow(), &[("dst_port", json!(443))]);
    let books = collector.books();
    assert_eq!((books.sets.received, books.sets.decoded, books.sets.unknown.get("sample 0:77")), (2, 1, 1));
    assert_eq!(books.notes.get("unknown flow record 77:1"), 1);
}

#[test]
fn a_datagram_that_is_cut_keeps_the_samples_before_the_cut() {
    let packet = frame(443);
    let whole = datagram(|encoder| {
        for _ in 0..3 {
            encoder.flow_sample(&header()).record(&sampled(&packet));
        }
    });
    for length in 0..whole.len() {
        let mut collector = Collector::new(Default::default());
        collector.send(&whole[..length]);
        let books = collector.books();
        assert_eq!(collector.flows().len() as u64, books.records.received, "{length}");
        if length >= 36 {
            assert_eq!((books.datagrams.decoded, books.sets.malformed.total() > 0), (1, true), "{length}");
        }
    }
}
