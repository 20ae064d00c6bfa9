//! Which sampling rate a row has, and from where.

use finderscope_intake::{Config, ExporterConfig, Network};
use serde_json::{Value, json};

use crate::harness::{Collector, address, check, field, ipfix, v9};
use crate::v5;

fn known(change: impl FnOnce(&mut ExporterConfig)) -> Config {
    let mut exporter = ExporterConfig::new(Network::host(address("10.0.0.1")));
    change(&mut exporter);
    Config { exporters: vec![exporter], ..Config::default() }
}

/// A record with a sampler's number; 0 is a sampler like others.
fn named(collector: &mut Collector, sequence: u32, sampler: u8) -> (Value, Value) {
    collector.send(&v9(sequence, |encoder| {
        encoder.template(256, &[field(1, 4), field(48, 1)]).record(256, &[0, 0, 0, 9, sampler]);
    }));
    rate(collector)
}

fn rate(collector: &mut Collector) -> (Value, Value) {
    let flow = collector.flow();
    let cell = |name: &str| flow.get(name).cloned().unwrap_or_default();
    (cell("sampling_rate"), cell("sampling_source"))
}

fn general(collector: &mut Collector, sequence: u32, interval: u32) {
    collector.send(&v9(sequence, |encoder| {
        encoder.options_template(257, &[field(1, 4)], &[field(34, 4), field(35, 1)]);
        encoder.record_with(257, |writer| _ = writer.u32(0).u32(interval).u8(2));
    }));
}

#[test]
fn a_rate_is_unknown_then_the_exporters_then_the_samplers() {
    let mut collector = Collector::new(Default::default());
    assert_eq!(named(&mut collector, 0, 3), (json!(null), json!(null)));
    general(&mut collector, 1, 100);
    assert_eq!(named(&mut collector, 2, 3), (json!(100), json!("options")));
    collector.send(&v9(3, |encoder| {
        encoder.options_template(258, &[field(1, 4)], &[field(48, 1), field(49, 1), field(50, 4)]);
        encoder.record_with(258, |writer| _ = writer.u32(0).u8(3).u8(2).u32(1000));
    }));
    assert_eq!(named(&mut collector, 4, 3), (json!(1000), json!("options")));
    assert_eq!(named(&mut collector, 5, 4), (json!(100), json!("options")));
    let samplers: Vec<_> =
        collector.status().domains[0].samplers.iter().map(|sampler| (sampler.id, sampler.rate)).collect();
    assert_eq!(samplers, [(None, 100), (Some(3), 1000)]);
}

#[test]
fn a_record_that_says_its_own_rate_is_believed_before_options() {
    let mut collector = Collector::new(Default::default());
    general(&mut collector, 0, 100);
    for (interval, expected, source) in [(64, 64, "record"), (0, 100, "options")] {
        collector.send(&v9(1 + interval, |encoder| {
            encoder.template(256, &[field(1, 4), field(34, 4)]);
            encoder.record_with(256, |writer| _ = writer.u32(9).u32(interval));
        }));
        assert_eq!(rate(&mut collector), (json!(expected), json!(source)));
    }
}

#[test]
fn selectors_of_packet_sampling_make_a_rate_of_taken_and_skipped() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.options_template(257, &[field(302, 8)], &[field(304, 2), field(305, 4), field(306, 4)]);
        encoder.record_with(257, |writer| _ = writer.u64(5).u16(1).u32(1).u32(4095));
        encoder.template(256, &[field(1, 4), field(302, 8)]);
        for selector in [5, 6, 5] {
            encoder.record_with(256, |writer| _ = writer.u32(9).u64(selector));
        }
    }));
    let rates: Vec<Value> =
        collector.flows().iter().map(|flow| flow.get("sampling_rate").cloned().unwrap_or_default()).collect();
    assert_eq!(rates, [json!(4096), json!(null), json!(4096)]);
}

#[test]
fn the_operators_word_wins_and_the_operators_guess_comes_last() {
    let mut collector = Collector::new(known(|exporter| exporter.sampling_rate = Some(512)));
    general(&mut collector, 0, 100);
    assert_eq!(named(&mut collector, 1, 3), (json!(512), json!("override")));
    collector.send(&v5::datagram(&v5::header(1), &[v5::record()]));
    assert_eq!(rate(&mut collector), (json!(512), json!("override")));

    let mut collector = Collector::new(known(|exporter| exporter.assumed_sampling_rate = Some(32)));
    assert_eq!(named(&mut collector, 0, 3), (json!(32), json!("assumed")));
    general(&mut collector, 1, 1);
    assert_eq!(named(&mut collector, 2, 3), (json!(1), json!("none")));
    collector.send(&v5::datagram(&v5::header(1), &[v5::record()]));
    check(&collector.flow(), &[("sampling_rate", json!(1)), ("sampling_source", json!("none"))]);
}
