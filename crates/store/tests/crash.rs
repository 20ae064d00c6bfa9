//! A crash at each step of a cut, and a disk that fails at each.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::{SmallDisk, armed, copy, cut, disk_full, files, flows, open, skip, stored, visible};
use finderscope_flow::Table;
use finderscope_store::{Cut, Options, Probe, Snapshot, Step, Store, StoreError};

/// Every step of a cut, in its order, and whether the cut counts there.
const STEPS: [(Step, bool); 8] = [
    (Step::Write, false),
    (Step::PartsSynced, false),
    (Step::Renamed, false),
    (Step::FoldersSynced, false),
    (Step::JournalSynced, false),
    (Step::StateSynced, false),
    (Step::RecordWritten, true),
    (Step::Recorded, true),
];

/// A store with one cut of rows 0 to 9 at position 10, and a second of 10 to 19 at 20, with `at` called at its steps.
fn two_cuts(dir: &Path, at: impl Fn(Step) -> io::Result<()> + Send + Sync + 'static) -> Result<(), StoreError> {
    let (armed, probe) = armed(at);
    let (store, _) = Store::open(dir, Options { probe, ..Options::default() })?;
    let mut writer = store.writer(0)?;
    writer.write(Table::Flows, flows(0..10))?;
    cut(&mut writer, 10, Some((10, b"first")))?;
    armed.store(true, Ordering::SeqCst);
    writer.write(Table::Flows, flows(10..20))?;
    cut(&mut writer, 20, Some((20, b"second")))?;
    Ok(())
}

/// Opens a folder, checks that it holds what its positions say, and goes on from there to the end.
fn check_and_go_on(dir: &Path, counts: bool) {
    let (store, recovery) = open(dir);
    let (position, state): (u64, &[u8]) = if counts { (20, b"second") } else { (10, b"first") };
    assert_eq!(recovery.problems, []);
    assert_eq!(recovery.shards[0].position, position);
    assert_eq!(recovery.shards[0].state, Some((position, state.to_vec())));
    assert_eq!(stored(dir), (0..position).collect::<Vec<_>>());
    assert_eq!(visible(dir), (0..position).collect::<Vec<_>>());
    assert_eq!(files(&dir.join("incoming")), [""; 0]);
    assert_eq!(files(&dir.join("state")).len(), 1);
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(position..30)).unwrap();
    cut(&mut writer, 30, None).unwrap();
    assert_eq!(visible(dir), (0..30).collect::<Vec<_>>());
}

#[test]
fn a_crash_at_any_step_leaves_exactly_the_rows_of_the_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (from, to, steps) = (dir.path().to_owned(), copies.path().to_owned(), Arc::clone(&seen));
    two_cuts(dir.path(), move |step| {
        copy(&from, &to.join(format!("{step:?}")));
        steps.lock().unwrap().push(step);
        Ok(())
    })
    .unwrap();
    assert_eq!(*seen.lock().unwrap(), STEPS.map(|(step, _)| step));
    for (step, counts) in STEPS {
        check_and_go_on(&copies.path().join(format!("{step:?}")), counts);
    }
    check_and_go_on(dir.path(), true);
}

#[test]
fn a_crash_inside_the_manifests_record_leaves_it_out() {
    let dir = tempfile::tempdir().unwrap();
    let copied = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().to_owned(), copied.path().to_owned());
    let before = Arc::new(Mutex::new(0));
    let length = Arc::clone(&before);
    two_cuts(dir.path(), move |step| {
        match step {
            Step::StateSynced => *length.lock().unwrap() = fs::metadata(from.join("manifest"))?.len() as usize,
            Step::RecordWritten => copy(&from, &to),
            _ => {}
        }
        Ok(())
    })
    .unwrap();
    let manifest = fs::read(copied.path().join("manifest")).unwrap();
    let before = *before.lock().unwrap();
    assert!(before > 0 && before < manifest.len());
    for end in before..manifest.len() {
        let torn = tempfile::tempdir().unwrap();
        copy(copied.path(), torn.path());
        fs::write(torn.path().join("manifest"), &manifest[..end]).unwrap();
        assert_eq!(stored(torn.path()), (0..10).collect::<Vec<_>>(), "{end}");
        // Opening syncs much; some places stand for all.
        if end % 97 == 0 || end == before || end == manifest.len() - 1 {
            check_and_go_on(torn.path(), false);
        }
    }
}

