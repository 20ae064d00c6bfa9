//! sFlow beside the samples of version 5: versions 2 and 4, samples of names and values, transactions, odd agents.

use finderscope_flow::Table;
use finderscope_intake::Protocol;
use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{
    CountersHeader, CountersVersion, DataSource, DatagramHeader, DiscardedHeader, Encoder, FlowField, FlowHeader,
    FlowRecord, GatewayValue, GenericInterface, Interface, Metric, PlainEncoder, PlainVersion, SampledHeader,
    SampledIpv6, Tag, Value,
};
use serde_json::json;

use crate::harness::{Collector, address, check};
use crate::packets::frame;

const SOURCE: DataSource = DataSource { class: 0, index: 7 };

fn head(sequence_number: u32) -> DatagramHeader {
    DatagramHeader { agent: Some(address("2001:db8::99")), sub_agent_id: 6, sequence_number, uptime_ms: 1_000 }
}

fn flow(sequence_number: u32) -> FlowHeader {
    FlowHeader {
        sequence_number,
        source: SOURCE,
        sampling_rate: 512,
        sample_pool: 5120,
        drops: 1,
        input: Interface::index(7),
        output: Interface { format: 2, value: 0 },
    }
}

/// A sampled header with its gateway, a packet by its fields, and counters of Ethernet.
fn plain(version: PlainVersion, sequence_number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let packet = frame(443);
    let mut datagram = PlainEncoder::new(&mut bytes, version, &head(sequence_number));
    let header = FlowRecord::SampledHeader(SampledHeader {
        protocol: HeaderProtocol::ETHERNET,
        frame_length: 1062,
        stripped: 0,
        header: &packet,
    });
    datagram.flow_sample(&flow(5), &header).unwrap().gateway(&GatewayValue {
        router_as: 64_500,
        src_as: 64_501,
        src_peer_as: 64_502,
        dst_as_path: &[(2, &[64_510, 64_511])],
        communities: &[65_536],
        local_pref: 100,
        nexthop: None,
    });
    let ip = SampledIpv6 {
        length: 60,
        protocol: 58,
        src_ip: "2001:db8::1".parse().unwrap(),
        dst_ip: "2001:db8::2".parse().unwrap(),
        src_port: 128,
        dst_port: 0,
        tcp_flags: 0,
        priority: 0,
    };
    datagram.flow_sample(&flow(6), &FlowRecord::SampledIpv6(ip)).unwrap();
    let generic = GenericInterface { if_index: 7, if_in_octets: 99, ..Default::default() };
    let counters = CountersHeader { sequence_number: 8, source: SOURCE };
    let ethernet: Vec<_> = (1..=13).map(Value::U32).collect();
    datagram.counters_sample(&counters, 30, CountersVersion::Ethernet, &generic, &ethernet);
    bytes
}

#[test]
fn versions_2_and_4_fill_the_same_columns() {
    for (version, word, protocol) in
        [(PlainVersion::V2, "SFLOW_2", Protocol::Sflow2), (PlainVersion::V4, "SFLOW_4", Protocol::Sflow4)]
    {
        let mut collector = Collector::new(Default::default());
        collector.send(&plain(version, 1));
        let flows = collector.flows();
        assert_eq!(flows.len(), 2);
        check(
            &flows[0],
            &[
                ("type", json!(word)),
                ("sampler_address", json!("2001:db8::99")),
                ("observation_domain_id", json!(0)),
                ("sampling_rate", json!(512)),
                ("bytes", json!(1062)),
                ("bytes_l3", json!(1040)),
                ("in_if", json!(7)),
                ("out_if", json!(null)),
                ("dst_port", json!(443)),
                ("src_as", json!(64_501)),
                ("dst_as", json!(64_511)),
                ("next_hop_as", json!(64_510)),
                ("as_path", json!([64_510, 64_511])),
                ("bgp_next_hop", json!(null)),
            ],
        );
        assert_eq!(flows[0]["extra"]["output"], "multiple: 0");
        assert_eq!(flows[0]["extra"].get("local_pref").is_some(), version == PlainVersion::V4, "version 2 has none");
        check(
            &flows[1],
            &[
                ("src_addr", json!("2001:db8::1")),
                ("icmp_type", json!(128)),
                ("bytes", json!(60)),
                ("packets", json!(1)),
            ],
        );
        let counters = collector.rows(Table::Counters);
        let interval = json!({"sampling_interval_s": "30"});
        check(&counters[0], &[("structure", json!("if_counters")), ("if_in_octets", json!(99)), ("extra", interval)]);
        assert_eq!(counters[1]["structure"], "ethernet_counters");
        assert_eq!(counters[1]["extra"]["dot3_stats_symbol_errors"], "13");
        assert_eq!(collector.status().domains[0].protocol, protocol);
        assert_eq!(collector.books().sets.decoded, 3);
    }
}

