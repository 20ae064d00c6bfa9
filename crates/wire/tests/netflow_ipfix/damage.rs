//! Whatever happens to a datagram on its way: nothing panics, nothing is made up, and what came before the damage
//! stays.

use finderscope_wire::ipfix::{Encoder, FieldSpecifier, Header, VARIABLE};
use finderscope_wire::netflow::{v5, v9};

use crate::decoded::decode;

/// Templates of all kinds, then records that are fixed, varying and of options.
fn fill(encoder: &mut Encoder<'_>) {
    let fixed = [FieldSpecifier::new(8, 4), FieldSpecifier::new(12, 4), FieldSpecifier::new(1, 8)];
    let varying = [FieldSpecifier::new(82, VARIABLE), FieldSpecifier::new(1, 4)];
    encoder.template(256, &fixed).template(257, &varying);
    encoder.options_template(258, &[FieldSpecifier::new(1, 4)], &[FieldSpecifier::new(34, 4)]);
    for byte in 1..=4 {
        encoder.record(256, &[byte; 16]);
    }
    encoder.record(257, b"\x04eth0\0\0\0\x01").record(257, b"\xff\0\x01x\0\0\0\x02").record(257, b"\0\0\0\0\x03");
    encoder.record(258, &[0, 0, 0, 0, 0, 0, 0, 100]).record(256, &[5; 16]);
}

fn ipfix() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::ipfix(&mut out, &Header::default());
    fill(&mut encoder);
    encoder.finish().unwrap();
    out
}

fn netflow_v9() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::v9(&mut out, &v9::Header::default());
    fill(&mut encoder);
    encoder.finish().unwrap();
    out
}

fn netflow_v5() -> Vec<u8> {
    let mut out = Vec::new();
    let record = v5::Record { source: [10, 0, 0, 1], ..v5::Record::default() };
    v5::encode(&v5::Header::default(), &[record; 3], &mut out).unwrap();
    out
}

/// Cuts `whole` at every byte; a cut at one of `silent` cannot be noticed.
fn check_truncation(whole: &[u8], silent: &[usize]) {
    let intact = decode(whole);
    assert_eq!(intact.problems, []);
    for cut in 0..whole.len() {
        let decoded = decode(&whole[..cut]);
        let records: Vec<_> = intact.records.iter().filter(|record| record.end <= cut).cloned().collect();
        let templates: Vec<_> = intact.templates.iter().filter(|template| template.end <= cut).cloned().collect();
        assert_eq!(decoded.records, records, "cut at {cut}");
        assert_eq!(decoded.templates, templates, "cut at {cut}");
        assert_eq!(decoded.problems.is_empty(), silent.contains(&cut), "cut at {cut}: {:?}", decoded.problems);
    }
}

#[test]
fn every_truncation_of_ipfix_is_reported_and_keeps_what_came_before() {
    check_truncation(&ipfix(), &[]);
}

#[test]
fn every_truncation_of_v9_but_between_sets_is_reported_and_keeps_what_came_before() {
    let whole = netflow_v9();
    // Without a length, a message that ends with a set is whole.
    let silent: Vec<_> = v9::Message::read(&whole).unwrap().sets().map(|set| set.unwrap().offset).collect();
    check_truncation(&whole, &silent);
}

#[test]
fn every_truncation_of_v5_is_reported_and_keeps_what_came_before() {
    check_truncation(&netflow_v5(), &[]);
}

#[test]
fn every_change_of_a_byte_is_survived_and_makes_no_records_of_nothing() {
    for whole in [ipfix(), netflow_v9(), netflow_v5()] {
        let mut damaged = whole.clone();
        for at in 0..whole.len() {
            for value in 0..=u8::MAX {
                damaged[at] = value;
                let decoded = decode(&damaged);
                assert!(decoded.records.len() + decoded.templates.len() <= whole.len());
                assert!(decoded.records.iter().all(|record| record.end <= whole.len()), "{at} = {value}");
                assert!(decoded.problems.iter().all(|problem| problem.offset <= whole.len()), "{at} = {value}");
            }
            damaged[at] = whole[at];
        }
    }
}

#[test]
fn a_change_in_a_data_set_leaves_the_records_before_it() {
    let whole = ipfix();
    let intact = decode(&whole);
    let first = intact.records[0].end - 16;
    let mut damaged = whole.clone();
    for at in first..whole.len() {
        for flip in [1, 0x80, 0xff] {
            damaged[at] ^= flip;
            let decoded = decode(&damaged);
            let before = intact.records.iter().take_while(|record| record.end <= at).count();
            let kept = decoded.records.iter().zip(&intact.records).take_while(|(a, b)| a == b).count();
            assert!(kept >= before, "byte {at}: {kept} of {before}");
            damaged[at] = whole[at];
        }
    }
}

#[test]
fn any_bytes_at_all_are_survived() {
    use proptest::prelude::*;
    proptest!(|(version in prop::sample::select(vec![5_u8, 9, 10]), bytes in prop::collection::vec(any::<u8>(), 0..400))| {
        let decoded = decode(&[&[0, version][..], &bytes].concat());
        prop_assert!(decoded.records.len() <= bytes.len() + 2);
    });
}
