//! NetFlow version 5.

use finderscope_wire::netflow::v5::{self, Header, Record, Sampling};
use serde_json::json;

use crate::harness::{Collector, NOW, SECOND, UPTIME_MS, check, seconds};

pub(crate) fn header(sequence: u32) -> Header {
    Header {
        uptime_ms: UPTIME_MS.into(),
        unix_seconds: seconds(NOW),
        flow_sequence: sequence.into(),
        engine_type: 1,
        engine_id: 2,
        ..Default::default()
    }
}

pub(crate) fn record() -> Record {
    Record {
        source: [10, 1, 0, 1],
        destination: [10, 2, 0, 2],
        next_hop: [10, 0, 0, 254],
        input: 3.into(),
        output: 4.into(),
        packets: 10.into(),
        octets: 1500.into(),
        first_ms: (UPTIME_MS - 5_000).into(),
        last_ms: (UPTIME_MS - 1_000).into(),
        source_port: 40_000.into(),
        destination_port: 443.into(),
        tcp_flags: 0x1b,
        protocol: 6,
        tos: 8,
        source_as: 64_500.into(),
        destination_as: 64_501.into(),
        source_mask: 24,
        destination_mask: 16,
        ..Default::default()
    }
}

pub(crate) fn datagram(header: &Header, records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    v5::encode(header, records, &mut bytes).unwrap();
    bytes
}

#[test]
fn every_field_of_a_record_has_its_column() {
    let mut collector = Collector::new(Default::default());
    collector.now_ns += SECOND / 2;
    collector.send(&datagram(&header(700), &[record()]));
    let flow = collector.flow();
    check(
        &flow,
        &[
            ("type", json!("NETFLOW_V5")),
            ("time_received_ns", json!("2026-01-01T00:00:00.500Z")),
            ("time_export_ns", json!("2026-01-01T00:00:00Z")),
            ("exporter_address", json!("10.0.0.1")),
            ("sampler_address", json!("10.0.0.1")),
            ("observation_domain_id", json!(258)),
            ("sequence_num", json!(700)),
            ("time_flow_start_ns", json!("2025-12-31T23:59:55Z")),
            ("time_flow_end_ns", json!("2025-12-31T23:59:59Z")),
            ("time_source", json!("uptime")),
            ("sampling_rate", json!(1)),
            ("sampling_source", json!("none")),
            ("bytes", json!(1500)),
            ("packets", json!(10)),
            ("src_addr", json!("10.1.0.1")),
            ("dst_addr", json!("10.2.0.2")),
            ("next_hop", json!("10.0.0.254")),
            ("src_port", json!(40_000)),
            ("dst_port", json!(443)),
            ("proto", json!(6)),
            ("tcp_flags", json!(27)),
            ("ip_tos", json!(8)),
            ("in_if", json!(3)),
            ("out_if", json!(4)),
            ("src_as", json!(64_500)),
            ("dst_as", json!(64_501)),
            ("src_net", json!(24)),
            ("dst_net", json!(16)),
        ],
    );
    assert_eq!(flow.len(), 28, "{flow:#?}");
}

#[test]
fn a_sampling_interval_is_the_rate_and_zero_is_unsampled() {
    for (mode, interval, rate, source) in
        [(1, 100, 100, "header"), (0, 100, 100, "header"), (2, 0, 1, "none"), (0, 0, 1, "none"), (1, 1, 1, "header")]
    {
        let mut collector = Collector::new(Default::default());
        let header = Header { sampling: Sampling { mode, interval }.to_word().into(), ..header(1) };
        collector.send(&datagram(&header, &[record()]));
        check(&collector.flow(), &[("sampling_rate", json!(rate)), ("sampling_source", json!(source))]);
    }
}

#[test]
fn a_count_beyond_the_datagram_costs_what_is_not_there() {
    let mut collector = Collector::new(Default::default());
    let mut bytes = datagram(&header(1), &[record(), record()]);
    bytes.truncate(bytes.len() - 1);
    collector.send(&bytes);
    assert_eq!(collector.flows().len(), 1);
    let books = collector.books();
    assert_eq!((books.datagrams.decoded, books.sets.malformed.get("too_long"), books.records.received), (1, 1, 1));
}

#[test]
fn records_of_zeros_at_the_end_are_padding() {
    let mut collector = Collector::new(Default::default());
    collector.send(&datagram(&header(1), &[Record::default(), record(), Record::default(), Record::default()]));
    assert_eq!(collector.flows().len(), 2);
    assert_eq!(collector.books().records.skipped.get("padding"), 2);
}

#[test]
fn a_header_that_is_cut_is_malformed_and_its_sender_is_not_remembered() {
    let mut collector = Collector::new(Default::default());
    collector.send(&datagram(&header(1), &[])[..23]);
    collector.send(&[0, 5]);
    collector.send(&[]);
    collector.send(&[0, 77, 1, 2]);
    let malformed = collector.books().datagrams.malformed;
    assert_eq!((malformed.get("truncated"), malformed.get("version")), (3, 1));
    assert_eq!(collector.intake.ledger().len(), 0);
    assert_eq!(collector.intake.strangers().datagrams.received, 4);
}
