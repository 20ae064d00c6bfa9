//! Strangers cannot crowd out exporters, nor grow memory without bound.

use finderscope_intake::{Config, Limits, Network, Senders};
use finderscope_wire::netflow::v9 as netflow9;

use crate::harness::{Collector, From, NOW, PLAIN, SECOND, address, ipfix, plain, seconds, v9_with};
use crate::v5;

fn limited(limits: Limits) -> Config {
    Config { limits, ..Config::default() }
}

#[test]
fn beyond_the_limit_the_idlest_exporter_that_is_not_listed_is_forgotten() {
    let limits = Limits { exporters: 3, ..Limits::default() };
    let senders = Senders { require: false, allow: vec![Network::host(address("10.0.0.1"))] };
    let mut collector = Collector::new(Config { limits, senders, ..Config::default() });
    let bytes = v5::datagram(&v5::header(1), &[v5::record()]);
    for last in 1..=6 {
        collector.now_ns += SECOND;
        collector.send_from(From::address(&format!("10.0.0.{last}")), &bytes);
    }
    let mut known: Vec<String> = collector.intake.ledger().map(|exporter| exporter.address.to_string()).collect();
    known.sort();
    assert_eq!(known, ["10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
    let books = collector.books();
    assert_eq!((books.datagrams.received, books.records.received, books.notes.get("exporters")), (6, 6, 2));
}

#[test]
fn forged_sources_do_not_push_out_those_that_keep_sending() {
    let limits = Limits { exporters: 50, ..Limits::default() };
    let mut collector = Collector::new(limited(limits));
    for number in 0..2_000_u32 {
        collector.now_ns += SECOND / 100;
        if number.is_multiple_of(20) {
            collector.send(&v5::datagram(&v5::header(number), &[v5::record()]));
        }
        let [_, a, b, c] = number.to_be_bytes();
        collector.send_from(From::address(&format!("172.{a}.{b}.{c}")), &v5::datagram(&v5::header(1), &[v5::record()]));
    }
    assert!(collector.intake.ledger().len() <= 50);
    let regular = collector.intake.ledger().find(|exporter| exporter.address == address("10.0.0.1")).unwrap();
    assert_eq!(regular.ledger.datagrams.received, 100, "it was never forgotten");
    assert_eq!(collector.books().datagrams.received, 2_100);
}

#[test]
fn data_that_waits_at_a_forgotten_exporter_has_expired() {
    let mut collector = Collector::new(limited(Limits { exporters: 1, ..Limits::default() }));
    collector.send(&ipfix(0, |encoder| _ = encoder.record(256, &plain(1, 1)).template(300, &PLAIN)));
    collector.send_from(From::address("10.0.0.2"), &ipfix(0, |encoder| _ = encoder.record(256, &plain(1, 1))));
    assert_eq!(collector.books().sets.expired.get("exporter_forgotten"), 1);
    assert_eq!(collector.books().sets.waiting, 1);
}

#[test]
fn domains_are_bounded_and_the_idlest_goes() {
    let mut collector = Collector::new(limited(Limits { domains_per_exporter: 2, ..Limits::default() }));
    for domain in 0..5_u32 {
        collector.now_ns += SECOND;
        let header = netflow9::Header { unix_seconds: seconds(NOW), source_id: domain.into(), ..Default::default() };
        collector.send(&v9_with(header, |encoder| {
            encoder.record(300, &plain(1, 1)).template(256, &PLAIN).record(256, &plain(1, 1));
        }));
    }
    let domains: Vec<u32> = collector.status().domains.iter().map(|domain| domain.id).collect();
    assert_eq!(domains, [3, 4]);
    assert_eq!(collector.note("domains_per_exporter"), 3);
    assert_eq!(collector.books().sets.expired.get("domain_forgotten"), 3);
    assert_eq!(collector.flows().len(), 5);
}

#[test]
fn templates_of_all_strangers_together_are_bounded() {
    let mut collector = Collector::new(limited(Limits { template_fields: 15, ..Limits::default() }));
    for last in 1..=3 {
        collector.send_from(
            From::address(&format!("10.0.0.{last}")),
            &ipfix(0, |encoder| _ = encoder.template(256, &PLAIN)),
        );
    }
    assert_eq!(collector.note("template_fields"), 1);
    assert_eq!(collector.intake.ledger().map(|exporter| exporter.templates()).sum::<usize>(), 2);
}

#[test]
fn samplers_are_bounded() {
    use crate::harness::field;
    let mut collector = Collector::new(limited(Limits { samplers_per_exporter: 2, ..Limits::default() }));
    collector.send(&ipfix(0, |encoder| {
        encoder.options_template(256, &[field(302, 4)], &[field(305, 4), field(306, 4)]);
        for id in 1..=5 {
            encoder.record_with(256, |writer| _ = writer.u32(id).u32(1).u32(9));
        }
    }));
    assert_eq!((collector.status().domains[0].samplers.len(), collector.note("samplers_per_exporter")), (2, 3));
}
