//! NetFlow versions 1, 6, 7 and 8.

use finderscope_wire::netflow::fixed::{self, Field, Header, Layout, Record};
use serde_json::{Value, json};

use crate::harness::{Collector, NOW, SECOND, UPTIME_MS, check, seconds};

pub(crate) fn header(sequence: u32) -> Header {
    Header {
        uptime_ms: UPTIME_MS,
        unix_seconds: seconds(NOW),
        unix_nanoseconds: 0,
        flow_sequence: sequence,
        engine_type: 1,
        engine_id: 2,
        sampling: 0,
        aggregation_version: 2,
    }
}

pub(crate) fn record() -> Record {
    [
        (Field::Source, 0x0A01_0001),
        (Field::Destination, 0x0A02_0002),
        (Field::NextHop, 0x0A00_00FE),
        (Field::Input, 3),
        (Field::Output, 4),
        (Field::Flows, 7),
        (Field::Packets, 10),
        (Field::Octets, 1500),
        (Field::First, UPTIME_MS - 5_000),
        (Field::Last, UPTIME_MS - 1_000),
        (Field::SourcePort, 40_000),
        (Field::DestinationPort, 443),
        (Field::Protocol, 6),
        (Field::Tos, 8),
        (Field::TcpFlags, 0x1B),
        (Field::SourceAs, 64_500),
        (Field::DestinationAs, 64_501),
        (Field::SourceMask, 24),
        (Field::DestinationMask, 16),
        (Field::InputEncapsulation, 4),
        (Field::OutputEncapsulation, 14),
        (Field::PeerNextHop, 0xC000_0201),
        (Field::Flags, 5),
        (Field::FlowFlags, 6),
        (Field::RouterShortcut, 0xC000_0202),
        (Field::MarkedTos, 32),
        (Field::ExtraPackets, 9),
    ]
    .into_iter()
    .fold(Record::default(), |record, (field, value)| record.with(field, value))
}

fn layout(version: u16, aggregation: u8) -> &'static Layout {
    Layout::of(version, aggregation).unwrap()
}

pub(crate) fn datagram(layout: &Layout, header: &Header, records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    fixed::encode(layout, header, records, &mut bytes).unwrap();
    bytes
}

/// The row of one record, which has these cells and those of every datagram, and no others.
#[track_caller]
fn check_row(version: u16, aggregation: u8, domain: u32, cells: &[(&str, Value)]) {
    let mut collector = Collector::new(Default::default());
    collector.now_ns += SECOND / 2;
    collector.send(&datagram(layout(version, aggregation), &header(700), &[record()]));
    let flow = collector.flow();
    let every = [
        ("type", json!(format!("NETFLOW_V{version}"))),
        ("time_received_ns", json!("2026-01-01T00:00:00.500Z")),
        ("time_export_ns", json!("2026-01-01T00:00:00Z")),
        ("exporter_address", json!("10.0.0.1")),
        ("sampler_address", json!("10.0.0.1")),
        ("observation_domain_id", json!(domain)),
        ("time_flow_start_ns", json!("2025-12-31T23:59:55Z")),
        ("time_flow_end_ns", json!("2025-12-31T23:59:59Z")),
        ("time_source", json!("uptime")),
        ("bytes", json!(1500)),
        ("packets", json!(10)),
    ];
    check(&flow, &every);
    check(&flow, cells);
    assert_eq!(flow.len(), every.len() + cells.len(), "{flow:#?}");
}

