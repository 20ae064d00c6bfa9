//! What is there after a crash, a torn write, or damage: at every byte, and by many seeds.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{DIR, SMALL, append, append_many, missed, open, positions, range};
use finderscope_journal::{Journal, Opened, Options};
use finderscope_testkit::disk::FaultyDisk;

/// A journal of `count` deliveries in one segment, its file, and where each record ends.
fn one_segment(count: u64) -> (PathBuf, Vec<u8>, Vec<usize>) {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, Options { segment_bytes: u64::MAX, limit_bytes: u64::MAX });
    journal.flush().unwrap();
    let mut ends = vec![journal.bytes() as usize];
    for _ in 0..count {
        append(&mut journal);
        ends.push(journal.bytes() as usize);
    }
    journal.flush().unwrap();
    let path = disk.paths().remove(0);
    let contents = disk.contents(&path).unwrap();
    (path, contents, ends)
}

#[test]
fn cut_at_every_byte_all_records_before_the_cut_are_there_and_positions_go_on() {
    let (path, contents, ends) = one_segment(20);
    for cut in 0..=contents.len() {
        let disk = FaultyDisk::new();
        disk.put(&path, &contents[..cut]);
        let mut journal = open(&disk, SMALL);
        let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1) as u64;
        let torn_bytes = (cut - ends[..].iter().rfind(|end| **end <= cut).unwrap_or(&0)) as u64;
        let first = if whole == 0 { whole + 1 } else { 1 };
        let expected = Opened { first, next: whole + 1, torn_bytes, damaged: vec![] };
        assert_eq!(*journal.opened(), expected, "cut at {cut}");
        assert_eq!(positions(&journal, 1), range(1, whole));

        append_many(&mut journal, 2);
        journal.flush().unwrap();
        let journal = open(&disk, SMALL);
        assert_eq!(positions(&journal, 1), range(1, whole + 2), "cut at {cut}");
        assert_eq!((journal.opened().torn_bytes, journal.opened().lost()), (0, 0), "cut at {cut}");
    }
}

#[test]
fn each_flipped_byte_costs_the_record_it_is_in_and_no_other() {
    let (path, contents, ends) = one_segment(12);
    for at in ends[0]..contents.len() {
        let mut flipped = contents.clone();
        flipped[at] ^= 0x40;
        let disk = FaultyDisk::new();
        disk.put(&path, &flipped);
        let hit = ends.iter().position(|end| at < *end).unwrap() as u64;
        let journal = open(&disk, SMALL);
        let opened = journal.opened();
        if hit == 12 {
            assert_eq!((opened.next, opened.lost()), (12, 0), "the last one is a torn end");
            assert_eq!(opened.torn_bytes, (contents.len() - ends[11]) as u64);
        } else {
            assert_eq!((opened.next, opened.torn_bytes, opened.damaged.len()), (13, 0, 1), "byte {at}");
            assert_eq!((opened.damaged[0].first, opened.damaged[0].last), (hit, hit), "byte {at}");
            assert_eq!(missed(&journal, 1), 1, "a replay says the same");
            assert_eq!(missed(&journal, hit + 1), 0, "whoever does not want it does not miss it");
        }
        assert_eq!(positions(&journal, 1), range(1, 12).into_iter().filter(|p| *p != hit).collect::<Vec<_>>());
    }
}

#[test]
fn a_segment_whose_header_is_damaged_is_counted_and_its_positions_are_not_given_out_again() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    append_many(&mut journal, 100);
    journal.sync_through(100).unwrap();
    drop(journal);
    let paths = disk.paths();
    let first_of = |path: &Path| u64::from_str_radix(&path.file_stem().unwrap().to_string_lossy(), 16).unwrap();
    for index in [paths.len() - 1, paths.len() / 2] {
        let mut contents = disk.contents(&paths[index]).unwrap();
        contents[20] ^= 1;
        disk.put(&paths[index], &contents);
    }
    let journal = open(&disk, SMALL);
    let (middle, after_middle) = (first_of(&paths[paths.len() / 2]), first_of(&paths[paths.len() / 2 + 1]));
    let last = first_of(&paths[paths.len() - 1]);
    let opened = journal.opened().clone();
    assert!(opened.next > 100, "{opened:?}");
    let lost: Vec<_> = opened.damaged.iter().map(|damaged| (damaged.first, damaged.last)).collect();
    assert_eq!(lost, [(middle, after_middle - 1), (last, opened.next - 1)]);
    let expected: Vec<_> = range(1, last - 1).into_iter().filter(|p| !(middle..after_middle).contains(p)).collect();
    assert_eq!(positions(&journal, 1), expected);
    assert_eq!(missed(&journal, 1), opened.lost());
}

