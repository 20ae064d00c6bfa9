//! Why packets are thrown away: every number of the list has its word, and no other number has one.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own file has failed")]

use std::collections::BTreeMap;

use finderscope_wire::sflow::{Interface, discard_reason};

#[test]
fn every_reason_of_the_list_has_its_word_and_no_other_number_has_one() {
    let text = include_str!("reasons.txt");
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once(' ').unwrap());
    let list: BTreeMap<u32, &str> = rows.map(|(number, word)| (number.parse().unwrap(), word)).collect();
    assert_eq!((list.len(), list[&269], list[&326]), (132, "blackhole_route", "ipv6disabled"));
    for number in (0..5_000).chain([u32::MAX]) {
        assert_eq!(discard_reason(number), list.get(&number).copied(), "{number}");
    }
    assert_eq!(Interface::from_word(1 << 30 | 258).discarded().and_then(discard_reason), Some("acl"));
}