/// Cells by the columns' names.
fn cells(names: &[&'static str]) -> Vec<(&'static str, Value)> {
    let cell = |name: &str| match name {
        "sequence_num" => json!(700),
        "sampling_rate" => json!(1),
        "sampling_source" => json!("none"),
        "src_addr" => json!("10.1.0.1"),
        "dst_addr" => json!("10.2.0.2"),
        "next_hop" => json!("10.0.0.254"),
        "in_if" => json!(3),
        "out_if" => json!(4),
        "src_port" => json!(40_000),
        "dst_port" => json!(443),
        "proto" => json!(6),
        "ip_tos" => json!(8),
        "tcp_flags" => json!(27),
        "src_as" => json!(64_500),
        "dst_as" => json!(64_501),
        "src_net" => json!(24),
        "dst_net" => json!(16),
        "extra" => json!({"deltaFlowCount": "7"}),
        other => panic!("no cell for {other}"),
    };
    names.iter().map(|&name| (name, cell(name))).collect()
}

const FLOW: [&str; 10] =
    ["src_addr", "dst_addr", "next_hop", "in_if", "out_if", "src_port", "dst_port", "proto", "ip_tos", "tcp_flags"];
/// Where the header has a sampling interval, and it is zero.
const UNSAMPLED: [&str; 3] = ["sequence_num", "sampling_rate", "sampling_source"];
const ROUTE: [&str; 4] = ["src_as", "dst_as", "src_net", "dst_net"];

#[test]
fn version_1_has_no_sequence_no_systems_and_says_nothing_of_sampling() {
    check_row(1, 0, 0, &cells(&FLOW));
}

#[test]
fn version_6_is_version_5_with_encapsulation() {
    let mut expected = cells(&[&FLOW[..], &ROUTE, &UNSAMPLED].concat());
    expected.push(("extra", json!({"in_encaps": "4", "out_encaps": "14", "peer_nexthop": "192.0.2.1"})));
    check_row(6, 0, 258, &expected);
}

#[test]
fn version_7_has_no_engine_and_tells_the_router_that_was_bypassed() {
    let mut expected = cells(&[&FLOW[..], &ROUTE, &["sequence_num"]].concat());
    expected.push(("extra", json!({"flags": "5", "flow_flags": "6", "router_sc": "192.0.2.2"})));
    check_row(7, 0, 0, &expected);
}

#[test]
fn every_aggregation_of_version_8_fills_the_columns_that_it_has() {
    let aggregations: [(u8, &[&str]); 11] = [
        (1, &["src_as", "dst_as", "in_if", "out_if"]),
        (2, &["proto", "src_port", "dst_port"]),
        (3, &["src_addr", "src_net", "src_as", "in_if"]),
        (4, &["dst_addr", "dst_net", "dst_as", "out_if"]),
        (5, &["src_addr", "dst_addr", "src_net", "dst_net", "src_as", "dst_as", "in_if", "out_if"]),
        (9, &["src_as", "dst_as", "in_if", "out_if", "ip_tos"]),
        (10, &["proto", "ip_tos", "src_port", "dst_port", "in_if", "out_if"]),
        (11, &["src_addr", "src_net", "ip_tos", "src_as", "in_if"]),
        (12, &["dst_addr", "dst_net", "ip_tos", "dst_as", "out_if"]),
        (13, &["src_addr", "dst_addr", "src_net", "dst_net", "ip_tos", "src_as", "dst_as", "in_if", "out_if"]),
        (
            14,
            &[
                "src_addr", "dst_addr", "src_net", "dst_net", "ip_tos", "proto", "src_port", "dst_port", "in_if",
                "out_if",
            ],
        ),
    ];
    for (aggregation, columns) in aggregations {
        let columns = [columns, &UNSAMPLED, &["extra"]].concat();
        check_row(8, aggregation, u32::from(aggregation) * 65_536 + 258, &cells(&columns));
    }
}

#[test]
fn catalyst_switches_aggregate_by_flow_masks_and_count_no_flows() {
    let catalysts: [(u8, &[&str]); 3] = [
        (6, &["dst_addr", "out_if", "ip_tos"]),
        (7, &["src_addr", "dst_addr", "in_if", "out_if", "ip_tos"]),
        (8, &["src_addr", "dst_addr", "src_port", "dst_port", "in_if", "out_if", "ip_tos", "proto"]),
    ];
    for (aggregation, columns) in catalysts {
        let mut expected = cells(&[columns, &UNSAMPLED].concat());
        expected.push(("extra", json!({"marked_tos": "32", "extra_pkts": "9", "router_sc": "192.0.2.2"})));
        check_row(8, aggregation, u32::from(aggregation) * 65_536 + 258, &expected);
    }
}

#[test]
fn an_aggregation_that_nobody_knows_is_an_unknown_set() {
    let mut collector = Collector::new(Default::default());
    let mut bytes = datagram(layout(8, 1), &header(1), &[record()]);
    bytes[22] = 15;
    collector.send(&bytes);
    let books = collector.books();
    assert_eq!((books.datagrams.decoded, books.sets.unknown.get("aggregation 15"), books.records.received), (1, 1, 0));
}

#[test]
fn a_sampling_interval_in_the_header_is_the_rate() {
    for layout in [layout(6, 0), layout(8, 11)] {
        let mut collector = Collector::new(Default::default());
        let header = Header { sampling: 0x4000 | 100, ..header(1) };
        collector.send(&datagram(layout, &header, &[record()]));
        check(&collector.flow(), &[("sampling_rate", json!(100)), ("sampling_source", json!("header"))]);
        assert_eq!(collector.status().domains[0].samplers[0].rate, 100);
    }
}

#[test]
fn what_the_operator_says_of_sampling_holds_where_headers_say_nothing() {
    use finderscope_intake::{Config, ExporterConfig, Network};
    for layout in [layout(1, 0), layout(7, 0)] {
        let mut exporter = ExporterConfig::new(Network::host("10.0.0.1".parse().unwrap()));
        exporter.assumed_sampling_rate = Some(50);
        let mut collector = Collector::new(Config { exporters: vec![exporter], ..Config::default() });
        collector.send(&datagram(layout, &header(1), &[record()]));
        check(&collector.flow(), &[("sampling_rate", json!(50)), ("sampling_source", json!("assumed"))]);
    }
}

#[test]
fn sequences_count_records_and_each_aggregation_has_its_own() {
    let mut collector = Collector::new(Default::default());
    for (aggregation, sequence) in [(1, 100), (2, 7_000), (1, 102), (2, 7_002), (1, 107)] {
        collector.send(&datagram(layout(8, aggregation), &header(sequence), &[record(), record()]));
    }
    let status = collector.status();
    assert_eq!((status.lost(), status.domains.len()), (3, 2));
    let mut collector = Collector::new(Default::default());
    for sequence in [10, 12, 13] {
        collector.send(&datagram(layout(7, 0), &header(sequence), &[record(), record()]));
    }
    let sequence = collector.status().domains[0].sequence;
    assert_eq!((sequence.lost, sequence.reordered), (0, 1));
}

#[test]
fn version_1_loses_nothing_that_could_be_told() {
    let mut collector = Collector::new(Default::default());
    for second in [0, 9, 3] {
        let header = Header { unix_seconds: header(0).unix_seconds + second, ..header(0) };
        collector.send(&datagram(layout(1, 0), &header, &[record()]));
    }
    assert_eq!((collector.flows().len(), collector.status().lost()), (3, 0));
}

#[test]
fn the_same_datagram_twice_is_a_duplicate() {
    for layout in Layout::all() {
        let mut collector = Collector::new(Default::default());
        let bytes = datagram(layout, &header(1), &[record()]);
        collector.send(&bytes);
        collector.send(&bytes);
        assert_eq!((collector.flows().len(), collector.books().datagrams.duplicate), (1, 1), "{layout:?}");
    }
}

#[test]
fn a_count_beyond_the_datagram_costs_what_is_not_there() {
    for layout in Layout::all() {
        let mut collector = Collector::new(Default::default());
        let mut bytes = datagram(layout, &header(1), &[record(), record()]);
        bytes.truncate(bytes.len() - 1);
        collector.send(&bytes);
        assert_eq!(collector.flows().len(), 1);
        let books = collector.books();
        let malformed = books.sets.malformed.get("too_long");
        assert_eq!((books.datagrams.decoded, malformed, books.records.received), (1, 1, 1), "{layout:?}");
    }
}

#[test]
fn records_of_zeros_at_the_end_are_padding_and_trailing_bytes_are_nothing() {
    for layout in Layout::all() {
        let mut collector = Collector::new(Default::default());
        let records = [Record::default(), record(), Record::default()];
        let mut bytes = datagram(layout, &header(1), &records);
        bytes.extend([0; 90]);
        collector.send(&bytes);
        assert_eq!(collector.flows().len(), 2);
        let books = collector.books();
        assert_eq!((books.records.skipped.get("padding"), books.sets.malformed.total()), (1, 0), "{layout:?}");
    }
}

#[test]
fn times_of_zero_and_uptimes_that_wrapped_are_read_as_in_version_5() {
    let mut collector = Collector::new(Default::default());
    let unset = record().with(Field::First, 0).with(Field::Last, 0);
    collector.send(&datagram(layout(8, 5), &header(1), &[unset]));
    check(&collector.flow(), &[("time_source", json!("assumed")), ("time_flow_end_ns", json!("2026-01-01T00:00:00Z"))]);
    let wrapped = record().with(Field::First, u32::MAX - 999).with(Field::Last, 1_000);
    collector.send(&datagram(layout(1, 0), &Header { uptime_ms: 2_000, ..header(2) }, &[wrapped]));
    let expected =
        [("time_flow_start_ns", json!("2025-12-31T23:59:57Z")), ("time_flow_end_ns", json!("2025-12-31T23:59:59Z"))];
    check(&collector.flow(), &expected);
}

#[test]
fn the_plan_of_a_layout_and_the_own_way_of_version_5_fill_the_same_columns() {
    let mut collector = Collector::new(Default::default());
    collector.send(&super::v5::datagram(&super::v5::header(700), &[super::v5::record()]));
    let five = collector.flow();
    let mut collector = Collector::new(Default::default());
    collector.send(&datagram(layout(6, 0), &header(700), &[record()]));
    let mut six = collector.flow();
    six.remove("extra");
    six.insert("type".to_owned(), json!("NETFLOW_V5"));
    assert_eq!(five, six);
}
