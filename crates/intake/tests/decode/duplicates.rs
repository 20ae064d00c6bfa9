//! The same datagram twice.

use finderscope_intake::{Config, Limits};

use crate::harness::{Collector, From};
use crate::v5;

#[test]
fn the_same_datagram_counts_once() {
    let mut collector = Collector::new(Default::default());
    let bytes = v5::datagram(&v5::header(1), &[v5::record()]);
    collector.send(&bytes);
    collector.send(&bytes);
    assert_eq!(collector.flows().len(), 1);
    let books = collector.books();
    assert_eq!((books.datagrams.received, books.datagrams.decoded, books.datagrams.duplicate), (2, 1, 1));
    assert_eq!(collector.status().domains[0].sequence.reordered, 0);
    collector.send_from(From::address("10.0.0.2"), &bytes);
    assert_eq!(collector.flows().len(), 1, "another exporter may say the same");
}

#[test]
fn what_left_the_window_is_not_remembered() {
    let limits = Limits { duplicate_window: 3, ..Limits::default() };
    let mut collector = Collector::new(Config { limits, ..Config::default() });
    for sequence in [1, 2, 3, 1, 4, 1] {
        collector.send(&v5::datagram(&v5::header(sequence), &[v5::record()]));
    }
    assert_eq!(collector.books().datagrams.duplicate, 1);
}
