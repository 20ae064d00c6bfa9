//! Which sampling rate a row has, and from where.

use finderscope_intake::{Config, ExporterConfig, Intake, Network};
use serde_json::{Value, json};

use crate::harness::{
    Collector, NOW, SECOND, UPTIME_MS, address, check, field, ipfix, ipfix_with, seconds, v9, v9_with,
};
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

/// Rates by interface in NetFlow v9's own scope, beside one flow of each of these (in, out, direction).
fn by_interface(told: &[(u32, u32)], flows: &[(u32, u32, u8)]) -> Vec<Value> {
    let mut collector = Collector::new(Default::default());
    collector.send(&v9(0, |encoder| {
        encoder.options_template(257, &[field(2, 4)], &[field(34, 4), field(35, 1)]);
        for &(interface, interval) in told {
            encoder.record_with(257, |writer| _ = writer.u32(interface).u32(interval).u8(1));
        }
        encoder.template(256, &[field(1, 4), field(10, 4), field(14, 4), field(61, 1)]);
        for &(input, output, direction) in flows {
            encoder.record_with(256, |writer| _ = writer.u32(9).u32(input).u32(output).u8(direction));
        }
    }));
    collector.flows().iter().map(|flow| flow.get("sampling_rate").cloned().unwrap_or_default()).collect()
}

#[test]
fn a_rate_told_for_an_interface_counts_for_its_flows_alone() {
    let rates = by_interface(&[(5, 100), (6, 200)], &[(5, 9, 0), (9, 6, 0), (9, 8, 0), (5, 6, 1), (5, 6, 0)]);
    assert_eq!(rates, [json!(100), json!(200), json!(null), json!(200), json!(100)]);
}

#[test]
fn an_interface_told_as_a_value_beside_the_systems_scope_is_no_rate_for_all() {
    let mut collector = Collector::new(Default::default());
    collector.send(&v9(0, |encoder| {
        encoder.options_template(257, &[field(1, 4)], &[field(10, 2), field(34, 4)]);
        encoder.record_with(257, |writer| _ = writer.u32(1).u16(5).u32(100));
        encoder.template(256, &[field(1, 4), field(10, 2)]);
        for input in [5, 6] {
            encoder.record_with(256, |writer| _ = writer.u32(9).u16(input));
        }
        // A record without interfaces cannot be of one.
        encoder.template(258, &[field(1, 4)]).record(258, &[0, 0, 0, 9]);
    }));
    let flows = collector.flows();
    let rates: Vec<_> = flows.iter().map(|flow| flow.get("sampling_rate").cloned().unwrap_or_default()).collect();
    assert_eq!(rates, [json!(100), json!(null), json!(null)]);
    let sampler = collector.status().domains[0].samplers[0];
    assert_eq!((sampler.id, sampler.interface, sampler.rate), (None, Some(5), 100));
}

#[test]
fn a_rate_for_the_whole_system_counts_in_domains_that_say_nothing() {
    let mut collector = Collector::new(Default::default());
    let header = |source_id: u32, sequence: u32| finderscope_wire::netflow::v9::Header {
        uptime_ms: UPTIME_MS.into(),
        unix_seconds: seconds(NOW),
        sequence_number: sequence.into(),
        source_id: source_id.into(),
        ..Default::default()
    };
    collector.send(&v9_with(header(0, 0), |encoder| {
        encoder.options_template(257, &[field(1, 4)], &[field(34, 4)]);
        encoder.record_with(257, |writer| _ = writer.u32(1).u32(1000));
        encoder.options_template(258, &[field(3, 4)], &[field(34, 4)]);
    }));
    collector.send(&v9_with(header(9, 0), |encoder| {
        encoder.template(256, &[field(1, 4)]).record(256, &[0, 0, 0, 9]);
    }));
    assert_eq!(rate(&mut collector), (json!(1000), json!("options")));
}

