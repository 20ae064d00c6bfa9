//! Retention: what goes, when, and what a clock has to do with it.

use super::*;

#[test]
fn what_is_too_old_goes_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = hourly(dir.path(), 30);
    let rules = Rules { keep_ns: Some(26 * HOUR_NS), ..Rules::default() };
    let mut keeper = Keeper::new(store.clone(), rules);
    let now = Now { wall_ns: START_NS + 30 * HOUR_NS - 1, is_steady: false };
    let job = keeper.plan(now).unwrap();
    let done = keeper.run(&job, &go()).unwrap();
    assert_eq!((done.removed, done.rows, done.bytes_after), (4, 40, 0));
    assert_eq!(hours_kept(dir.path()), (4..30).collect::<Vec<_>>());
    no_strays(dir.path());
    assert!(!dir.path().join("flows/day=2026-01-01/hour=03").exists(), "empty folders go, too");
    assert!(dir.path().join("flows/day=2026-01-01/hour=04").exists());
}

#[test]
fn a_clock_that_jumps_ahead_by_years_removes_nothing_until_it_is_borne_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = hourly(dir.path(), 30);
    let rules = Rules { keep_ns: Some(60 * HOUR_NS), ..Rules::default().at_rest() };
    let mut keeper = Keeper::new(store.clone(), rules);
    keep(&mut keeper, NEXT_HOUR);
    let years = 10 * 365 * 24;
    let ahead = |hours: i64| Now { wall_ns: START_NS + (years + hours) * HOUR_NS, is_steady: false };
    assert_eq!(keeper.plan(ahead(0)), None);
    // Rows that come under the new clock do not make it right, until there are 24 hours of them.
    let mut writer = store.writer(0).unwrap();
    for hour in 0..24 {
        writer.write(Table::Flows, flows_at([(ahead(hour).wall_ns, 1_000)])).unwrap();
        cut(&mut writer, 100 + hour as u64, None).unwrap();
        keep(&mut keeper, ahead(hour));
        let kept = hours_kept(dir.path()).iter().filter(|&&kept| kept < years).count();
        assert_eq!(kept, if hour < 23 { 30 } else { 0 }, "{hour}");
    }
    // And one that goes back removes nothing.
    let before = parts(dir.path()).len();
    keep(&mut keeper, NEXT_HOUR);
    assert_eq!(parts(dir.path()).len(), before);
}

#[test]
fn a_clock_that_is_known_to_be_right_is_believed_although_nothing_is_received() {
    let dir = tempfile::tempdir().unwrap();
    let store = hourly(dir.path(), 3);
    let mut keeper = Keeper::new(store, Rules { keep_ns: Some(HOUR_NS), ..Rules::default().at_rest() });
    let later = |is_steady| Now { wall_ns: START_NS + 1_000 * HOUR_NS, is_steady };
    keep(&mut keeper, later(false));
    // One hour is kept, so the last with rows counts as now.
    assert_eq!(hours_kept(dir.path()), [2]);
    keep(&mut keeper, later(true));
    assert_eq!(parts(dir.path()), []);
}

#[test]
fn the_oldest_hours_go_when_the_store_is_too_large() {
    let dir = tempfile::tempdir().unwrap();
    let store = hourly(dir.path(), 10);
    let bytes: u64 = parts(dir.path()).iter().map(|part| part.file_bytes).sum();
    let rules = Rules { max_bytes: Some(bytes * 6 / 10 + 20), ..Rules::default() };
    let mut keeper = Keeper::new(store, rules);
    let job = keeper.plan(NEXT_HOUR).unwrap();
    assert!(matches!(job, Job::Remove { .. }));
    keeper.run(&job, &go()).unwrap();
    assert_eq!(hours_kept(dir.path()), (4..10).collect::<Vec<_>>());
    assert!(!matches!(keeper.plan(NEXT_HOUR), Some(Job::Remove { .. })));
    no_strays(dir.path());
}

#[test]
fn a_crash_at_any_step_of_a_removal_leaves_all_of_it_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    drop(hourly(dir.path(), 30));
    let (from, to) = (dir.path().to_owned(), copies.path().to_owned());
    let probe = Probe::new(move |step| {
        copy(&from, &to.join(format!("{step:?}")));
        Ok(())
    });
    let (store, _) = Store::open(dir.path(), Options { probe, ..Options::default() }).unwrap();
    let mut keeper = Keeper::new(store, Rules { keep_ns: Some(26 * HOUR_NS), ..Rules::default() });
    let now = Now { wall_ns: START_NS + 30 * HOUR_NS - 1, is_steady: false };
    keeper.run(&keeper.plan(now).unwrap(), &go()).unwrap();
    let crashed = copies.path().join("RecordWritten");
    let (_store, recovery) = open(&crashed);
    assert_eq!(recovery.problems, []);
    assert_eq!(hours_kept(&crashed), (4..30).collect::<Vec<_>>());
    no_strays(&crashed);
}
