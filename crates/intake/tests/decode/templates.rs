//! Templates: before and after their data, redefined, withdrawn, refused; and what they belong to.

use finderscope_intake::{Config, Limits, TemplateScope};
use finderscope_wire::delivery::Scheme;
use finderscope_wire::ipfix::{FieldSpecifier, Header, VARIABLE, put_variable_length};
use finderscope_wire::netflow::v9 as netflow9;
use serde_json::json;

use crate::harness::{
    Collector, From, NOW, PLAIN, SECOND, UPTIME_MS, check, field, ipfix, ipfix_with, plain, seconds, v9, v9_with,
};

fn template(sequence: u32) -> Vec<u8> {
    ipfix(sequence, |encoder| _ = encoder.template(256, &PLAIN))
}

fn data(sequence: u32, bytes: u32) -> Vec<u8> {
    ipfix(sequence, |encoder| _ = encoder.record(256, &plain(1, bytes)))
}

#[test]
fn a_template_and_data_in_one_message_make_rows() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(5, |encoder| {
        encoder.template(256, &PLAIN).record(256, &plain(3, 4500)).record(256, &plain(4, 6000));
    }));
    let flows = collector.flows();
    assert_eq!(flows.len(), 2);
    check(
        &flows[1],
        &[
            ("type", json!("IPFIX")),
            ("src_addr", json!("10.1.0.1")),
            ("dst_addr", json!("10.2.0.2")),
            ("src_port", json!(40_000)),
            ("dst_port", json!(443)),
            ("proto", json!(6)),
            ("packets", json!(4)),
            ("bytes", json!(6000)),
            ("observation_domain_id", json!(7)),
            ("sequence_num", json!(5)),
            ("time_source", json!("assumed")),
        ],
    );
    let books = collector.books();
    assert_eq!((books.sets.received, books.sets.decoded, books.records.in_memory), (2, 2, 2));
    collector.intake.cut();
    assert_eq!((collector.books().records.in_memory, collector.books().records.stored), (0, 2));
}

#[test]
fn data_that_comes_first_waits_and_keeps_its_own_times() {
    let mut collector = Collector::new(Default::default());
    collector.send(&data(0, 100));
    collector.now_ns += 60 * SECOND;
    collector.send(&data(1, 200));
    assert_eq!(collector.books().sets.waiting, 2);
    assert!(collector.flows().is_empty());
    collector.now_ns += 60 * SECOND;
    collector.send(&template(2));
    let flows = collector.flows();
    assert_eq!(flows.len(), 2);
    check(&flows[0], &[("bytes", json!(100)), ("time_received_ns", json!("2026-01-01T00:00:00Z"))]);
    check(
        &flows[1],
        &[("bytes", json!(200)), ("time_received_ns", json!("2026-01-01T00:01:00Z")), ("sequence_num", json!(1))],
    );
    let books = collector.books();
    assert_eq!((books.sets.waiting, books.sets.decoded, books.records.received), (0, 3, 2));
}

#[test]
fn data_does_not_wait_for_ever() {
    let mut collector = Collector::new(Default::default());
    collector.send(&data(0, 100));
    collector.now_ns += 29 * 60 * SECOND;
    collector.send(&data(1, 200));
    collector.now_ns += 2 * 60 * SECOND;
    collector.send(&data(2, 300));
    assert_eq!((collector.books().sets.waiting, collector.books().sets.expired.get("age")), (2, 1));
    // Others' deliveries make time pass, too.
    collector.now_ns += 3600 * SECOND;
    collector.send_from(From::address("10.0.0.9"), &template(0));
    assert_eq!((collector.books().sets.waiting, collector.books().sets.expired.get("age")), (0, 3));
}

#[test]
fn waiting_bytes_are_bounded_and_the_oldest_go_first() {
    let limits = Limits { waiting_bytes_per_exporter: 500, ..Limits::default() };
    let mut collector = Collector::new(Config { limits, ..Config::default() });
    for sequence in 0..4 {
        collector.send(&data(sequence, 100 + sequence));
    }
    assert_eq!(collector.books().sets.expired.get("waiting_bytes_per_exporter"), 2);
    collector.send(&template(4));
    let flows = collector.flows();
    assert_eq!(flows.iter().map(|flow| flow["bytes"].clone()).collect::<Vec<_>>(), [json!(102), json!(103)]);
    let limits = Limits { waiting_bytes: 500, ..Limits::default() };
    let mut collector = Collector::new(Config { limits, ..Config::default() });
    for (sequence, exporter) in ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3"].into_iter().enumerate() {
        collector.send_from(From::address(exporter), &data(sequence as u32, 100));
    }
    assert_eq!((collector.books().sets.expired.get("waiting_bytes"), collector.books().sets.waiting), (2, 2));
}