#[test]
fn a_rate_for_another_observation_domain_is_kept_for_that_one() {
    let mut collector = Collector::new(Default::default());
    let header = |domain: u32, sequence: u32| finderscope_wire::ipfix::Header {
        export_time: seconds(NOW),
        sequence_number: sequence.into(),
        observation_domain_id: domain.into(),
        ..Default::default()
    };
    let flow = |collector: &mut Collector, domain| {
        collector.send(&ipfix_with(header(domain, 0), |encoder| {
            encoder.template(256, &[field(1, 4)]).record(256, &[0, 0, 0, domain as u8]);
        }));
        rate(collector)
    };
    assert_eq!(flow(&mut collector, 8), (json!(null), json!(null)));
    collector.send(&ipfix_with(header(7, 0), |encoder| {
        encoder.options_template(257, &[field(149, 4)], &[field(305, 4), field(306, 4)]);
        encoder.record_with(257, |writer| _ = writer.u32(8).u32(1).u32(255));
    }));
    collector.now_ns += SECOND;
    collector.send(&ipfix_with(header(8, 1), |encoder| _ = encoder.record(256, &[0, 0, 0, 1])));
    assert_eq!(rate(&mut collector), (json!(256), json!("options")));
    assert_eq!(flow(&mut collector, 7), (json!(null), json!(null)));
}

#[test]
fn packet_records_name_the_sequence_of_selectors_that_they_went_through() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.options_template(257, &[field(302, 4)], &[field(304, 2), field(309, 4), field(310, 4)]);
        encoder.record_with(257, |writer| _ = writer.u32(1).u16(3).u32(1).u32(100));
        encoder.options_template(258, &[field(302, 4)], &[field(304, 2), field(311, 8)]);
        encoder.record_with(258, |writer| _ = writer.u32(2).u16(4).u64(0.2_f64.to_bits()));
        encoder.options_template(259, &[field(301, 8)], &[field(302, 4), field(302, 4)]);
        encoder.record_with(259, |writer| _ = writer.u64(77).u32(1).u32(2));
        encoder.template(256, &[field(1, 4), field(301, 8)]);
        encoder.record_with(256, |writer| _ = writer.u32(9).u64(77));
    }));
    assert_eq!(rate(&mut collector), (json!(500), json!("options")));
}

#[test]
fn a_record_may_say_its_own_selectors_parameters() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(1, 4), field(305, 4), field(306, 4)]);
        encoder.record_with(256, |writer| _ = writer.u32(9).u32(1).u32(63));
    }));
    assert_eq!(rate(&mut collector), (json!(64), json!("record")));
}

#[test]
fn rates_are_known_after_a_restart() {
    let mut collector = Collector::new(Default::default());
    collector.send(&v9(0, |encoder| {
        encoder.options_template(257, &[field(2, 4)], &[field(34, 4)]);
        encoder.record_with(257, |writer| _ = writer.u32(5).u32(100));
        encoder.options_template(258, &[field(1, 4)], &[field(48, 1), field(50, 4)]);
        encoder.record_with(258, |writer| _ = writer.u32(1).u8(3).u32(1000));
        encoder.template(256, &[field(1, 4), field(10, 4), field(48, 1)]);
    }));
    let state = collector.intake.state();
    let mut collector = Collector::with(Intake::restore(Config::default(), &state).unwrap());
    collector.send(&v9(1, |encoder| {
        encoder.record_with(256, |writer| _ = writer.u32(9).u32(5).u8(4));
        encoder.record_with(256, |writer| _ = writer.u32(9).u32(5).u8(3));
    }));
    let flows = collector.flows();
    let rates: Vec<_> = flows.iter().map(|flow| flow["sampling_rate"].clone()).collect();
    assert_eq!(rates, [json!(100), json!(1000)]);
    // The layout of states before rates had scopes is refused, not misread.
    let mut old = state.clone();
    old[0] = 1;
    let refused = Intake::restore(Config::default(), &old).unwrap_err().to_string();
    assert!(refused.starts_with("another version of this program wrote it (layout 1, "), "{refused}");
}

#[test]
fn rates_that_strangers_tell_are_bounded() {
    let mut config = Config::default();
    config.limits.samplers_per_exporter = 10;
    let mut collector = Collector::new(config);
    collector.send(&v9(0, |encoder| {
        encoder.options_template(257, &[field(2, 4)], &[field(34, 4)]);
        for interface in 0..50 {
            encoder.record_with(257, |writer| _ = writer.u32(interface).u32(100 + interface));
        }
    }));
    assert_eq!(collector.status().domains[0].samplers.len(), 10);
    assert_eq!(collector.note("samplers_per_exporter"), 40);
}
