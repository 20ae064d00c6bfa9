//! Two-way records (RFC 5103, and initiators and responders): two rows, one record.

use finderscope_wire::ipfix::{FieldSpecifier, VARIABLE};
use serde_json::json;

use crate::harness::{Collector, check, field, ipfix};

const fn reverse(element: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier::of_enterprise(29_305, element, length)
}

const BIFLOW: [FieldSpecifier; 13] = [
    field(8, 4),
    field(12, 4),
    field(7, 2),
    field(11, 2),
    field(10, 2),
    field(14, 2),
    field(4, 1),
    field(6, 1),
    field(1, 4),
    field(2, 4),
    reverse(1, 4),
    reverse(2, 4),
    reverse(6, 1),
];

fn record(reverse_bytes: u32) -> Vec<u8> {
    let mut record = vec![10, 1, 0, 1, 10, 2, 0, 2, 156, 64, 1, 187, 0, 3, 0, 4, 6, 2];
    for number in [1000, 10, reverse_bytes, reverse_bytes / 100] {
        record.extend_from_slice(&u32::to_be_bytes(number));
    }
    record.push(0x12);
    record
}

#[test]
fn a_biflow_is_two_rows_with_source_and_destination_turned_round() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &BIFLOW).record(256, &record(50_000));
    }));
    let flows = collector.flows();
    assert_eq!(flows.len(), 2);
    check(
        &flows[0],
        &[
            ("biflow", json!("forward")),
            ("src_addr", json!("10.1.0.1")),
            ("dst_port", json!(443)),
            ("in_if", json!(3)),
            ("bytes", json!(1000)),
            ("packets", json!(10)),
            ("tcp_flags", json!(2)),
        ],
    );
    check(
        &flows[1],
        &[
            ("biflow", json!("reverse")),
            ("src_addr", json!("10.2.0.2")),
            ("dst_addr", json!("10.1.0.1")),
            ("src_port", json!(443)),
            ("dst_port", json!(40_000)),
            ("in_if", json!(4)),
            ("out_if", json!(3)),
            ("proto", json!(6)),
            ("bytes", json!(50_000)),
            ("packets", json!(500)),
            ("tcp_flags", json!(18)),
        ],
    );
    let books = collector.books();
    assert_eq!((books.records.received, books.records.in_memory), (1, 1), "the ledger counts one record");
}

#[test]
fn a_biflow_that_nobody_answered_is_one_row() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &BIFLOW).record(256, &record(0)).record(256, &record(700)).record(256, &record(0));
    }));
    let flows = collector.flows();
    let reverse: Vec<_> = flows.iter().filter(|flow| flow["biflow"] == "reverse").collect();
    assert_eq!((flows.len(), reverse.len()), (4, 1));
    check(reverse[0], &[("bytes", json!(700))]);
}

#[test]
fn a_biflow_has_its_own_times_for_the_way_back() {
    let fields = [field(152, 8), field(153, 8), field(1, 4), reverse(1, 4), reverse(152, 8), reverse(153, 8)];
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &fields).record_with(256, |writer| {
            let at = 1_767_225_600_000_u64;
            writer.u64(at - 9_000).u64(at - 8_000).u32(1).u32(2).u64(at - 7_000).u64(at - 6_000);
        });
    }));
    let flows = collector.flows();
    check(&flows[0], &[("time_flow_start_ns", json!("2025-12-31T23:59:51Z"))]);
    check(
        &flows[1],
        &[("time_flow_start_ns", json!("2025-12-31T23:59:53Z")), ("time_flow_end_ns", json!("2025-12-31T23:59:54Z"))],
    );
}

#[test]
fn initiators_and_responders_are_two_ways_as_well() {
    let fields =
        [field(8, 4), field(12, 4), field(231, 4), field(232, 4), field(298, 4), field(299, 4), field(96, VARIABLE)];
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &fields).record_with(256, |writer| {
            writer.bytes(&[10, 1, 0, 1, 10, 2, 0, 2]).u32(100).u32(900).u32(1).u32(9).u8(3).bytes(b"web");
        });
    }));
    let flows = collector.flows();
    assert_eq!(flows.len(), 2);
    check(&flows[0], &[("bytes", json!(100)), ("packets", json!(1)), ("app", json!("web")), ("extra", json!(null))]);
    check(
        &flows[1],
        &[("bytes", json!(900)), ("packets", json!(9)), ("src_addr", json!("10.2.0.2")), ("app", json!("web"))],
    );
}
