//! Fields of every length, twice in a template, of both address families, and those that no column takes.

use finderscope_wire::ipfix::FieldSpecifier;
use serde_json::{Value, json};

use crate::harness::{Collector, Row, check, field, ipfix, v9};

fn decoded(fields: &[FieldSpecifier], record: &[u8]) -> Row {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, fields).record(256, record);
    }));
    collector.flow()
}

#[test]
fn numbers_of_any_length_fill_their_column() {
    for length in 1..=8_u16 {
        let value: Vec<u8> = (1..=length as u8).collect();
        let expected = value.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        let flow = decoded(&[field(1, length), field(2, length)], &[value.clone(), value].concat());
        check(&flow, &[("bytes", json!(expected)), ("packets", json!(expected))]);
    }
    check(&decoded(&[field(1, 8)], &[0xff; 8]), &[("bytes", json!(u64::MAX))]);
}

#[test]
fn a_number_too_large_for_its_column_is_null_and_not_another_number() {
    let flow = decoded(&[field(7, 4), field(11, 4), field(1, 1)], &[0, 1, 0, 80, 0, 0, 0, 80, 9]);
    check(&flow, &[("src_port", json!(null)), ("dst_port", json!(80))]);
}

#[test]
fn a_forwarding_status_of_four_bytes_is_its_last() {
    check(&decoded(&[field(89, 4), field(1, 1)], &[0, 0, 0, 64, 9]), &[("forwarding_status", json!(64))]);
}

#[test]
fn of_a_field_that_comes_twice_the_first_that_is_not_zero_counts() {
    let fields = [field(1, 4), field(1, 4), field(8, 4), field(8, 4)];
    let record = [0, 0, 0, 0, 0, 0, 0, 9, 10, 0, 0, 1, 10, 0, 0, 2];
    check(&decoded(&fields, &record), &[("bytes", json!(9)), ("src_addr", json!("10.0.0.1")), ("extra", json!(null))]);
}

#[test]
fn of_two_address_families_the_one_that_is_set_counts() {
    let fields = [field(27, 16), field(8, 4), field(1, 1)];
    let mut record = vec![0x20, 1, 0xd, 0xb8];
    record.resize(16, 0);
    record.extend_from_slice(&[0, 0, 0, 0, 1]);
    check(&decoded(&fields, &record), &[("src_addr", json!("2001:db8::"))]);
    let mut record = vec![0; 16];
    record.extend_from_slice(&[10, 0, 0, 1, 1]);
    check(&decoded(&fields, &record), &[("src_addr", json!("10.0.0.1"))]);
}

#[test]
fn a_prefix_is_the_address_only_where_there_is_no_address() {
    let prefix = [field(44, 4), field(1, 1)];
    check(&decoded(&prefix, &[10, 30, 18, 0, 9]), &[("src_addr", json!("10.30.18.0")), ("extra", json!(null))]);
    let both = [field(44, 4), field(8, 4), field(1, 1)];
    check(
        &decoded(&both, &[10, 30, 18, 0, 10, 30, 18, 62, 9]),
        &[("src_addr", json!("10.30.18.62")), ("extra", json!({"sourceIPv4Prefix": "10.30.18.0"}))],
    );
}

/// Cisco's and Huawei's templates of SRv6 traffic; RFC 7011 section 8: from the outside in.
#[test]
fn what_comes_again_after_a_second_source_address_is_the_inner_packets() {
    let outer = [field(27, 16), field(28, 16), field(7, 2), field(11, 2), field(4, 1), field(5, 1), field(1, 1)];
    let inner = [field(8, 4), field(12, 4), field(7, 2), field(11, 2), field(4, 1), field(5, 1), field(498, 1)];
    let mut record = [[0x20, 1, 0xd, 0xb8].as_slice(), &[0; 11], &[1], &[0x20, 1, 0xd, 0xb8], &[0; 11], &[2]].concat();
    record.extend_from_slice(&[0, 0, 0, 0, 4, 0, 200]);
    record.extend_from_slice(&[192, 0, 2, 13, 192, 0, 2, 12, 4, 87, 8, 174, 17, 184, 3]);
    check(
        &decoded(&[outer, inner].concat(), &record),
        &[
            ("src_addr", json!("2001:db8::1")),
            ("dst_addr", json!("2001:db8::2")),
            ("src_port", json!(0)),
            ("proto", json!(4)),
            ("ip_tos", json!(0)),
            ("inner_src_addr", json!("192.0.2.13")),
            ("inner_dst_addr", json!("192.0.2.12")),
            ("inner_src_port", json!(1111)),
            ("inner_dst_port", json!(2222)),
            ("inner_proto", json!(17)),
            ("extra", json!({"ipClassOfService": "184", "srhSegmentsIPv6Left": "3"})),
        ],
    );
}