#[test]
fn a_disk_that_fails_at_any_step_loses_no_row_and_counts_none_twice() {
    for (step, _) in STEPS.into_iter().filter(|(step, _)| *step != Step::Recorded) {
        let dir = tempfile::tempdir().unwrap();
        let broken = Arc::new(AtomicBool::new(false));
        let on = Arc::clone(&broken);
        let probe =
            Probe::new(move |at| if at == step && on.load(Ordering::SeqCst) { Err(disk_full()) } else { Ok(()) });
        let (store, _) = Store::open(dir.path(), Options { probe, ..Options::default() }).unwrap();
        let mut writer = store.writer(0).unwrap();
        writer.write(Table::Flows, flows(0..10)).unwrap();
        cut(&mut writer, 10, Some((10, b"first"))).unwrap();
        broken.store(true, Ordering::SeqCst);
        for _ in 0..2 {
            let written = writer.write(Table::Flows, flows(10..20));
            let error = written.and_then(|()| cut(&mut writer, 20, Some((20, b"second"))).map(drop)).unwrap_err();
            assert!(error.is_disk_full(), "{step:?}: {error}");
            assert!(matches!(error, StoreError::Lost { shard: 0, replay_from: 10, .. }));
            // What comes after the lost rows is not taken, so they cannot be counted as stored.
            let error = writer.write(Table::Flows, flows(20..30)).unwrap_err();
            assert!(matches!(error, StoreError::ReplayFirst { replay_from: 10, .. }), "{step:?}: {error}");
            assert!(matches!(cut(&mut writer, 30, None), Err(StoreError::ReplayFirst { .. })));
            assert_eq!((stored(dir.path()), visible(dir.path())), ((0..10).collect(), (0..10).collect()), "{step:?}");
            assert_eq!(files(&dir.path().join("incoming")), [""; 0]);
            writer.resume().unwrap();
            assert_eq!(writer.saved_state().unwrap(), Some((10, b"first".to_vec())));
        }
        broken.store(false, Ordering::SeqCst);
        writer.write(Table::Flows, flows(10..20)).unwrap();
        cut(&mut writer, 20, Some((20, b"second"))).unwrap();
        drop((writer, store));
        check_and_go_on(dir.path(), true);
    }
}

#[test]
fn a_journal_that_cannot_be_synced_fails_the_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(0..10)).unwrap();
    let error = writer.cut(Cut { position: 10, state: None, sync_journal: || Err(disk_full()) }).unwrap_err();
    assert!(error.is_disk_full() && error.to_string().contains("sync the journal"), "{error}");
    assert_eq!((stored(dir.path()), visible(dir.path()), store.position(0)), (vec![], vec![], 0));
}

/// The record was written, neither synced nor taken back: nobody knows whether it is on disk.
#[test]
fn while_a_record_is_in_doubt_its_files_stay_and_nothing_else_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Arc::new(AtomicBool::new(false));
    let on = Arc::clone(&broken);
    let probe = Probe::new(move |step| match step {
        Step::RecordWritten | Step::RecordUndone if on.load(Ordering::SeqCst) => Err(io::Error::from_raw_os_error(5)),
        _ => Ok(()),
    });
    let (store, _) = Store::open(dir.path(), Options { shards: 2, probe, ..Options::default() }).unwrap();
    let mut writer = store.writer(0).unwrap();
    broken.store(true, Ordering::SeqCst);
    writer.write(Table::Flows, flows(0..10)).unwrap();
    assert!(matches!(cut(&mut writer, 10, Some((10, b"s"))), Err(StoreError::Lost { replay_from: 0, .. })));
    // A crash now: the record may be there, and then its rows are.
    let crashed = tempfile::tempdir().unwrap();
    copy(dir.path(), crashed.path());
    let (after, recovery) = open(crashed.path());
    assert_eq!(
        (recovery.shards[0].position, stored(crashed.path()), recovery.problems.len()),
        (10, (0..10).collect(), 0)
    );
    drop(after);
    assert_eq!(store.problems().len(), 2, "a part and a state wait to be removed");
    let mut other = store.writer(1).unwrap();
    assert!(matches!(cut(&mut other, 5, None), Err(StoreError::Lost { shard: 1, replay_from: 0, .. })));
    assert!(matches!(writer.resume(), Err(StoreError::Disk(_))));
    broken.store(false, Ordering::SeqCst);
    writer.resume().unwrap();
    assert_eq!((stored(dir.path()), visible(dir.path()), store.problems()), (vec![], vec![], vec![]));
    writer.write(Table::Flows, flows(0..10)).unwrap();
    cut(&mut writer, 10, Some((10, b"s"))).unwrap();
    other.resume().unwrap();
    cut(&mut other, 5, None).unwrap();
    drop((writer, other, store));
    let (_store, recovery) = Store::open(dir.path(), Options { shards: 2, ..Options::default() }).unwrap();
    assert_eq!((recovery.shards[0].position, recovery.shards[1].position), (10, 5));
    assert_eq!((recovery.problems.len(), visible(dir.path())), (0, (0..10).collect()));
}

