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

#[test]
fn rows_name_what_they_are_about_wherever_the_record_says_it() {
    let mut collector = Collector::new(Default::default());
    let subjects = |collector: &mut Collector| -> Vec<(String, String, Option<String>)> {
        let text = |row: &crate::harness::Row, name: &str| Some(row.get(name)?.as_str()?.to_owned());
        let rows = collector.rows(Table::Options);
        let of = |row| (text(row, "element").unwrap(), text(row, "value").unwrap(), text(row, "subject"));
        rows.iter().map(of).collect()
    };
    let row = |element: &str, value: &str, subject: Option<&str>| {
        (element.to_owned(), value.to_owned(), subject.map(str::to_owned))
    };
    // Cisco's tables: the system as scope, and what they are about as a value.
    collector.send(&v9(0, |encoder| {
        encoder.options_template(256, &[field(1, 4)], &[field(10, 4), field(82, 4), field(83, 6)]);
        encoder.record_with(256, |writer| _ = writer.u32(1).u32(5).bytes(b"Gi0\0uplink"));
        encoder.options_template(257, &[field(1, 4)], &[field(48, 1), field(84, 3), field(50, 4)]);
        encoder.record_with(257, |writer| _ = writer.u32(1).u8(7).bytes(b"one").u32(64));
        encoder.options_template(258, &[field(1, 4)], &[field(234, 4), field(236, 3)]);
        encoder.record_with(258, |writer| _ = writer.u32(1).u32(9).bytes(b"red"));
        encoder.options_template(259, &[field(1, 4)], &[field(95, 4), field(96, 3), field(94, 4)]);
        encoder.record_with(259, |writer| _ = writer.u32(1).u8(13).u8(0).u16(53).bytes(b"dnsname"));
        encoder.options_template(260, &[field(1, 4)], &[field(34, 4), field(41, 4)]);
        encoder.record_with(260, |writer| _ = writer.u32(1).u32(100).u32(12));
    }));
    assert_eq!(
        subjects(&mut collector),
        [
            row("ingressInterface", "5", None),
            row("interfaceName", "Gi0", Some("interface=5")),
            row("interfaceDescription", "uplink", Some("interface=5")),
            row("samplerId", "7", None),
            row("samplerName", "one", Some("sampler=7")),
            row("samplerRandomInterval", "64", Some("sampler=7")),
            row("ingressVRFID", "9", None),
            row("VRFname", "red", Some("vrf=9")),
            row("applicationId", "13:53", None),
            row("applicationName", "dns", Some("application=13:53")),
            row("applicationDescription", "name", Some("application=13:53")),
            row("samplingInterval", "100", Some("exporter")),
            row("exportedMessageTotalCount", "12", None),
        ]
    );
    // In the scope, as IPFIX and NetFlow v9 have it.
    collector.send(&ipfix(0, |encoder| {
        encoder.options_template(256, &[field(14, 4)], &[field(82, 3)]);
        encoder.record_with(256, |writer| _ = writer.u32(6).bytes(b"ge1"));
        encoder.options_template(257, &[field(302, 8)], &[field(335, 3)]);
        encoder.record_with(257, |writer| _ = writer.u64(1 << 40).bytes(b"all"));
        encoder.options_template(258, &[field(149, 4), field(145, 2)], &[field(304, 2)]);
        encoder.record_with(258, |writer| _ = writer.u32(7).u16(2510).u16(1));
    }));
    collector.send(&v9(1, |encoder| {
        encoder.options_template(261, &[field(2, 2)], &[field(82, 3), field(34, 4)]);
        encoder.record_with(261, |writer| _ = writer.u16(8).bytes(b"ge8").u32(10));
    }));
    assert_eq!(
        subjects(&mut collector),
        [
            row("interfaceName", "ge1", Some("interface=6")),
            row("selectorName", "all", Some("sampler=1099511627776")),
            row("selectorAlgorithm", "1", Some("template=2510")),
            row("interfaceName", "ge8", Some("interface=8")),
            row("samplingInterval", "10", Some("interface=8")),
        ]
    );
}
