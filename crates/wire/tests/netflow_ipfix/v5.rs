use finderscope_wire::netflow::v5::{Header, Message, Record, Sampling, encode};
use finderscope_wire::netflow::{UptimeZero, flow_times_ns, uptime_to_ns, version};
use proptest::prelude::*;
use zerocopy::FromBytes;

fn datagram(records: usize) -> Vec<u8> {
    let records: Vec<_> = (0..records).map(|n| Record { source: [10, 0, 0, n as u8], ..Record::default() }).collect();
    let mut out = Vec::new();
    encode(&Header { uptime_ms: 5_000.into(), ..Header::default() }, &records, &mut out).unwrap();
    out
}

#[test]
fn fields_lie_where_the_format_puts_them() {
    let mut bytes = datagram(1);
    for (index, byte) in bytes.iter_mut().enumerate().skip(24) {
        *byte = (index - 24) as u8;
    }
    let record = Message::read(&bytes).unwrap().records()[0];
    let at = |offset: u16| offset << 8 | (offset + 1);
    assert_eq!((record.source, record.destination, record.next_hop), ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]));
    assert_eq!([record.input, record.output].map(|value| value.get()), [at(12), at(14)]);
    assert_eq!([record.packets.get(), record.octets.get()], [0x1011_1213, 0x1415_1617]);
    assert_eq!([record.first_ms.get(), record.last_ms.get()], [0x1819_1a1b, 0x1c1d_1e1f]);
    assert_eq!([record.source_port, record.destination_port].map(|value| value.get()), [at(32), at(34)]);
    assert_eq!([record.tcp_flags, record.protocol, record.tos], [37, 38, 39]);
    assert_eq!([record.source_as, record.destination_as].map(|value| value.get()), [at(40), at(42)]);
    assert_eq!([record.source_mask, record.destination_mask], [44, 45]);
}

#[test]
fn reads_back_what_it_wrote() {
    proptest!(|(header: [u8; 24], records in prop::collection::vec(any::<[[u8; 16]; 3]>(), 0..40))| {
        let header = Header::read_from_bytes(&header).unwrap();
        let records: Vec<_> = records.iter().map(|bytes| Record::read_from_bytes(bytes.as_flattened()).unwrap()).collect();
        let mut out = vec![0xee; 3];
        encode(&header, &records, &mut out).unwrap();
        let datagram = &out[3..];
        prop_assert_eq!(version(datagram), Some(5));
        let message = Message::read(datagram).unwrap();
        prop_assert_eq!(message.records(), &records[..]);
        prop_assert_eq!((message.problem(), message.excess().len()), (None, 0));
        let expected = Header { version: 5.into(), count: (records.len() as u16).into(), ..header };
        prop_assert_eq!(message.header(), &expected);
    });
}

#[test]
fn a_count_over_what_is_there_keeps_what_is_there() {
    let mut bytes = datagram(2);
    bytes[3] = 7;
    let message = Message::read(&bytes).unwrap();
    assert_eq!(message.records().len(), 2);
    assert_eq!(message.problem().unwrap().to_string(), "count: length 7 is over its maximum of 2 at byte 2");
}

#[test]
fn a_count_under_what_is_there_leaves_trailing_bytes() {
    let mut bytes = datagram(3);
    bytes[3] = 1;
    bytes.push(0);
    let message = Message::read(&bytes).unwrap();
    assert_eq!((message.records().len(), message.excess().len()), (1, 2 * 48 + 1));
    assert_eq!(message.problem(), None);
}

#[test]
fn every_truncation_is_refused_or_reported_and_keeps_the_records_before_it() {
    let bytes = datagram(4);
    for cut in 0..bytes.len() {
        match Message::read(&bytes[..cut]) {
            Ok(message) => {
                assert!(message.problem().is_some(), "cut at {cut}");
                assert_eq!(message.records().len(), (cut - 24) / 48);
                assert_eq!(message.excess().len(), (cut - 24) % 48);
            }
            Err(error) => {
                assert!(cut < 24, "cut at {cut}");
                assert_eq!(error.reason(), "truncated");
            }
        }
    }
}

#[test]
fn refuses_another_version() {
    let mut bytes = datagram(1);
    bytes[1] = 7;
    assert_eq!(Message::read(&bytes).unwrap_err().to_string(), "version: version 7 is not known at byte 0");
    assert_eq!(version(&bytes[..1]), None);
}