#[test]
fn what_the_disk_cannot_read_costs_the_rest_of_its_segment() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    append_many(&mut journal, 100);
    journal.sync_through(100).unwrap();
    let paths = disk.paths();
    disk.make_unreadable(&paths[1], 2_000..2_001);
    disk.make_unreadable(&paths[paths.len() - 1], 100..101);
    let journal = open(&disk, SMALL);
    let opened = journal.opened();
    assert_eq!(opened.torn_bytes, 0, "nothing is cut off that may be sound");
    assert!(opened.next > 100 && opened.damaged.len() == 2, "{opened:?}");
    let mut replay = journal.replay(1);
    let (mut read, mut errors) = (0, 0);
    while let Some(next) = replay.next() {
        match next {
            Ok(_) => read += 1,
            Err(error) => {
                assert_eq!(error.reason(), "journal_io");
                errors += 1;
            }
        }
    }
    assert_eq!(errors, 2);
    assert_eq!(read + opened.lost(), opened.next - 1);
}

#[test]
fn files_that_are_not_segments_are_left_alone() {
    let disk = FaultyDisk::new();
    for name in
        ["README", "0000000000000000.journal", "ffffffffffffffff.journal", "1.journal", "000000000000000A.journal"]
    {
        disk.put(&Path::new(DIR).join(name), b"something else");
    }
    let mut journal = open(&disk, SMALL);
    append_many(&mut journal, 10);
    journal.sync_through(10).unwrap();
    assert_eq!(positions(&open(&disk, SMALL), 1), range(1, 10));
    assert_eq!(disk.paths().len(), 6);
}

/// Many lives, each ended by a crash of the machine or of the process: what was synced and not released is there, once and in order;
/// what is missing beyond that is reported; and no synced position is given out twice.
#[test]
fn by_any_seed_what_was_synced_survives_a_crash() {
    lives(0..400, |_| {});
}

#[test]
fn by_any_seed_it_survives_where_files_are_used_again() {
    lives(1_000..1_250, |journal| journal.reuse_files(u64::MAX));
}

#[test]
fn by_any_seed_it_survives_where_another_thread_writes() {
    lives(2_000..2_100, |journal| {
        journal.reuse_files(u64::MAX);
        journal.write_beside(std::thread::current());
    });
}

fn lives(seeds: std::ops::Range<u64>, prepare: impl Fn(&mut Journal)) {
    for seed in seeds {
        let disk = FaultyDisk::new();
        let (mut synced, mut released) = (0, 1);
        let mut lost = BTreeSet::new();
        for life in 0..6 {
            let mut journal = open(&disk, SMALL);
            prepare(&mut journal);
            let opened = journal.opened().clone();
            assert!(opened.next > synced, "seed {seed}, life {life}: {opened:?}, synced {synced}");
            let read = positions(&journal, released);
            // A gap that was never synced may be gone with all that came after it, and its positions free again.
            lost.retain(|gone| *gone <= synced);
            let inside = opened.damaged.iter().flat_map(|damaged| damaged.first..=damaged.last);
            for gone in (released..opened.first).chain(inside) {
                assert!(gone > synced || lost.contains(&gone), "seed {seed}, life {life}: {gone} was synced");
                lost.insert(gone);
            }
            let wanted: Vec<_> = range(released, opened.next - 1).into_iter().filter(|p| !lost.contains(p)).collect();
            let differing = read.iter().zip(&wanted).find(|(read, wanted)| read != wanted);
            assert_eq!((read.len(), differing), (wanted.len(), None), "seed {seed}, life {life}: {opened:?}, {synced}");
            let not_at_the_front = opened.next - opened.first.max(released);
            assert_eq!(missed(&journal, released), not_at_the_front - read.len() as u64);

            let mut step: u64 = seed * 6 + life;
            for _ in 0..8 {
                step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                append_many(&mut journal, step >> 58);
                match step >> 40 & 7 {
                    0 | 1 => journal.flush().unwrap(),
                    2 | 3 => synced = journal.sync_handle().sync().unwrap(),
                    4 => {
                        released = released.max((synced / 2).max(1));
                        journal.release(released).unwrap();
                    }
                    5 => {
                        synced = journal.next_position() - 1;
                        journal.sync_through(synced).unwrap();
                    }
                    6 => journal.hand_over().unwrap(),
                    _ => journal.sync_handle().write().unwrap(),
                }
            }
            // Now and then only the process dies: the next one has to sync what it finds.
            if step >> 20 & 3 != 0 {
                disk.crash(seed.wrapping_mul(31).wrapping_add(life));
            }
        }
    }
}
