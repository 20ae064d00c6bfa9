//! Merging: what becomes of rows and files at each step of it.

use super::*;

#[test]
fn an_hours_parts_become_one_with_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = cuts(dir.path(), 5, |_| Ok(()));
    let before = parts(dir.path());
    let done = keep(&mut rest(&store), NEXT_HOUR);
    assert_eq!(done.len(), 1);
    assert_eq!((done[0].removed, done[0].rows), (5, 50));
    assert_eq!(done[0].bytes_before, before.iter().map(|part| part.file_bytes).sum::<u64>());
    let [merged] = &parts(dir.path())[..] else { panic!("{:?}", parts(dir.path())) };
    assert_eq!((merged.origin, merged.rows), (None, 50));
    let bytes: u64 = before.iter().map(|part| part.sums.unwrap().bytes).sum();
    assert_eq!(merged.sums.unwrap().bytes, bytes);
    assert_eq!(
        (merged.min_received_ns, merged.max_received_ns),
        (before[0].min_received_ns, before[4].max_received_ns)
    );
    drop(store);
    check_all(dir.path(), 50, true);
}

#[test]
fn a_crash_at_any_step_of_a_merge_leaves_every_row_once() {
    let dir = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (from, to, steps) = (dir.path().to_owned(), copies.path().to_owned(), Arc::clone(&seen));
    let (store, armed) = cuts(dir.path(), 3, move |step| {
        let at = to.join(format!("{step:?}"));
        if !at.exists() {
            copy(&from, &at);
            steps.lock().unwrap().push(step);
        }
        Ok(())
    });
    armed.store(true, Ordering::SeqCst);
    keep(&mut rest(&store), NEXT_HOUR);
    drop(store);
    assert_eq!(*seen.lock().unwrap(), STEPS.map(|(step, _)| step));
    for (step, counts) in STEPS {
        let crashed = copies.path().join(format!("{step:?}"));
        // Before anybody opens it, a reader of the manifest finds all rows; one of the folder never more than all.
        assert_eq!(stored(&crashed), (0..30).collect::<Vec<_>>(), "{step:?}");
        let seen = visible(&crashed);
        assert!(seen.is_empty() || seen == (0..30).collect::<Vec<_>>(), "{step:?}: {seen:?}");
        check_all(&crashed, 30, counts);
    }
}

#[test]
fn a_disk_that_fails_at_any_step_of_a_merge_leaves_every_row_once_and_lets_it_be_done_later() {
    for (step, counts) in STEPS {
        let dir = tempfile::tempdir().unwrap();
        let (store, broken) = cuts(dir.path(), 3, move |at| if at == step { Err(disk_full()) } else { Ok(()) });
        broken.store(true, Ordering::SeqCst);
        let mut keeper = rest(&store);
        let job = keeper.plan(NEXT_HOUR).unwrap();
        match keeper.run(&job, &go()) {
            Err(KeepError::Store(error)) => {
                assert!(error.is_disk_full() && step != Step::Recorded, "{step:?}: {error}")
            }
            Err(error) => panic!("{step:?}: {error}"),
            // The record was not taken back, so the merge counts.
            Ok(_) => assert!(counts && step != Step::RecordWritten, "{step:?}"),
        }
        assert_eq!(stored(dir.path()), (0..30).collect::<Vec<_>>(), "{step:?}");
        let seen = visible(dir.path());
        assert!(seen.is_empty() || seen == (0..30).collect::<Vec<_>>(), "{step:?}: {seen:?}");
        if matches!(step, Step::SourcesRemoved) {
            assert!(matches!(&keeper.settle()[..], [Problem::Unplaced { .. }]), "{step:?}");
            assert_eq!(keeper.plan(NEXT_HOUR), None, "what is not in its place is left alone");
        }
        broken.store(false, Ordering::SeqCst);
        assert_eq!(store.problems(), []);
        keep(&mut keeper, NEXT_HOUR);
        no_strays(dir.path());
        drop((keeper, store));
        check_all(dir.path(), 30, true);
    }
}

