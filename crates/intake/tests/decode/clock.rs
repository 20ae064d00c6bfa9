//! Times: uptimes, absolute ones in every unit, clocks that are off, and times that cannot be.

use finderscope_wire::ipfix::{FieldSpecifier, Header};
use finderscope_wire::netflow::v9 as netflow9;
use serde_json::{Value, json};

use crate::harness::{Collector, NOW, Row, SECOND, UPTIME_MS, check, field, ipfix, ipfix_with, seconds, v9, v9_with};
use crate::v5;

const MS: u64 = 1_767_225_600_000;

/// One IPFIX record with these fields.
fn decoded(fields: &[(u16, u16, u64)]) -> Row {
    let mut collector = Collector::new(Default::default());
    let mut specifiers: Vec<FieldSpecifier> =
        fields.iter().map(|&(element, length, _)| field(element, length)).collect();
    specifiers.push(field(1, 4));
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &specifiers).record_with(256, |writer| {
            for &(_, length, value) in fields {
                writer.bytes(&value.to_be_bytes()[8 - usize::from(length)..]);
            }
            writer.u32(1);
        });
    }));
    collector.flow()
}

fn check_times(fields: &[(u16, u16, u64)], start: &str, end: &str, source: &str) {
    let flow = decoded(fields);
    let time = |text: &str| json!(format!("2025-12-31T23:{text}Z"));
    check(
        &flow,
        &[("time_flow_start_ns", time(start)), ("time_flow_end_ns", time(end)), ("time_source", json!(source))],
    );
}

fn ntp(ms: u64) -> u64 {
    ((ms / 1000 + 2_208_988_800) << 32) + ((ms % 1000) << 32) / 1000 + 1
}

#[test]
fn every_unit_of_time_is_read() {
    check_times(&[(150, 4, MS / 1000 - 60), (151, 4, MS / 1000 - 30)], "59:00", "59:30", "absolute");
    check_times(&[(152, 8, MS - 59_500), (153, 8, MS - 500)], "59:00.500", "59:59.500", "absolute");
    check_times(&[(156, 8, ntp(MS - 60_000) - 1), (157, 8, ntp(MS - 30_000) - 1)], "59:00", "59:30", "absolute");
    check_times(&[(154, 8, ntp(MS - 60_000)), (155, 8, ntp(MS - 30_000))], "59:00", "59:30", "absolute");
    check_times(&[(158, 4, 60_000_000), (159, 4, 30_000_000)], "59:00", "59:30", "absolute");
    check_times(&[(152, 8, MS - 60_000), (161, 4, 10_000)], "59:00", "59:10", "absolute");
    check_times(&[(150, 4, MS / 1000 - 60), (162, 4, 10_000_000)], "59:00", "59:10", "absolute");
    check_times(&[(153, 8, MS - 30_000), (161, 4, 10_000)], "59:20", "59:30", "absolute");
    check_times(&[(153, 8, MS - 30_000)], "59:30", "59:30", "absolute");
    check_times(&[(152, 8, MS - 60_000), (323, 8, MS - 50_000)], "59:00", "59:10", "absolute");
}

#[test]
fn uptimes_in_ipfix_need_the_boot_time_from_the_record_or_from_options() {
    let boot = MS - 3_600_000;
    check_times(&[(22, 4, 3_540_000), (21, 4, 3_570_000), (160, 8, boot)], "59:00", "59:30", "uptime");
    let mut collector = Collector::new(Default::default());
    let record = |sequence| {
        ipfix(sequence, |encoder| {
            encoder.template(256, &[field(22, 4), field(21, 4), field(1, 4)]).record_with(256, |writer| {
                writer.u32(3_540_000).u32(3_570_000).u32(1);
            });
        })
    };
    collector.send(&record(0));
    check(&collector.flow(), &[("time_source", json!("assumed")), ("time_flow_end_ns", json!("2026-01-01T00:00:00Z"))]);
    collector.send(&ipfix(1, |encoder| {
        encoder.options_template(257, &[field(149, 4)], &[field(160, 8)]).record_with(257, |writer| {
            writer.u32(7).u64(boot);
        });
    }));
    collector.send(&record(2));
    check(&collector.flow(), &[("time_source", json!("uptime")), ("time_flow_end_ns", json!("2025-12-31T23:59:30Z"))]);
}

#[test]
fn without_a_boot_time_the_youngest_flow_ended_at_the_export_and_durations_stay_true() {
    let flow = decoded(&[(22, 4, 3_540_000), (21, 4, 3_570_000)]);
    check(
        &flow,
        &[
            ("time_flow_start_ns", json!("2025-12-31T23:59:30Z")),
            ("time_flow_end_ns", json!("2026-01-01T00:00:00Z")),
            ("time_source", json!("assumed")),
        ],
    );
}

