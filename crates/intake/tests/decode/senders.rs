//! Who may send.

use finderscope_intake::{Config, ExporterConfig, Network, Senders};

use crate::harness::{Collector, From, address};
use crate::v5;

#[test]
fn who_is_not_listed_is_refused_where_that_is_required() {
    let allow = vec![Network { address: address("10.0.0.0"), prefix: 24 }];
    let senders = Senders { require: true, allow };
    let exporters = vec![ExporterConfig::new(Network::host(address("192.0.2.7")))];
    let mut collector = Collector::new(Config { senders, exporters, ..Config::default() });
    let bytes = v5::datagram(&v5::header(1), &[v5::record()]);
    for from in ["10.0.0.1", "10.0.1.1", "192.0.2.7", "2001:db8::1"] {
        collector.send_from(From::address(from), &bytes);
    }
    assert_eq!(collector.flows().len(), 2);
    assert_eq!(collector.books().datagrams.refused.get("sender_not_listed"), 2);
    assert_eq!(collector.intake.strangers().datagrams.received, 2);
    assert!(collector.intake.ledger().all(|exporter| exporter.listed));
}

#[test]
fn who_is_not_listed_is_shown_as_such_where_all_may_send() {
    let mut named = ExporterConfig::new(Network::host(address("10.0.0.1")));
    named.name = Some("core".to_owned());
    let mut collector = Collector::new(Config { exporters: vec![named], ..Config::default() });
    let bytes = v5::datagram(&v5::header(1), &[v5::record()]);
    collector.send(&bytes);
    collector.send_from(From::address("10.0.0.2"), &bytes);
    let shown: Vec<_> = collector.intake.ledger().map(|exporter| (exporter.listed, exporter.name)).collect();
    assert_eq!(shown, [(true, Some("core".to_owned())), (false, None)]);
}

#[test]
fn a_certificates_name_is_an_exporter_whatever_its_address() {
    let mut collector = Collector::new(Default::default());
    for (last, name) in [("1", "a.example"), ("2", "a.example"), ("2", "b.example")] {
        let from = From::address(&format!("10.0.0.{last}")).identity(name);
        collector.send_from(from, &v5::datagram(&v5::header(last.parse().unwrap()), &[v5::record()]));
    }
    let shown: Vec<_> = collector
        .intake
        .ledger()
        .map(|exporter| (exporter.identity.unwrap(), exporter.ledger.datagrams.received))
        .collect();
    assert_eq!(shown, [("a.example".to_owned(), 2), ("b.example".to_owned(), 1)]);
}