#[test]
fn a_source_that_cannot_be_removed_keeps_the_merged_part_out_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = cuts(dir.path(), 2, |_| Ok(()));
    let keeper = rest(&store);
    let job = keeper.plan(NEXT_HOUR).unwrap();
    let Job::Merge { sources, .. } = &job else { panic!("{job:?}") };
    // In the middle of the merge a folder stands in the place of a source: it cannot be removed as a file.
    let stubborn = dir.path().join(&sources[0].path);
    let kept = dir.path().join("kept.parquet");
    let (from, to) = (stubborn.clone(), kept.clone());
    drop(store);
    drop(keeper);
    let swapped = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&swapped);
    let probe = Probe::new(move |step| {
        if step == Step::MergeSynced && !done.swap(true, Ordering::SeqCst) {
            fs::rename(&from, &to)?;
            fs::create_dir_all(from.join("inside"))?;
        }
        Ok(())
    });
    let (store, _) = Store::open(dir.path(), Options { probe, ..Options::default() }).unwrap();
    let mut keeper = rest(&store);
    keeper.run(&keeper.plan(NEXT_HOUR).unwrap(), &go()).unwrap();
    assert_eq!(stored(dir.path()), (0..20).collect::<Vec<_>>());
    let problems = store.problems();
    assert!(matches!(&problems[..], [Problem::Leftover { .. }, Problem::Unplaced { .. }]), "{problems:?}");
    fs::remove_dir_all(&stubborn).unwrap();
    assert_eq!(store.problems(), []);
    drop((keeper, store));
    check_all(dir.path(), 20, true);
}

#[test]
fn a_merge_that_is_told_to_stop_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = cuts(dir.path(), 3, |_| Ok(()));
    let mut keeper = rest(&store);
    let job = keeper.plan(NEXT_HOUR).unwrap();
    assert!(matches!(keeper.run(&job, &AtomicBool::new(true)), Err(KeepError::Stopped)));
    no_strays(dir.path());
    assert_eq!(parts(dir.path()).len(), 3);
}

#[test]
fn a_damaged_source_is_left_alone_and_reported_and_the_others_are_merged() {
    for damage in [0usize, 1, 2] {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = cuts(dir.path(), 4, |_| Ok(()));
        let victim = parts(dir.path())[1].clone();
        let path = dir.path().join(&victim.path);
        let mut bytes = fs::read(&path).unwrap();
        match damage {
            0 => bytes[40..200].fill(0x55),
            1 => bytes.truncate(200),
            _ => fs::remove_file(&path).unwrap(),
        }
        if damage < 2 {
            fs::write(&path, &bytes).unwrap();
        }
        let mut keeper = rest(&store);
        let job = keeper.plan(NEXT_HOUR).unwrap();
        match keeper.run(&job, &go()) {
            Err(KeepError::Damaged(Problem::Part { path, rows: 10, .. })) => assert_eq!(path, victim.path),
            other => panic!("{damage}: {other:?}"),
        }
        assert_eq!(keeper.problems().len(), 1);
        keep(&mut keeper, NEXT_HOUR);
        let left = parts(dir.path());
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left.contains(&victim), "its bytes may still be of use to somebody");
        assert_eq!(left.iter().map(|part| part.rows).sum::<u64>(), 40);
        // It is found at the next start, too.
        drop((keeper, store));
        let (store, recovery) = open(dir.path());
        let mut keeper = rest(&store);
        if damage == 0 {
            assert!(matches!(keeper.run(&keeper.plan(NEXT_HOUR).unwrap(), &go()), Err(KeepError::Damaged(_))));
        } else {
            assert!(matches!(&recovery.problems[..], [Problem::Part { .. }]));
        }
        assert_eq!(keeper.plan(NEXT_HOUR), None);
    }
}
