//! A restart: state S and a replay from there are as if there had been none.

use finderscope_flow::Table;
use finderscope_intake::{Config, Intake, Limits, StateError};
use serde_json::Value;

use crate::harness::{Collector, From, PLAIN, Row, SECOND, field, ipfix, plain, v9};
use crate::v5;

/// A mix of all that leaves something behind: templates, waiting data, samplers, gaps, duplicates, clocks.
fn deliveries() -> Vec<(i64, &'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for step in 0..60_u32 {
        let at = i64::from(step) * 20 * SECOND;
        let exporter = ["10.0.0.1", "10.0.0.2", "10.0.0.3"][step as usize % 3];
        let sequence = step / 3 + step / 10;
        all.push((
            at,
            exporter,
            match step % 7 {
                0 => ipfix(sequence, |encoder| _ = encoder.record(300, &plain(1, step + 1))),
                1 => ipfix(sequence, |encoder| _ = encoder.template(256, &PLAIN).record(256, &plain(2, step))),
                2 => v5::datagram(&v5::header(sequence), &[v5::record()]),
                3 => v9(sequence, |encoder| {
                    encoder.options_template(257, &[field(1, 4)], &[field(48, 1), field(50, 4)]);
                    encoder.record_with(257, |writer| _ = writer.u32(0).u8(3).u32(100 + step));
                    encoder.template(258, &[field(1, 4), field(48, 1)]).record(258, &[0, 0, 0, 9, 3]);
                }),
                4 => v9(sequence, |encoder| _ = encoder.record(258, &[0, 0, 0, 8, 3])),
                5 => ipfix(sequence, |encoder| _ = encoder.record(256, &plain(2, step)).record(300, &plain(3, step))),
                _ if step > 40 => ipfix(sequence, |encoder| _ = encoder.template(300, &PLAIN)),
                _ => all.last().map_or_else(Vec::new, |(_, _, bytes): &(i64, &str, Vec<u8>)| bytes.clone()),
            },
        ));
    }
    all
}

fn rows(collector: &mut Collector) -> Vec<Row> {
    Table::ALL.into_iter().flat_map(|table| collector.rows(table)).collect()
}

fn run(collector: &mut Collector, deliveries: &[(i64, &str, Vec<u8>)]) -> Vec<Row> {
    let mut all = Vec::new();
    for (at, exporter, bytes) in deliveries {
        collector.now_ns = crate::harness::NOW + at;
        collector.send_from(From::address(exporter), bytes);
        all.extend(rows(collector));
    }
    all
}

#[test]
fn a_state_and_a_replay_are_as_if_nothing_had_happened() {
    let deliveries = deliveries();
    let mut whole = Collector::new(Default::default());
    let expected = run(&mut whole, &deliveries);
    whole.intake.cut();
    assert!(expected.len() > 50 && whole.books().sets.decoded > 40, "{:?}", whole.books());
    // The state is from S, the last cut was at P, and the crash came at C.
    for (s, p, c) in [(0, 0, 0), (10, 10, 30), (10, 25, 40), (33, 34, 59), (59, 60, 60), (7, 60, 60)] {
        let mut before = Collector::new(Default::default());
        let mut stored = run(&mut before, &deliveries[..s]);
        let state = before.intake.state();
        stored.extend(run(&mut before, &deliveries[s..p]));
        before.intake.cut();
        run(&mut before, &deliveries[p..c]);

        let mut after = Collector::with(Intake::restore(Config::default(), &state).unwrap());
        after.intake.discard_rows(true);
        run(&mut after, &deliveries[s..p]);
        after.intake.discard_rows(false);
        stored.extend(run(&mut after, &deliveries[p..]));
        after.intake.cut();
        assert_eq!(stored, expected, "rows with S={s} P={p} C={c}");
        assert_eq!(after.books(), whole.books(), "books with S={s} P={p} C={c}");
        let status = |collector: &Collector| {
            let mut all: Vec<_> = collector.intake.ledger().collect();
            all.sort_by_key(|exporter| exporter.address);
            all
        };
        assert_eq!(status(&after), status(&whole), "status with S={s} P={p} C={c}");
    }
}

#[test]
fn data_waits_over_a_restart() {
    let mut before = Collector::new(Default::default());
    before.send(&ipfix(0, |encoder| _ = encoder.record(256, &plain(1, 5))));
    let state = before.intake.state();
    let mut after = Collector::with(Intake::restore(Config::default(), &state).unwrap());
    assert_eq!(after.books().sets.waiting, 1);
    after.send(&ipfix(1, |encoder| _ = encoder.template(256, &PLAIN)));
    assert_eq!(after.flow()["bytes"], Value::from(5));
}

#[test]
fn what_may_be_stored_already_is_given_up_and_counted() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| _ = encoder.record(256, &plain(1, 5)).record(257, &plain(1, 6))));
    collector.intake.give_up_waiting("state_unusable");
    let books = collector.books();
    assert_eq!((books.sets.waiting, books.sets.expired.get("state_unusable")), (0, 2));
    collector.send(&ipfix(1, |encoder| _ = encoder.template(256, &PLAIN)));
    assert!(collector.flows().is_empty());
    assert_eq!(collector.intake.totals().check(), Ok(()));
}

#[test]
fn what_was_lost_while_the_program_was_down_is_a_gap() {
    let mut before = Collector::new(Default::default());
    before.send(&v9(100, |encoder| _ = encoder.template(256, &PLAIN)));
    let state = before.intake.state();
    let mut after = Collector::with(Intake::restore(Config::default(), &state).unwrap());
    after.send(&v9(151, |encoder| _ = encoder.record(256, &plain(1, 5))));
    assert_eq!((after.status().lost(), after.flows().len()), (50, 1));
}

#[test]
fn the_state_has_changed_with_any_delivery_and_is_clean_when_written() {
    let mut collector = Collector::new(Default::default());
    assert!(!collector.intake.state_changed());
    collector.send(&[0]);
    assert!(collector.intake.state_changed());
    let state = collector.intake.state();
    assert!(!collector.intake.state_changed());
    assert!(!Intake::restore(Config::default(), &state).unwrap().state_changed());
}

#[test]
fn a_state_that_is_not_ours_is_refused() {
    let restore = |bytes: &[u8]| Intake::restore(Config::default(), bytes).err();
    assert!(matches!(restore(&[]), Some(StateError::Empty)));
    assert!(matches!(restore(&[99, 0, 0]), Some(StateError::Version(99))));
    let mut collector = Collector::new(Default::default());
    run(&mut collector, &deliveries());
    let state = collector.intake.state();
    for length in 1..state.len() {
        assert!(matches!(restore(&state[..length]), Some(StateError::Damaged(_))), "{length} of {}", state.len());
    }
}

#[test]
fn who_is_listed_is_told_anew_by_the_configuration() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| _ = encoder.record(256, &plain(1, 5)).template(300, &PLAIN)));
    let state = collector.intake.state();
    let network = finderscope_intake::Network::host(crate::harness::address("10.0.0.1"));
    let exporters = vec![finderscope_intake::ExporterConfig::new(network)];
    let config = Config { exporters, limits: Limits { template_fields: 1, ..Limits::default() }, ..Config::default() };
    let mut after = Collector::with(Intake::restore(config, &state).unwrap());
    assert!(after.status().listed);
    after.send(&ipfix(1, |encoder| _ = encoder.template(256, &PLAIN)));
    assert_eq!(after.flows().len(), 1);
}
