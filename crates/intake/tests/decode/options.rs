//! Options data: a row for each element.

use finderscope_flow::Table;
use finderscope_wire::ipfix::VARIABLE;
use serde_json::json;

use crate::harness::{Collector, check, field, ipfix, v9};

#[test]
fn each_element_of_an_options_record_is_a_row() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.options_template(256, &[field(10, 4)], &[field(82, VARIABLE), field(83, VARIABLE)]);
        encoder.record_with(256, |writer| _ = writer.u32(5).u8(4).bytes(b"eth0").u8(6).bytes(b"uplink"));
    }));
    let rows = collector.rows(Table::Options);
    assert_eq!(rows.len(), 2);
    check(
        &rows[0],
        &[
            ("type", json!("IPFIX")),
            ("scope", json!("ingressInterface=5")),
            ("element", json!("interfaceName")),
            ("value", json!("eth0")),
            ("template_id", json!(256)),
            ("exporter_address", json!("10.0.0.1")),
        ],
    );
    check(&rows[1], &[("element", json!("interfaceDescription")), ("value", json!("uplink"))]);
    assert_eq!(collector.books().records.received, 1);
}

#[test]
fn scopes_of_v9_have_names_of_their_own() {
    let mut collector = Collector::new(Default::default());
    collector.send(&v9(0, |encoder| {
        encoder.options_template(256, &[field(1, 4), field(2, 2)], &[field(34, 4)]);
        encoder.record_with(256, |writer| _ = writer.u32(9).u16(5).u32(100));
    }));
    check(
        &collector.rows(Table::Options)[0],
        &[("scope", json!("system=9,interface=5")), ("element", json!("samplingInterval")), ("value", json!("100"))],
    );
}

#[test]
fn a_long_scope_is_not_multiplied() {
    let mut collector = Collector::new(Default::default());
    let elements = [field(34, 1); 100];
    collector.send(&ipfix(0, |encoder| {
        encoder.options_template(256, &[field(82, VARIABLE)], &elements);
        encoder.record_with(256, |writer| _ = writer.u8(255).u16(30_000).bytes(&[b'x'; 30_000]).bytes(&[1; 100]));
    }));
    let rows = collector.rows(Table::Options);
    assert_eq!((rows.len(), rows[99]["scope"].as_str().unwrap().len()), (100, 1024));
}