#[test]
fn a_new_meaning_of_an_id_counts_at_once() {
    let mut collector = Collector::new(Default::default());
    collector.send(&template(0));
    collector.send(&data(0, 100));
    let swapped: Vec<FieldSpecifier> = PLAIN.iter().rev().copied().collect();
    collector.send(&ipfix(1, |encoder| {
        encoder.record(256, &plain(1, 200)).template(256, &swapped).record(256, &reversed(300));
    }));
    let flows = collector.flows();
    assert_eq!(
        flows.iter().map(|flow| flow["bytes"].clone()).collect::<Vec<_>>(),
        [json!(100), json!(200), json!(300)]
    );
    check(&flows[2], &[("src_addr", json!("10.1.0.1")), ("src_port", json!(40_000))]);
    assert_eq!(collector.note("templates_redefined"), 1);
}

fn reversed(bytes: u32) -> Vec<u8> {
    let mut record = bytes.to_be_bytes().to_vec();
    record.extend_from_slice(&[0, 0, 0, 1, 6, 1, 187, 156, 64, 10, 2, 0, 2, 10, 1, 0, 1]);
    record
}

#[test]
fn a_template_replaced_while_data_waits_reads_what_waited() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| _ = encoder.record(256, &reversed(300))));
    let swapped: Vec<FieldSpecifier> = PLAIN.iter().rev().copied().collect();
    collector.send(&ipfix(1, |encoder| {
        encoder.template(257, &PLAIN).template(256, &swapped).template(256, &PLAIN);
    }));
    check(&collector.flow(), &[("bytes", json!(300))]);
    collector.send(&data(1, 5));
    check(&collector.flow(), &[("bytes", json!(5))]);
}

#[test]
fn two_exporters_behind_one_address_and_domain_are_told_to_flap() {
    let mut collector = Collector::new(Default::default());
    let swapped: Vec<FieldSpecifier> = PLAIN.iter().rev().copied().collect();
    for sequence in 0..10 {
        let fields: &[FieldSpecifier] = if sequence % 2 == 0 { &PLAIN } else { &swapped };
        collector.send(&ipfix(sequence, |encoder| _ = encoder.template(256, fields)));
    }
    assert_eq!(collector.status().domains[0].templates_redefined, 9);
    assert_eq!(collector.status().templates(), 1);
}

#[test]
fn withdrawn_templates_are_gone() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &PLAIN).template(257, &PLAIN).options_template(258, &[field(149, 4)], &[field(34, 4)]);
    }));
    assert_eq!(collector.status().templates(), 3);
    collector.send(&ipfix(0, |encoder| _ = encoder.withdraw_template(257)));
    assert_eq!(collector.status().templates(), 2);
    collector.send(&ipfix(0, |encoder| _ = encoder.withdraw_template(2)));
    assert_eq!(collector.status().templates(), 1);
    collector.send(&ipfix(0, |encoder| _ = encoder.withdraw_options_template(3)));
    assert_eq!(collector.status().templates(), 0);
    assert_eq!(collector.note("templates_withdrawn"), 3);
    collector.send(&data(0, 1));
    assert_eq!(collector.books().sets.waiting, 1);
}

#[test]
fn data_and_options_templates_share_their_numbers() {
    let mut collector = Collector::new(Default::default());
    collector.send(&template(0));
    collector.send(&ipfix(0, |encoder| {
        encoder.options_template(256, &[field(149, 4)], &[field(34, 4)]).record(256, &[0, 0, 0, 7, 0, 0, 0, 100]);
    }));
    assert!(collector.flows().is_empty());
    assert_eq!(collector.rows(finderscope_flow::Table::Options).len(), 1);
    assert_eq!(collector.status().templates(), 1);
}

