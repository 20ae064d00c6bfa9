//! Appending, reading back, and giving room free.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{SMALL, append, append_many, delivery, missed, open, positions, range};
use finderscope_journal::{Journal, JournalError, Opened, Options, Progress};
use finderscope_testkit::disk::FaultyDisk;

#[test]
fn begins_at_one_and_reads_back_in_order_what_was_flushed() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    assert_eq!(*journal.opened(), Opened { first: 1, next: 1, ..Opened::default() });
    append_many(&mut journal, 3);
    assert_eq!(positions(&journal, 0), [] as [u64; 0], "it is all in the buffer");
    journal.flush().unwrap();
    assert_eq!(positions(&journal, 0), [1, 2, 3]);
    assert_eq!(positions(&journal, 3), [3]);
    assert_eq!(positions(&journal, 4), [] as [u64; 0]);
}

#[test]
fn a_replay_over_many_segments_begins_anywhere() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    append_many(&mut journal, 500);
    journal.flush().unwrap();
    assert!(disk.paths().len() > 20, "{} segments", disk.paths().len());
    for from in 0..=501 {
        assert_eq!(positions(&journal, from), range(from.max(1), 500));
    }
}

#[test]
fn a_replay_sees_what_was_there_when_it_began_while_the_journal_goes_on() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    append_many(&mut journal, 20);
    journal.flush().unwrap();
    let mut replay = journal.replay(11);
    append_many(&mut journal, 100);
    journal.flush().unwrap();
    let mut seen = Vec::new();
    while let Some(read) = replay.next() {
        seen.push(read.unwrap().sequence);
    }
    assert_eq!(seen, range(11, 20));
    assert_eq!(replay.damaged().count(), 0);
}

#[test]
fn positions_go_on_after_each_opening() {
    let disk = FaultyDisk::new();
    for round in 0..5 {
        let mut journal = open(&disk, SMALL);
        assert_eq!(journal.next_position(), round * 10 + 1);
        append_many(&mut journal, 10);
        journal.flush().unwrap();
    }
    let journal = open(&disk, SMALL);
    assert_eq!(positions(&journal, 1), range(1, 50));
    assert_eq!(*journal.opened(), Opened { first: 1, next: 51, ..Opened::default() });
}

#[test]
fn opening_and_closing_without_appending_leaves_nothing_behind_that_grows() {
    let disk = FaultyDisk::new();
    for _ in 0..5 {
        open(&disk, SMALL).flush().unwrap();
    }
    assert_eq!(disk.paths().len(), 1);
    let mut journal = open(&disk, SMALL);
    append(&mut journal);
    journal.flush().unwrap();
    assert_eq!(positions(&open(&disk, SMALL), 1), [1]);
}

#[test]
fn says_how_far_each_position_has_come() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    let handle = journal.sync_handle();
    append_many(&mut journal, 2);
    assert_eq!(handle.progress(), Progress { appended: 2, written: 0, synced: 0 });
    journal.flush().unwrap();
    append(&mut journal);
    assert_eq!(handle.progress(), Progress { appended: 3, written: 2, synced: 0 });
    assert_eq!(std::thread::spawn(move || handle.sync()).join().unwrap().unwrap(), 2);
    assert_eq!(journal.progress(), Progress { appended: 3, written: 2, synced: 2 });
    journal.sync_through(2).unwrap();
    assert_eq!(journal.progress(), Progress { appended: 3, written: 2, synced: 2 });
    journal.sync_through(3).unwrap();
    assert_eq!(journal.progress(), Progress { appended: 3, written: 3, synced: 3 });
}

#[test]
fn release_removes_whole_segments_once_what_follows_is_durable() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    append_many(&mut journal, 500);
    journal.flush().unwrap();
    let (files, bytes) = (disk.paths().len(), journal.bytes());
    assert_eq!(bytes, disk.used_bytes());

    journal.release(250).unwrap();
    assert_eq!(disk.paths().len(), files, "nothing is durable yet");
    journal.sync_through(500).unwrap();
    journal.release(250).unwrap();
    assert!(disk.paths().len() < files / 2 + 2);
    assert_eq!(positions(&journal, 250), range(250, 500));
    assert_eq!(journal.bytes(), disk.used_bytes());

    journal.release(501).unwrap();
    assert_eq!(disk.paths().len(), 1, "the active segment stays");
    drop(journal);
    assert_eq!(open(&disk, SMALL).next_position(), 501);
}