#[test]
fn a_lost_datagram_of_an_older_version_shows_as_a_gap() {
    let mut collector = Collector::new(Default::default());
    for sequence_number in [1, 2, 5] {
        collector.send(&plain(PlainVersion::V4, sequence_number));
    }
    assert_eq!(collector.status().domains[0].sequence.lost, 2);
}

#[test]
fn an_older_version_that_is_cut_keeps_the_samples_before_the_cut() {
    for version in [PlainVersion::V2, PlainVersion::V4] {
        let whole = plain(version, 1);
        for length in 40..whole.len() {
            let mut collector = Collector::new(Default::default());
            collector.send(&whole[..length]);
            let books = collector.books();
            assert_eq!((books.datagrams.decoded, books.sets.malformed.total()), (1, 1), "{length}");
            let rows = collector.flows().len() + collector.rows(Table::Counters).len();
            assert_eq!(rows as u64, books.records.received);
        }
    }
}

fn datagram(write: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes, &head(1)));
    bytes
}

#[test]
fn metrics_by_name_are_a_row_of_counters() {
    let mut collector = Collector::new(Default::default());
    collector.send(&datagram(|encoder| {
        let metrics: [(&[u8], Metric<'_>); 4] = [
            (b"state", Metric::Text(b"ok")),
            (b"requests", Metric::Counter64(1 << 40)),
            (b"load", Metric::Float(0.5)),
            (b"mean", Metric::Double(0.25)),
        ];
        encoder.rtmetric(b"sensor", &metrics);
    }));
    let rows = collector.rows(Table::Counters);
    let extra =
        json!({"data_source": "sensor", "state": "ok", "requests": "1099511627776", "load": "0.5", "mean": "0.25"});
    check(&rows[0], &[("structure", json!("rtmetric")), ("sub_agent_id", json!(6)), ("extra", extra)]);
    assert_eq!((rows.len(), collector.books().sets.decoded, collector.books().records.received), (1, 1, 1));
}

#[test]
fn a_flow_by_name_has_columns_where_its_names_are_known() {
    let mut collector = Collector::new(Default::default());
    collector.send(&datagram(|encoder| {
        let fields: [(&[u8], FlowField<'_>); 9] = [
            (b"ipsource", FlowField::Ipv4([192, 0, 2, 1].into())),
            (b"ip6destination", FlowField::Ipv6("2001:db8::1".parse().unwrap())),
            (b"macsource", FlowField::Mac([2, 0, 0, 0, 0, 1])),
            (b"udpdestinationport", FlowField::Int32(53)),
            (b"ipprotocol", FlowField::Int32(300)),
            (b"bytes", FlowField::Int64(1 << 40)),
            (b"ipsource", FlowField::Ipv4([192, 0, 2, 9].into())),
            (b"query", FlowField::Text(b"example.org")),
            (b"score", FlowField::Int32(-1)),
        ];
        encoder.rtflow(b"dns", 10, 100, &fields);
    }));
    check(
        &collector.flow(),
        &[
            ("src_addr", json!("192.0.2.1")),
            ("dst_addr", json!("2001:db8::1")),
            ("src_mac", json!("02:00:00:00:00:01")),
            ("dst_port", json!(53)),
            ("proto", json!(null)),
            ("bytes", json!(1_099_511_627_776_u64)),
            ("packets", json!(null)),
            ("sampling_rate", json!(10)),
            ("sample_pool", json!(100)),
            (
                "extra",
                json!({
                    "rtflow.data_source": "dns", "rtflow.ipprotocol": "300", "rtflow.ipsource": "192.0.2.9",
                    "rtflow.query": "example.org", "rtflow.score": "-1"
                }),
            ),
        ],
    );
}

#[test]
fn a_transaction_is_no_packet_and_its_client_is_the_source() {
    let mut collector = Collector::new(Default::default());
    collector.send(&datagram(|encoder| {
        let ip = |last| Value::Ip([192, 0, 2, last].into());
        let socket = [Value::U32(6), ip(1), ip(2), Value::U32(80), Value::U32(40_000)];
        encoder.flow_sample(&flow(1)).values(Tag::new(0, 2100), &socket);
    }));
    check(
        &collector.flow(),
        &[
            ("src_addr", json!("192.0.2.2")),
            ("dst_addr", json!("192.0.2.1")),
            ("src_port", json!(40_000)),
            ("dst_port", json!(80)),
            ("proto", json!(6)),
            ("packets", json!(null)),
            ("bytes", json!(null)),
        ],
    );
}

#[test]
fn a_port_name_keeps_its_data_source() {
    let mut collector = Collector::new(Default::default());
    collector.send(&datagram(|encoder| {
        let header = CountersHeader { sequence_number: 1, source: DataSource { class: 0, index: 0x0100_0001 } };
        encoder.counters_sample_expanded(&header).values(Tag::new(0, 1005), &[Value::Text(b"swp1\0")]);
    }));
    check(
        &collector.rows(Table::Counters)[0],
        &[
            ("structure", json!("port_name")),
            ("source_id_class", json!(0)),
            ("source_id_index", json!(0x0100_0001)),
            ("if_index", json!(0x0100_0001)),
            ("extra", json!({"name": "swp1"})),
        ],
    );
}

#[test]
fn every_reason_of_a_discarded_packet_has_its_word() {
    // The registry's numbers (sFlow Dropped Packet Notification Structures); the first, the last and one of each kind.
    for (reason, word) in [
        (0, "net_unreachable"),
        (15, "precedence_cutoff"),
        (256, "unknown"),
        (257, "ttl_exceeded"),
        (269, "blackhole_route"),
        (289, "unknown_l4"),
        (332, "dev_hdr"),
        (366, "tc_egress"),
        (371, "socket_filter"),
        (255, "reason_255"),
        (4_000_000_000, "reason_4000000000"),
    ] {
        let mut collector = Collector::new(Default::default());
        collector.send(&datagram(|encoder| {
            encoder.discarded_packet(&DiscardedHeader {
                sequence_number: 1,
                source: SOURCE,
                drops: 0,
                input: Interface::index(7),
                output: Interface::UNKNOWN,
                reason,
            });
        }));
        let rows = collector.rows(Table::Drops);
        check(&rows[0], &[("drop_reason", json!(word)), ("drop_reason_code", json!(reason)), ("packets", json!(1))]);
    }
}

#[test]
fn sub_agents_have_sequences_of_their_own() {
    let mut collector = Collector::new(Default::default());
    let send = |collector: &mut Collector, sub_agent_id, sequence_number| {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, &DatagramHeader { sub_agent_id, ..head(sequence_number) });
        collector.send(&bytes);
    };
    for (sub_agent, sequence) in [(1, 10), (2, 700), (1, 11), (2, 701), (1, 12), (2, 705)] {
        send(&mut collector, sub_agent, sequence);
    }
    let mut lost: Vec<_> = collector.status().domains.iter().map(|it| (it.id, it.sequence.lost)).collect();
    lost.sort_unstable();
    assert_eq!(lost, [(1, 0), (2, 3)]);
}