/// CVE cause: a template replaced while something still reads by it.
#[test]
fn a_template_redefined_by_the_set_that_frees_its_data_is_not_read_after_it_is_gone() {
    let mut collector = Collector::new(Default::default());
    for sequence in 0..50 {
        collector.send(&ipfix(sequence, |encoder| _ = encoder.record(256, &plain(1, sequence + 1))));
    }
    collector.send(&ipfix(50, |encoder| {
        encoder.template(256, &[field(8, 4)]).withdraw_template(256).template(256, &PLAIN).withdraw_template(2);
    }));
    let books = collector.books();
    assert_eq!((books.sets.waiting, collector.status().templates()), (0, 0));
    assert_eq!(collector.flows().len(), 50 * 5, "read at once, by the template of that moment");
}

/// CVE cause: template keys too coarse, so that one exporter's template reads another's data.
#[test]
fn templates_belong_to_their_exporter_version_and_domain() {
    let mut collector = Collector::new(Default::default());
    collector.send(&template(0));
    collector.send_from(From::address("10.0.0.2"), &data(0, 1));
    assert_eq!(collector.books().sets.waiting, 1, "another exporter");
    let other = Header { export_time: seconds(NOW), observation_domain_id: 8.into(), ..Default::default() };
    collector.send(&ipfix_with(other, |encoder| _ = encoder.record(256, &plain(1, 2))));
    assert_eq!(collector.books().sets.waiting, 2, "another domain");
    let other = netflow9::Header {
        uptime_ms: UPTIME_MS.into(),
        unix_seconds: seconds(NOW),
        source_id: 7.into(),
        ..Default::default()
    };
    collector.send(&v9_with(other, |encoder| _ = encoder.record(256, &plain(1, 3))));
    assert_eq!(collector.books().sets.waiting, 3, "another version");
    collector.send_from(From::address("10.0.0.1").port(9999), &data(0, 4));
    assert_eq!(collector.flows().len(), 1, "another port is the same exporter");
    collector.send_from(From::address("10.0.0.1").identity("router.example"), &data(0, 5));
    assert_eq!(collector.books().sets.waiting, 4, "who is vouched for is not who merely has the address");
}

#[test]
fn templates_belong_to_the_port_or_session_where_they_must() {
    let config = Config { template_scope: TemplateScope::Port, ..Config::default() };
    let mut collector = Collector::new(config);
    collector.send(&template(0));
    collector.send_from(From::address("10.0.0.1").port(9999), &data(0, 4));
    assert_eq!((collector.books().sets.waiting, collector.status().domains.len()), (1, 2));
    let mut collector = Collector::new(Default::default());
    let session = From::address("10.0.0.1").scheme(Scheme::Tls);
    collector.send_from(session.port(1000), &template(0));
    collector.send_from(session.port(1001), &data(0, 4));
    assert_eq!(collector.books().sets.waiting, 1);
    collector.send_from(session.port(1000), &data(0, 5));
    assert_eq!(collector.flows().len(), 1);
}

#[test]
fn templates_expire_where_that_is_configured_and_only_in_ipfix_over_udp() {
    let config = Config { template_timeout_ns: Some(1800 * SECOND), ..Config::default() };
    let mut collector = Collector::new(config);
    collector.send(&template(0));
    collector.send(&v9(0, |encoder| _ = encoder.template(256, &PLAIN)));
    collector.now_ns += 1700 * SECOND;
    collector.send(&data(0, 1));
    collector.now_ns += 200 * SECOND;
    collector.send(&data(1, 2));
    collector.send(&v9(1, |encoder| _ = encoder.record(256, &plain(1, 3))));
    assert_eq!(collector.flows().len(), 2);
    assert_eq!((collector.note("templates_expired"), collector.books().sets.waiting), (1, 1));
}

/// CVE cause: counts of 32 bits off the wire that size an allocation or a loop.
#[test]
fn too_many_and_too_wide_templates_are_refused_by_name() {
    let limits = Limits {
        templates_per_exporter: 3,
        fields_per_template: 8,
        template_fields_per_exporter: 20,
        ..Limits::default()
    };
    let mut collector = Collector::new(Config { limits, ..Config::default() });
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(1, 4); 9]);
        for id in 257..262 {
            encoder.template(id, &[field(1, 4)]);
        }
    }));
    assert_eq!((collector.note("fields_per_template"), collector.note("templates_per_exporter")), (1, 2));
    assert_eq!(collector.status().templates(), 3);
    for id in 257..260 {
        collector.send(&ipfix(0, |encoder| _ = encoder.template(id, &[field(1, 4); 8])));
    }
    assert_eq!((collector.note("template_fields_per_exporter"), collector.status().templates()), (1, 2));
}

