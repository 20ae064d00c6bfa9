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

#[test]
fn on_a_full_disk_a_journal_with_a_helper_refuses_once_its_queue_is_full_and_keeps_the_order() {
    for capacity in (0..3_000_000).step_by(199_999) {
        let disk = FaultyDisk::new();
        disk.set_capacity_bytes(Some(capacity));
        let mut journal = open(&disk, UNLIMITED);
        journal.write_beside(std::thread::current());
        let handle = journal.sync_handle();
        let last = fill(&mut journal);
        // What the disk cannot take may be in the queue, or in the buffer before it.
        assert!(matches!(handle.write(), Ok(()) | Err(JournalError::Full)));
        assert!(matches!(journal.append(&delivery(1, &LARGE)), Err(JournalError::Full)));
        assert_eq!((journal.refused(), journal.next_position()), (2, last + 1));

        disk.set_capacity_bytes(None);
        handle.write().unwrap();
        let taken = (0..64).find_map(|_| journal.append(&delivery(1, &LARGE)).ok());
        assert_eq!(taken, Some(last + 1));
        journal.hand_over().unwrap();
        assert_eq!(handle.sync().unwrap(), last + 1, "a sync writes what was handed over");
        assert_eq!(sequences(&journal), range(1, last + 1));
    }
}

#[test]
fn a_released_file_is_written_over_on_a_full_disk() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, SMALL);
    journal.reuse_files(1 << 20);
    append_many(&mut journal, 200);
    journal.sync_through(200).unwrap();
    journal.release(201).unwrap();
    let (files, bytes) = (disk.paths().len(), journal.bytes());
    assert!(files > 5, "the released files are still there");
    assert_eq!(bytes, disk.used_bytes());
    journal.sync_handle().sync().unwrap();

    // The segment that is being written may still need room of its own.
    disk.set_capacity_bytes(Some(disk.used_bytes() + 4_096));
    append_many(&mut journal, 100);
    journal.sync_through(300).unwrap();
    assert_eq!(positions(&journal, 201), range(201, 300));
    assert!(disk.paths().len() <= files + 1 && journal.bytes() <= bytes + 4_096);
    journal.finish().unwrap();
    drop(journal);
    let journal = open(&disk, SMALL);
    assert_eq!((journal.opened().torn_bytes, journal.next_position()), (0, 301), "the last file was cut to its length");
    assert_eq!(positions(&journal, 201), range(201, 300));
    assert_eq!(disk.paths().iter().filter(|path| path.extension().is_some_and(|e| e == "spare")).count(), 0);
}

#[test]
fn spares_give_way_before_a_delivery_is_refused() {
    let disk = FaultyDisk::new();
    let mut journal = open(&disk, Options { segment_bytes: 4_096, limit_bytes: 40_000 });
    journal.reuse_files(u64::MAX);
    for round in 1..20 {
        while journal.append(&delivery(1, &[0; 200])).is_ok() {
            assert!(disk.used_bytes() <= 40_000, "round {round}");
        }
        journal.sync_through(journal.next_position() - 1).unwrap();
        assert!(journal.bytes() > 35_000, "round {round}: {} bytes are used", journal.bytes());
        journal.release(journal.next_position()).unwrap();
        assert!(journal.bytes() < 20_000, "round {round}: a quarter of the limit for spares and the active one");
    }
}