#[test]
fn refuses_to_write_more_records_than_it_can_count() {
    let mut out = vec![1];
    assert!(encode(&Header::default(), &vec![Record::default(); 65_536], &mut out).is_err());
    assert_eq!(out, [1]);
}

#[test]
fn a_sampling_word_of_zero_never_multiplies_by_zero() {
    let rate = |word: u16| Header { sampling: word.into(), ..Header::default() }.sampling();
    assert_eq!((rate(0).rate(), rate(0x4001).rate(), rate(0x8000).rate()), (1, 1, 1));
    assert_eq!(rate(0x4000 | 100), Sampling { mode: 1, interval: 100 });
    assert_eq!(rate(0xbfff), Sampling { mode: 2, interval: 0x3fff });
    // An interval without a mode is believed.
    assert_eq!(rate(512).rate(), 512);
    assert_eq!(Sampling { mode: 2, interval: 0x3fff }.to_word(), 0xbfff);
}

#[test]
fn a_fraction_of_a_second_or_more_is_none() {
    let at = |nanoseconds: u32| {
        Header { unix_seconds: 2.into(), unix_nanoseconds: nanoseconds.into(), ..Header::default() }.export_ns()
    };
    assert_eq!((at(999_999_999), at(1_000_000_000), at(u32::MAX)), (2_999_999_999, 2_000_000_000, 2_000_000_000));
}

const HEADER_NS: i64 = 1_700_000_000_000_000_000;
const MS: i64 = 1_000_000;

#[test]
fn a_flow_before_the_header_lies_before_it() {
    assert_eq!(uptime_to_ns(HEADER_NS, 10_000, 4_000), HEADER_NS - 6_000 * MS);
    assert_eq!(uptime_to_ns(HEADER_NS, 10_000, 10_000), HEADER_NS);
}

#[test]
fn many_uptimes_at_once_are_what_each_is_alone() {
    for uptime_ms in [0, 1, 10_000, 99_999, 100_001, 1 << 31, u32::MAX - 5, u32::MAX] {
        let zero = UptimeZero::new(HEADER_NS, uptime_ms, 7).unwrap();
        for at_ms in [0, 1, 4_000, 10_000, 110_000, 110_001, 1 << 31, u32::MAX - 100_005, u32::MAX - 1, u32::MAX] {
            let alone = uptime_to_ns(HEADER_NS, uptime_ms, at_ms);
            assert_eq!(zero.ns(at_ms), alone + 7, "{at_ms} of {uptime_ms}");
            assert!(alone + 7 >= zero.earliest_ns());
            let other = uptime_to_ns(HEADER_NS, uptime_ms, 5_000);
            assert_eq!(zero.are_in_order(&[5_000, at_ms], &[5_000, 5_000]), at_ms != 0 && alone <= other);
        }
    }
    assert!(UptimeZero::new(i64::MAX, 1, 0).is_none() && UptimeZero::new(i64::MIN, 1, 0).is_none());
    assert!(UptimeZero::new(HEADER_NS, 1, i64::MAX).is_none());
}

#[test]
fn a_flow_clock_a_little_ahead_of_the_header_is_no_wrap() {
    assert_eq!(uptime_to_ns(HEADER_NS, 10_000, 10_750), HEADER_NS + 750 * MS);
    assert_eq!(uptime_to_ns(HEADER_NS, u32::MAX, 49), HEADER_NS + 50 * MS);
    assert_eq!(uptime_to_ns(HEADER_NS, 10_000, 110_000), HEADER_NS + 100_000 * MS);
    assert!(uptime_to_ns(HEADER_NS, 10_000, 110_001) < HEADER_NS - 4_000_000_000 * MS);
}

#[test]
fn uptime_that_wrapped_between_first_and_last_keeps_the_flows_length() {
    let (start, end) = flow_times_ns(HEADER_NS, 1_000, u32::MAX - 1_499, 500).unwrap();
    assert_eq!((start, end), (HEADER_NS - 2_500 * MS, HEADER_NS - 500 * MS));
}

#[test]
fn first_and_last_of_zero_are_unset() {
    assert_eq!(flow_times_ns(HEADER_NS, 10_000, 0, 0), None);
    assert!(flow_times_ns(HEADER_NS, 10_000, 0, 1).is_some());
}

#[test]
fn extreme_times_saturate() {
    assert_eq!(uptime_to_ns(i64::MIN, 10, 0), i64::MIN);
    assert_eq!(uptime_to_ns(i64::MAX, 0, 10), i64::MAX);
}
