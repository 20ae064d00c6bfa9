//! Full disks and failing syncs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{SMALL, append, append_many, delivery, missed, open, positions, range};
use finderscope_journal::{Journal, JournalError, Options};
use finderscope_testkit::disk::{Failure, FaultyDisk};

static LARGE: [u8; 60_000] = [0x5a; 60_000];
const UNLIMITED: Options = Options { segment_bytes: 4 << 20, limit_bytes: u64::MAX };

/// Appends large deliveries until one is refused; says which was the last that was taken.
fn fill(journal: &mut Journal) -> u64 {
    loop {
        match journal.append(&delivery(1, &LARGE)) {
            Ok(_) => {}
            Err(JournalError::Full) => return journal.next_position() - 1,
            Err(error) => panic!("{error}"),
        }
    }
}

fn sequences(journal: &Journal) -> Vec<u64> {
    let mut replay = journal.replay(1);
    let mut read = Vec::new();
    while let Some(delivery) = replay.next() {
        let delivery = delivery.unwrap();
        assert_eq!(delivery.bytes, LARGE);
        read.push(delivery.sequence);
    }
    read
}

#[test]
fn on_a_full_disk_it_refuses_counted_and_goes_on_by_itself_when_there_is_room() {
    for capacity in (0..3_000_000).step_by(99_991) {
        let disk = FaultyDisk::new();
        disk.set_capacity_bytes(Some(capacity));
        let mut journal = open(&disk, UNLIMITED);
        let last = fill(&mut journal);
        assert!(disk.used_bytes() <= capacity);
        for _ in 0..200 {
            assert!(matches!(journal.append(&delivery(1, &LARGE)), Err(JournalError::Full)));
        }
        assert_eq!((journal.refused(), journal.next_position()), (201, last + 1));
        assert!(matches!(journal.flush(), Err(JournalError::Full)));

        disk.set_capacity_bytes(None);
        let taken = (0..64).find_map(|_| journal.append(&delivery(1, &LARGE)).ok());
        assert_eq!(taken, Some(last + 1), "within a few appends, without anybody's help");
        journal.flush().unwrap();
        assert_eq!(sequences(&journal), range(1, last + 1));
        drop(journal);
        let journal = open(&disk, UNLIMITED);
        assert_eq!((journal.opened().lost(), journal.opened().torn_bytes), (0, 0));
        assert_eq!(sequences(&journal), range(1, last + 1));
    }
}

#[test]
fn a_process_that_dies_on_a_full_disk_leaves_a_journal_that_opens_on_it() {
    for capacity in (0..3_000_000).step_by(77_773) {
        let disk = FaultyDisk::new();
        disk.set_capacity_bytes(Some(capacity));
        let mut journal = open(&disk, UNLIMITED);
        fill(&mut journal);
        let written = journal.progress().written;
        drop(journal);

        let mut journal = open(&disk, UNLIMITED);
        assert!(journal.next_position() > written, "what was written is there, and perhaps some of the rest");
        assert_eq!(sequences(&journal), range(1, journal.next_position() - 1));
        fill(&mut journal);
        disk.set_capacity_bytes(None);
        journal.flush().unwrap();
        assert_eq!(sequences(&journal), range(1, journal.next_position() - 1));
    }
}

#[test]
fn after_a_failed_sync_the_data_is_written_again_and_then_durable() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    append_many(&mut journal, 50);
    journal.sync_through(50).unwrap();
    append_many(&mut journal, 50);
    journal.flush().unwrap();
    disk.fail_syncs(2, Failure::ForgetsToWrite);
    for _ in 0..2 {
        assert_eq!(journal.sync_through(100).unwrap_err().reason(), "journal_io");
        assert_eq!(journal.progress().synced, 50, "nothing is claimed");
    }
    append(&mut journal);
    journal.sync_through(101).unwrap();
    disk.crash(0);
    let journal = open(&disk, SMALL);
    assert_eq!(journal.opened().lost(), 0);
    assert_eq!(positions(&journal, 1), range(1, 101));
}

#[test]
fn what_a_failed_sync_has_lost_for_good_is_said_once_and_found_missing_at_opening() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, Options { segment_bytes: u64::MAX, limit_bytes: u64::MAX });
    append_many(&mut journal, 50);
    journal.sync_through(50).unwrap();
    append_many(&mut journal, 50);
    journal.flush().unwrap();
    disk.fail_syncs(1, Failure::ForgetsData);
    assert_eq!(journal.sync_through(100).unwrap_err().reason(), "journal_io");
    assert_eq!(journal.sync_through(100).unwrap_err().reason(), "journal_lost");
    append_many(&mut journal, 50);
    journal.sync_through(150).unwrap();
    assert_eq!((journal.progress().synced, missed(&journal, 1)), (150, 50));
    disk.crash(0);
    let journal = open(&disk, SMALL);
    let opened = journal.opened();
    assert_eq!((opened.next, opened.damaged.len()), (151, 1));
    assert_eq!((opened.damaged[0].first, opened.damaged[0].last), (51, 100));
    assert_eq!(positions(&journal, 51), range(101, 150));
}
