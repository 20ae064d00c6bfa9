//! Events are not flows: NSEL, NAT and firewall records.

use finderscope_flow::Table;
use finderscope_wire::ipfix::FieldSpecifier;
use serde_json::json;

use crate::harness::{Collector, check, field, ipfix, v9};

/// As an ASA sends them: no times but the event's, counters of both directions.
const NSEL: [FieldSpecifier; 12] = [
    field(148, 4),
    field(8, 4),
    field(7, 2),
    field(12, 4),
    field(11, 2),
    field(4, 1),
    field(233, 1),
    field(33_002, 2),
    field(323, 8),
    field(40_001, 4),
    field(231, 4),
    field(232, 4),
];

fn nsel(event: u8, initiator: u32, responder: u32) -> Vec<u8> {
    let mut record = 77_u32.to_be_bytes().to_vec();
    record.extend_from_slice(&[10, 1, 0, 1, 156, 64, 10, 2, 0, 2, 1, 187, 6, event, 3, 233]);
    record.extend_from_slice(&1_767_225_590_000_u64.to_be_bytes());
    record.extend_from_slice(&[192, 0, 2, 1]);
    record.extend_from_slice(&initiator.to_be_bytes());
    record.extend_from_slice(&responder.to_be_bytes());
    record
}

#[test]
fn what_an_asa_creates_and_denies_are_events_and_what_it_tears_down_are_flows() {
    let mut collector = Collector::new(Default::default());
    collector.send(&v9(0, |encoder| {
        encoder.template(256, &NSEL);
        for record in [nsel(1, 0, 0), nsel(2, 500, 7000), nsel(3, 0, 0)] {
            encoder.record(256, &record);
        }
    }));
    let events = collector.rows(Table::Events);
    assert_eq!(events.len(), 2);
    check(
        &events[0],
        &[
            ("firewall_event", json!(1)),
            ("flow_id", json!(77)),
            ("post_nat_src_addr", json!("192.0.2.1")),
            ("time_flow_end_ns", json!("2025-12-31T23:59:50Z")),
            ("extra", json!({"firewallEventExtended": "1001"})),
        ],
    );
    check(&events[1], &[("firewall_event", json!(3))]);
    let flows = collector.flows();
    assert_eq!(flows.len(), 2, "the two directions of the connection that was torn down");
    check(&flows[0], &[("bytes", json!(500)), ("biflow", json!("forward")), ("firewall_event", json!(null))]);
    check(&flows[0], &[("extra", json!({"firewallEvent": "2", "firewallEventExtended": "1001"}))]);
    check(&flows[1], &[("bytes", json!(7000)), ("src_addr", json!("10.2.0.2")), ("biflow", json!("reverse"))]);
    assert_eq!(collector.books().records.received, 3);
}

#[test]
fn nat_events_without_counters_are_events() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(230, 1), field(8, 4), field(225, 4), field(227, 2), field(323, 8)]);
        encoder.record_with(256, |writer| {
            writer.u8(4).bytes(&[10, 1, 0, 1, 192, 0, 2, 1]).u16(1024).u64(1_767_225_590_000);
        });
    }));
    assert!(collector.flows().is_empty());
    let events = collector.rows(Table::Events);
    check(
        &events[0],
        &[("nat_event", json!(4)), ("post_napt_src_port", json!(1024)), ("time_source", json!("absolute"))],
    );
}

#[test]
fn records_with_counters_and_an_observation_time_are_flows() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(1, 4), field(323, 8)]).record_with(256, |writer| {
            writer.u32(0).u64(1_767_225_590_000);
        });
    }));
    assert_eq!((collector.flows().len(), collector.rows(Table::Events).len()), (1, 0));
}
