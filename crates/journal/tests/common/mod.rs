//! What the journal's tests share: deliveries that can be told apart, and reading everything back.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;

use finderscope_journal::{Journal, Options, Position};
use finderscope_testkit::disk::FaultyDisk;
use finderscope_wire::delivery::{Delivery, Listener, Scheme};

/// The folder on a disk in memory.
pub(crate) const DIR: &str = "/data/journal/0";

/// Segments of 4 KiB and no limit: a few deliveries each.
pub(crate) const SMALL: Options = Options { segment_bytes: 4_096, limit_bytes: u64::MAX };

pub(crate) fn open(disk: &FaultyDisk, options: Options) -> Journal {
    Journal::open_on(Arc::new(disk.clone()), Path::new(DIR), options).unwrap()
}

/// The datagram of `position`: every length up to some hundreds, every byte by the position.
pub(crate) fn datagram(position: Position) -> Vec<u8> {
    let length = (position * 37 % 500) as usize;
    (0..length).map(|index| (position as usize * 7 + index) as u8).collect()
}

pub(crate) fn delivery(position: Position, bytes: &[u8]) -> Delivery<'_> {
    Delivery {
        sequence: 0,
        received_ns: position as i64 * 1_000,
        source: "192.0.2.7:50000".parse().unwrap(),
        listener: Listener { scheme: Scheme::Udp, address: "[::1]:6343".parse().unwrap() },
        identity: position.is_multiple_of(3).then_some("core1.example.net"),
        bytes,
    }
}

/// Appends the delivery of the journal's next position.
pub(crate) fn append(journal: &mut Journal) -> Position {
    let position = journal.next_position();
    assert_eq!(journal.append(&delivery(position, &datagram(position))).unwrap(), position);
    position
}

pub(crate) fn append_many(journal: &mut Journal, count: u64) {
    for _ in 0..count {
        append(journal);
    }
}

/// The positions that read back from `from` on, each checked against what was appended.
pub(crate) fn positions(journal: &Journal, from: Position) -> Vec<Position> {
    let mut replay = journal.replay(from);
    let mut positions = Vec::new();
    while let Some(read) = replay.next() {
        let read = read.unwrap();
        let bytes = datagram(read.sequence);
        assert_eq!(read, Delivery { sequence: read.sequence, ..delivery(read.sequence, &bytes) });
        positions.push(read.sequence);
    }
    positions
}

/// How many positions a replay from `from` misses.
pub(crate) fn missed(journal: &Journal, from: Position) -> u64 {
    let mut replay = journal.replay(from);
    while let Some(read) = replay.next() {
        read.unwrap();
    }
    replay.damaged().map(|damaged| damaged.positions()).sum()
}

pub(crate) fn range(first: Position, last: Position) -> Vec<Position> {
    (first..=last).collect()
}