#[test]
fn what_loses_a_column_to_another_element_is_kept_by_name() {
    let flow = decoded(&[field(252, 4), field(10, 4), field(1, 1)], &[0, 0, 0, 9, 0, 0, 0, 3, 1]);
    check(&flow, &[("in_if", json!(3)), ("extra", json!({"ingressPhysicalInterface": "9"}))]);
    let flow = decoded(&[field(252, 4), field(1, 1)], &[0, 0, 0, 9, 1]);
    check(&flow, &[("in_if", json!(9)), ("extra", json!(null))]);
}

#[test]
fn elements_without_a_column_are_kept_by_name_or_number() {
    let fields = [
        field(1, 1),
        field(352, 2),
        FieldSpecifier::of_enterprise(6_876, 953, 1),
        FieldSpecifier::of_enterprise(4_000_000, 12, 2),
        field(210, 3),
    ];
    let flow = decoded(&fields, &[1, 0, 9, 6, 0xab, 0xcd, 0, 0, 0]);
    let extra = json!({"layer2OctetDeltaCount": "9", "sessionFlags": "6", "4000000/12": "abcd"});
    check(&flow, &[("extra", extra)]);
}

#[test]
fn addresses_macs_labels_and_icmp_take_their_forms() {
    let fields = [
        field(56, 6),
        field(70, 3),
        field(71, 3),
        field(72, 3),
        field(32, 2),
        field(95, 4),
        field(371, 8),
        field(1, 1),
    ];
    let mut record = vec![2, 0, 0, 0, 0, 1, 0, 1, 0x41, 0, 2, 0x01, 0, 0, 0, 3, 1, 13, 0, 1, 187];
    record.extend_from_slice(b"alice\0\0\0\x01");
    check(
        &decoded(&fields, &record),
        &[
            ("src_mac", json!("02:00:00:00:00:01")),
            ("mpls_label", json!([20, 32])),
            ("icmp_type", json!(3)),
            ("icmp_code", json!(1)),
            ("app", json!("13:443")),
            ("user_name", json!("alice")),
        ],
    );
    let mut unset = vec![0; 29];
    unset.push(1);
    let flow = decoded(&fields, &unset);
    check(&flow, &[("mpls_label", Value::Null), ("app", Value::Null), ("user_name", Value::Null)]);
}

#[test]
fn types_above_32767_have_no_enterprise_in_v9_unless_that_is_configured() {
    use finderscope_intake::{Config, ExporterConfig, Network};
    let fields = [field(1, 4), field(57_590, 2)];
    let mut collector = Collector::new(Default::default());
    collector.send(&v9(0, |encoder| {
        encoder.template(256, &fields).record(256, &[0, 0, 0, 5, 0, 7]);
    }));
    check(&collector.flow(), &[("bytes", json!(5))]);

    let mut known = ExporterConfig::new(Network::host(crate::harness::address("10.0.0.1")));
    known.v9_enterprise = true;
    let mut collector = Collector::new(Config { exporters: vec![known], ..Config::default() });
    let mut bytes = Vec::new();
    let header = finderscope_wire::netflow::v9::Header {
        unix_seconds: crate::harness::seconds(crate::harness::NOW),
        ..Default::default()
    };
    let mut encoder = finderscope_wire::ipfix::Encoder::v9(&mut bytes, &header).with_enterprises();
    encoder.template(256, &[field(1, 4), FieldSpecifier::of_enterprise(6_876, 953, 1)]).record(256, &[0, 0, 0, 5, 6]);
    encoder.finish().unwrap();
    collector.send(&bytes);
    check(&collector.flow(), &[("bytes", json!(5)), ("extra", json!({"sessionFlags": "6"}))]);
}

#[test]
fn records_of_zeros_at_the_end_of_a_set_are_padding_and_those_before_are_not() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(8, 4), field(1, 4)]);
        encoder.record(256, &[0; 8]).record(256, &[10, 0, 0, 1, 0, 0, 0, 0]).record(256, &[0; 8]).record(256, &[0; 8]);
    }));
    assert_eq!(collector.flows().len(), 2);
    let books = collector.books();
    assert_eq!((books.records.received, books.records.skipped.get("padding")), (4, 2));
}
