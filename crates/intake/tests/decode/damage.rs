//! Every prefix of what our encoders write, and every single byte of it changed: nothing panics, the balances hold
//! after each (the harness checks them), and the records before the damage are rows.

use finderscope_wire::netflow::fixed::Layout;

use crate::harness::{Collector, Row, field, ipfix, plain, v9};

/// A datagram, and where each of its records ends.
struct Whole {
    name: String,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// One datagram of each dialect, with three records of flows.
fn encoded() -> Vec<Whole> {
    let fixed = Layout::all().map(|layout| {
        let bytes = super::fixed::datagram(layout, &super::fixed::header(1), &[super::fixed::record(); 3]);
        let ends = (1..=3).map(|record| layout.header_length() + record * layout.record_length()).collect();
        Whole { name: format!("v{} {}", layout.version, layout.name), bytes, ends }
    });
    let five = Whole {
        name: "v5".to_owned(),
        bytes: super::v5::datagram(&super::v5::header(1), &[super::v5::record(); 3]),
        ends: vec![24 + 48, 24 + 96, 24 + 144],
    };
    let fields = crate::harness::PLAIN;
    let fill = |encoder: &mut finderscope_wire::ipfix::Encoder<'_>| {
        encoder.template(256, &fields);
        encoder.options_template(257, &[field(10, 4)], &[field(82, 8)]);
        for packets in 1..=3 {
            encoder.record(256, &plain(packets, 100));
        }
    };
    let templated = [("v9", v9(1, fill)), ("ipfix", ipfix(1, fill))].map(|(name, bytes)| {
        // The data set is the last: its records stand before at most three bytes of padding.
        let first = bytes.windows(8).position(|window| window == [10, 1, 0, 1, 10, 2, 0, 2]).unwrap();
        let ends = (1..=3).map(|record| first + record * plain(1, 1).len()).collect();
        Whole { name: name.to_owned(), bytes, ends }
    });
    fixed.chain([five]).chain(templated).collect()
}

fn rows(bytes: &[u8]) -> Vec<Row> {
    let mut collector = Collector::new(Default::default());
    collector.send(bytes);
    collector.flows()
}

#[test]
fn records_before_a_cut_are_rows_as_they_were() {
    for Whole { name, bytes, ends } in encoded() {
        let intact = rows(&bytes);
        assert_eq!(intact.len(), 3, "{name}");
        for cut in 0..bytes.len() {
            let before = ends.iter().filter(|&&end| end <= cut).count();
            assert_eq!(rows(&bytes[..cut]), intact[..before], "{name} cut at {cut}");
        }
    }
}

#[test]
fn a_cut_is_always_told() {
    for Whole { name, bytes, .. } in encoded() {
        for cut in 0..bytes.len() {
            let mut collector = Collector::new(Default::default());
            collector.send(&bytes[..cut]);
            let books = collector.books();
            let told =
                books.datagrams.malformed.total() + books.sets.malformed.total() + books.notes.get("message_cut");
            // A v9 datagram has no length: one that ends with a set is whole.
            let silent = name == "v9" && at_a_set(&bytes, cut);
            assert_eq!(told == 0, silent, "{name} cut at {cut}: {books:?}");
        }
    }
}

/// Whether a v9 datagram's set begins at `cut`.
fn at_a_set(bytes: &[u8], cut: usize) -> bool {
    let mut at = 20;
    while at < cut {
        at += usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    }
    at == cut
}

#[test]
fn every_change_of_a_byte_is_survived_and_records_before_it_stay() {
    for Whole { name, bytes, ends } in encoded() {
        let intact = rows(&bytes);
        let mut damaged = bytes.clone();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                damaged[at] ^= flip;
                let read = rows(&damaged);
                let first = ends[0] - (ends[1] - ends[0]);
                let before = if at < first { 0 } else { ends.iter().filter(|&&end| end <= at).count() };
                assert_eq!(read[..before], intact[..before], "{name} byte {at} flipped by {flip}");
                damaged[at] = bytes[at];
            }
        }
    }
}