#[test]
fn times_that_cannot_be_become_the_receive_time_and_are_counted() {
    for fields in [
        &[(152, 8, 0), (153, 8, 0)][..],
        &[(152, 8, 3_600_000), (153, 8, 3_700_000)],
        &[(152, 8, MS), (153, 8, MS - 10_000)],
        &[(152, 8, MS + 2 * 86_400_000), (153, 8, MS + 2 * 86_400_000)],
        &[(152, 8, MS - 500 * 86_400_000), (153, 8, MS - 400 * 86_400_000)],
        &[(154, 8, 1 << 40), (155, 8, 1 << 40)],
        &[(152, 8, u64::MAX), (153, 8, u64::MAX)],
        &[(21, 4, 5), (22, 4, 5)],
    ] {
        check(
            &decoded(fields),
            &[
                ("time_flow_start_ns", json!("2026-01-01T00:00:00Z")),
                ("time_flow_end_ns", json!("2026-01-01T00:00:00Z")),
                ("time_source", json!("assumed")),
            ],
        );
    }
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(152, 8)]).record(256, &1_u64.to_be_bytes()).record(256, &MS.to_be_bytes());
    }));
    let sources: Vec<Value> = collector.flows().iter().map(|flow| flow["time_source"].clone()).collect();
    assert_eq!(sources, [json!("assumed"), json!("absolute")]);
    assert_eq!(collector.note("times_assumed"), 1);
}

/// Traps of uptimes, in v5 and v9 alike.
#[test]
fn uptimes_wrap_run_ahead_and_may_be_unset() {
    for (uptime, first, last, start, end, source) in [
        (UPTIME_MS, UPTIME_MS - 60_000, UPTIME_MS - 30_000, "23:59:00Z", "23:59:30Z", "uptime"),
        (1_000, u32::MAX - 58_999, 1_000, "23:59:00Z", "2026-01-01T00:00:00Z", "uptime"),
        (UPTIME_MS, UPTIME_MS - 60_000, UPTIME_MS + 3_000, "23:59:00Z", "00:00:03Z", "uptime"),
        (UPTIME_MS, 0, 0, "00:00:00Z", "00:00:00Z", "assumed"),
        (UPTIME_MS, 0, UPTIME_MS - 30_000, "23:59:30Z", "23:59:30Z", "uptime"),
        (UPTIME_MS, UPTIME_MS, UPTIME_MS - 30_000, "00:00:00Z", "00:00:00Z", "assumed"),
    ] {
        let record =
            finderscope_wire::netflow::v5::Record { first_ms: first.into(), last_ms: last.into(), ..v5::record() };
        let header = finderscope_wire::netflow::v5::Header { uptime_ms: uptime.into(), ..v5::header(1) };
        let mut five = Collector::new(Default::default());
        five.send(&v5::datagram(&header, &[record]));
        let header = netflow9::Header { uptime_ms: uptime.into(), unix_seconds: seconds(NOW), ..Default::default() };
        let mut nine = Collector::new(Default::default());
        nine.send(&v9_with(header, |encoder| {
            encoder.template(256, &[field(22, 4), field(21, 4), field(1, 4)]).record_with(256, |writer| {
                writer.u32(first).u32(last).u32(1);
            });
        }));
        for flow in [five.flow(), nine.flow()] {
            let ends = |name: &str, expected: &str| {
                assert!(flow[name].as_str().unwrap().ends_with(expected), "{name} of {first}..{last}: {flow:#?}");
            };
            ends("time_flow_start_ns", start);
            ends("time_flow_end_ns", end);
            check(&flow, &[("time_source", json!(source))]);
        }
    }
}

#[test]
fn a_clock_that_is_hours_off_is_corrected_and_shown() {
    let mut collector = Collector::new(Default::default());
    let behind = 2 * 3600 * SECOND;
    let header = Header { export_time: seconds(NOW - behind), observation_domain_id: 7.into(), ..Default::default() };
    collector.send(&ipfix_with(header, |encoder| {
        encoder.template(256, &[field(152, 8), field(153, 8)]).record_with(256, |writer| {
            let at = MS - 2 * 3_600_000;
            writer.u64(at - 60_000).u64(at - 30_000);
        });
    }));
    check(
        &collector.flow(),
        &[
            ("time_source", json!("corrected")),
            ("time_export_ns", json!("2025-12-31T22:00:00Z")),
            ("time_flow_start_ns", json!("2025-12-31T23:59:00Z")),
            ("time_flow_end_ns", json!("2025-12-31T23:59:30Z")),
        ],
    );
    assert_eq!(collector.status().domains[0].clock_offset_ns, Some(behind));
}

#[test]
fn a_clock_that_was_never_set_still_tells_how_long_flows_took() {
    let mut collector = Collector::new(Default::default());
    let header = netflow9::Header { uptime_ms: 90_000.into(), unix_seconds: 90.into(), ..Default::default() };
    collector.send(&v9_with(header, |encoder| {
        encoder.template(256, &[field(22, 4), field(21, 4)]).record_with(256, |writer| {
            writer.u32(30_000).u32(60_000);
        });
    }));
    check(
        &collector.flow(),
        &[
            ("time_source", json!("corrected")),
            ("time_flow_start_ns", json!("2025-12-31T23:59:00Z")),
            ("time_flow_end_ns", json!("2025-12-31T23:59:30Z")),
        ],
    );
}

#[test]
fn a_capture_that_is_read_later_has_its_own_clock_and_no_offset() {
    let mut collector = Collector::new(Default::default());
    collector.now_ns = NOW + SECOND;
    collector.send(&v9(0, |encoder| {
        encoder.template(256, &[field(22, 4), field(21, 4)]).record_with(256, |writer| {
            writer.u32(UPTIME_MS - 60_000).u32(UPTIME_MS - 30_000);
        });
    }));
    check(&collector.flow(), &[("time_source", json!("uptime"))]);
}