#[test]
fn at_its_limit_it_refuses_counted_and_goes_on_after_a_release() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, Options { segment_bytes: 1 << 30, limit_bytes: 40_000 });
    for _round in 0..10 {
        let refused = journal.refused();
        let last = loop {
            let position = journal.next_position();
            match journal.append(&delivery(position, &common::datagram(position))) {
                Ok(taken) => assert_eq!(taken, position),
                Err(JournalError::Full) => break position - 1,
                Err(error) => panic!("{error}"),
            }
            assert!(journal.bytes() <= 40_000);
        };
        assert_eq!((journal.refused(), journal.next_position()), (refused + 1, last + 1));
        journal.sync_through(last).unwrap();
        assert_eq!(positions(&journal, last - 40), range(last - 40, last));
        journal.release(last + 1).unwrap();
        assert!(journal.bytes() < 15_000, "{} bytes are still there", journal.bytes());
    }
}

#[test]
fn skips_to_a_position_and_remembers_it() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    append_many(&mut journal, 3);
    journal.skip_to(2).unwrap();
    journal.skip_to(4).unwrap();
    assert_eq!(journal.next_position(), 4, "what was passed is not given out again");
    journal.skip_to(100).unwrap();
    journal.skip_to(200).unwrap();
    append(&mut journal);
    journal.skip_to(300).unwrap();
    journal.sync_through(299).unwrap();
    assert_eq!(journal.progress(), Progress { appended: 299, written: 299, synced: 299 });
    assert_eq!(positions(&journal, 1), [1, 2, 3, 200]);
    assert_eq!(missed(&journal, 1), 0, "what was skipped is not lost");

    for _ in 0..3 {
        let journal = open(&disk, SMALL);
        assert_eq!(*journal.opened(), Opened { first: 1, next: 300, ..Opened::default() });
        assert_eq!((positions(&journal, 1), missed(&journal, 1)), (vec![1, 2, 3, 200], 0));
    }
    let mut journal = open(&disk, SMALL);
    append(&mut journal);
    journal.flush().unwrap();
    let journal = open(&disk, SMALL);
    assert_eq!(*journal.opened(), Opened { first: 1, next: 301, ..Opened::default() });
    assert_eq!((positions(&journal, 1), missed(&journal, 1)), (vec![1, 2, 3, 200, 300], 0));
}

#[test]
fn a_delivery_that_no_frame_holds_is_refused_and_leaves_nothing() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    append(&mut journal);
    let too_long = vec![0; 65_536];
    let error = journal.append(&delivery(2, &too_long)).unwrap_err();
    assert_eq!((error.reason(), journal.refused()), ("journal_unfit", 1));
    append(&mut journal);
    assert_eq!(journal.append(&delivery(1, &too_long[1..])).unwrap(), 3, "one byte less is a datagram");
    journal.flush().unwrap();
    let mut replay = journal.replay(1);
    for length in [37, 74, 65_535] {
        assert_eq!(replay.next().unwrap().unwrap().bytes.len(), length);
    }
    assert!(replay.next().is_none());
}

#[test]
fn the_real_disk_keeps_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal/3");
    let mut journal = Journal::open(&dir, Options { segment_bytes: 1 << 16, limit_bytes: u64::MAX }).unwrap();
    append_many(&mut journal, 20_000);
    journal.sync_through(20_000).unwrap();
    drop(journal);

    let mut journal = Journal::open(&dir, Options::default()).unwrap();
    assert_eq!(*journal.opened(), Opened { first: 1, next: 20_001, ..Opened::default() });
    assert_eq!(positions(&journal, 10_000), range(10_000, 20_000));
    append(&mut journal);
    journal.sync_through(20_001).unwrap();
    journal.release(20_001).unwrap();
    assert_eq!(positions(&journal, 1), [20_001]);
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
}