#[test]
fn a_template_that_is_refused_does_not_leave_the_old_one_to_read_by() {
    let limits = Limits { fields_per_template: 7, ..Limits::default() };
    let mut collector = Collector::new(Config { limits, ..Config::default() });
    collector.send(&template(0));
    let mut wide = PLAIN.to_vec();
    wide.push(field(10, 4));
    collector.send(&ipfix(0, |encoder| _ = encoder.template(256, &wide)));
    collector.send(&data(0, 1));
    assert_eq!((collector.flows().len(), collector.books().sets.waiting), (0, 1));
}

/// CVE cause: records without length, which repeat for ever.
#[test]
fn a_template_without_length_is_refused_and_costs_its_set() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| _ = encoder.template(256, &[field(8, 0), field(12, 0)]).template(257, &PLAIN)));
    assert_eq!(collector.books().sets.malformed.get("zero_length"), 1);
    assert_eq!(collector.status().templates(), 0);
}

#[test]
fn fields_without_length_are_skipped() {
    let mut collector = Collector::new(Default::default());
    let fields = [field(8, 4), field(12, 0), field(1, 4), field(2, 0)];
    collector.send(&v9(0, |encoder| {
        encoder.template(256, &fields).record(256, &[10, 1, 0, 1, 0, 0, 0, 99]);
    }));
    let flow = collector.flow();
    check(
        &flow,
        &[("bytes", json!(99)), ("src_addr", json!("10.1.0.1")), ("dst_addr", json!(null)), ("packets", json!(null))],
    );
}

#[test]
fn fields_of_varying_length_are_walked_over() {
    let mut collector = Collector::new(Default::default());
    let fields =
        [field(96, VARIABLE), field(8, 4), field(1, VARIABLE), FieldSpecifier::of_enterprise(9, 12_235, VARIABLE)];
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &fields);
        for (name, bytes, other) in
            [("https", &[5_u8][..], &b"\x01\x02"[..]), ("", &[1, 0], b""), ("dns", &[], b"\x03")]
        {
            encoder.record_with(256, |writer| {
                put_variable_length(writer, name.as_bytes()).unwrap();
                writer.bytes(&[10, 1, 0, 1]);
                put_variable_length(writer, bytes).unwrap();
                put_variable_length(writer, other).unwrap();
            });
        }
    }));
    let flows = collector.flows();
    assert_eq!(flows.len(), 3);
    check(&flows[0], &[("app", json!("https")), ("bytes", json!(5)), ("extra", json!({"appHTTPHost": "0102"}))]);
    check(&flows[1], &[("app", json!(null)), ("bytes", json!(256)), ("extra", json!(null))]);
    check(&flows[2], &[("app", json!("dns")), ("bytes", json!(null)), ("extra", json!({"appHTTPHost": "03"}))]);
}

#[test]
fn a_set_that_is_cut_costs_what_is_not_whole() {
    let mut collector = Collector::new(Default::default());
    collector.send(&template(0));
    let mut bytes = ipfix(0, |encoder| {
        for bytes in 1..=4 {
            encoder.record(256, &plain(1, bytes));
        }
    });
    bytes.truncate(bytes.len() - 30);
    collector.send(&bytes);
    assert_eq!(collector.flows().len(), 2);
    let books = collector.books();
    assert_eq!((books.sets.malformed.get("too_long"), books.datagrams.decoded), (1, 2));
    assert_eq!(collector.note("message_cut"), 1);
}

#[test]
fn several_messages_in_one_datagram_are_all_read() {
    let mut collector = Collector::new(Default::default());
    let mut bytes = template(0);
    bytes.extend(data(0, 1));
    bytes.extend(data(1, 2));
    collector.send(&bytes);
    assert_eq!(collector.flows().len(), 2);
    bytes.extend_from_slice(&[0, 10, 0]);
    collector.send(&bytes);
    assert_eq!(collector.books().sets.malformed.get("truncated"), 1);
}

#[test]
fn sets_of_unknown_kinds_are_counted_by_kind() {
    let mut collector = Collector::new(Default::default());
    let mut bytes = template(0);
    bytes.extend_from_slice(&[0, 99, 0, 8, 1, 2, 3, 4]);
    let length = u16::try_from(bytes.len()).unwrap();
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    collector.send(&bytes);
    assert_eq!(collector.books().sets.unknown.get("set 99"), 1);
}