#[test]
fn a_reader_that_saw_a_record_which_was_taken_back_forgets_it() {
    let dir = tempfile::tempdir().unwrap();
    let failing = Arc::new(AtomicBool::new(true));
    let seen: Arc<Mutex<Option<Snapshot>>> = Arc::default();
    let (path, reader, on): (PathBuf, _, _) = (dir.path().to_owned(), Arc::clone(&seen), Arc::clone(&failing));
    let probe = Probe::new(move |step| {
        if step == Step::RecordWritten && on.load(Ordering::SeqCst) {
            *reader.lock().unwrap() = Some(Snapshot::read(&path).unwrap());
            return Err(disk_full());
        }
        Ok(())
    });
    let (store, _) = Store::open(dir.path(), Options { probe, ..Options::default() }).unwrap();
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(0..10)).unwrap();
    cut(&mut writer, 10, None).unwrap_err();
    let mut snapshot = seen.lock().unwrap().take().unwrap();
    assert_eq!(snapshot.parts(Table::Flows).count(), 1);
    let mut later = snapshot.clone();
    assert!(snapshot.refresh().unwrap());
    assert_eq!((snapshot.parts(Table::Flows).count(), snapshot.problems()), (0, &[][..]));
    failing.store(false, Ordering::SeqCst);
    writer.resume().unwrap();
    // Another record of the same length in its place.
    writer.write(Table::Flows, flows(0..10)).unwrap();
    cut(&mut writer, 10, None).unwrap();
    for snapshot in [&mut snapshot, &mut later] {
        assert!(snapshot.refresh().unwrap());
        assert_eq!((snapshot.stats(), snapshot.problems()), (store.stats(), &[][..]));
        assert!(snapshot.parts(Table::Flows).all(|part| snapshot.check(part).is_none()));
    }
}

#[test]
fn a_full_disk_stops_a_cut_and_room_lets_it_go_on() {
    let Some(disk) = SmallDisk::new("2m") else { return skip("only root may mount a small disk") };
    let dir = disk.path().join("data");
    let (store, _) = open(&dir);
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(0..10)).unwrap();
    cut(&mut writer, 10, Some((10, b"first"))).unwrap();
    let ballast = disk.path().join("ballast");
    for left in [0, 4_096, 16_384, 40_960] {
        fill(&ballast, left);
        let written = writer.write(Table::Flows, flows(10..5_000));
        match written.and_then(|()| cut(&mut writer, 20, Some((20, &[7; 60_000]))).map(drop)) {
            Err(error) => assert!(error.is_disk_full(), "{left}: {error}"),
            Ok(()) => panic!("{left}: 60 kB of state do not fit"),
        }
        assert_eq!((stored(&dir), visible(&dir)), ((0..10).collect(), (0..10).collect()));
        fs::remove_file(&ballast).unwrap();
        writer.resume().unwrap();
    }
    writer.write(Table::Flows, flows(10..20)).unwrap();
    cut(&mut writer, 20, Some((20, b"second"))).unwrap();
    drop((writer, store));
    check_and_go_on(&dir, true);
}

/// Fills a disk but for some bytes.
fn fill(ballast: &Path, left: u64) {
    use io::Write;
    let mut file = fs::File::create(ballast).unwrap();
    while file.write_all(&[0; 4_096]).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length - left).unwrap();
}
