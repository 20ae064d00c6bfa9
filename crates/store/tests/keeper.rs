//! Merging and retention: every row once, whatever happens at any step.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::{HOUR_NS, START_NS, bare, copy, cut, disk_full, files, flows, flows_at, open, stored, visible};
use finderscope_flow::Table;
use finderscope_store::keeper::{Done, Job, KeepError, Keeper, Now, Rules};
use finderscope_store::{Options, Part, Probe, Problem, Snapshot, Step, Store};

/// Every step of a merge, in its order, and whether the merged part counts there.
const STEPS: [(Step, bool); 6] = [
    (Step::Write, false),
    (Step::MergeSynced, false),
    (Step::RecordWritten, true),
    (Step::Recorded, true),
    (Step::SourcesRemoved, true),
    (Step::Swapped, true),
];
/// In the middle of the second hour.
const NEXT_HOUR: Now = Now { wall_ns: START_NS + HOUR_NS * 3 / 2, is_steady: false };

fn go() -> AtomicBool {
    AtomicBool::new(false)
}

/// A store with `parts` parts of ten rows each, and `at` called at the steps of what comes then.
fn cuts(
    dir: &Path,
    parts: u64,
    at: impl Fn(Step) -> io::Result<()> + Send + Sync + 'static,
) -> (Store, Arc<AtomicBool>) {
    let armed = Arc::new(AtomicBool::new(false));
    let on = Arc::clone(&armed);
    let probe = Probe::new(move |step| if on.load(Ordering::SeqCst) { at(step) } else { Ok(()) });
    let (store, _) = Store::open(dir, Options { probe, ..Options::default() }).unwrap();
    let mut writer = store.writer(0).unwrap();
    for part in 0..parts {
        writer.write(Table::Flows, flows(part * 10..part * 10 + 10)).unwrap();
        cut(&mut writer, part * 10 + 10, None).unwrap();
    }
    (store, armed)
}

fn rest(store: &Store) -> Keeper {
    Keeper::new(store.clone(), Rules::default().at_rest())
}

/// Does all there is to do.
fn keep(keeper: &mut Keeper, now: Now) -> Vec<Done> {
    let mut done = Vec::new();
    while let Some(job) = keeper.plan(now) {
        done.push(keeper.run(&job, &go()).unwrap());
    }
    done
}

fn parts(dir: &Path) -> Vec<Arc<Part>> {
    Snapshot::read(dir).unwrap().parts(Table::Flows).cloned().collect()
}

/// Opens a folder after a crash: all rows once, for us and for others, and nothing that does not count.
fn check_all(dir: &Path, rows: u64, merged: bool) {
    let (store, recovery) = open(dir);
    assert_eq!(recovery.problems, []);
    assert_eq!((stored(dir), visible(dir)), ((0..rows).collect(), (0..rows).collect()));
    let parts = parts(dir);
    assert_eq!(parts.iter().all(|part| part.origin.is_none()), merged, "{parts:?}");
    no_strays(dir);
    // And it goes on from there.
    keep(&mut rest(&store), NEXT_HOUR);
    assert_eq!((visible(dir), self::parts(dir).len()), ((0..rows).collect(), 1));
    no_strays(dir);
}

fn no_strays(dir: &Path) {
    assert_eq!(files(&dir.join("incoming")), [""; 0]);
    let snapshot = Snapshot::read(dir).unwrap();
    let named: BTreeSet<String> = Table::ALL
        .iter()
        .flat_map(|&table| snapshot.parts(table))
        .flat_map(|part| [Some(part.path.clone()), part.index.as_ref().map(|index| index.path.clone())])
        .flatten()
        .chain(snapshot.totals().map(|totals| totals.path.clone()))
        .collect();
    let there = ["flows", "counters", "drops", "events", "options", "index", "totals"].iter().flat_map(|folder| {
        files(&dir.join(folder))
            .into_iter()
            .map(|path| path.strip_prefix(dir.to_str().unwrap()).unwrap()[1..].to_owned())
    });
    assert_eq!(there.collect::<BTreeSet<_>>(), named);
}

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

#[test]
fn a_running_hour_gathers_and_one_that_is_over_is_merged_when_it_is_quiet() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = cuts(dir.path(), 7, |_| Ok(()));
    let rules = Rules { gather_parts: 8, ..Rules::default() };
    let mut keeper = Keeper::new(store.clone(), rules);
    let now = Now { wall_ns: START_NS + HOUR_NS / 2, is_steady: true };
    assert_eq!(keeper.plan(now), None);
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(70..80)).unwrap();
    cut(&mut writer, 80, None).unwrap();
    assert_eq!(keep(&mut keeper, now).len(), 1);
    writer.write(Table::Flows, flows(80..90)).unwrap();
    cut(&mut writer, 90, None).unwrap();
    // The clock of this test is behind that of the records: as after a jump, nothing is waited for.
    let late = Now { wall_ns: START_NS + HOUR_NS + 30_000_000_000, is_steady: true };
    assert_eq!(keeper.plan(late), None, "rows of the last seconds may be on their way");
    assert_eq!(keep(&mut keeper, NEXT_HOUR).len(), 1);
    assert_eq!((parts(dir.path()).len(), visible(dir.path())), (1, (0..90).collect()));
}

#[test]
fn what_was_added_lately_is_waited_for_and_the_clock_going_back_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = cuts(dir.path(), 2, |_| Ok(()));
    let keeper = Keeper::new(store, Rules::default());
    // The records bear this machine's time, which is long after the rows'.
    let added = jiff::Timestamp::now().as_nanosecond() as i64;
    assert_eq!(keeper.plan(Now { wall_ns: added + 60_000_000_000, is_steady: true }), None);
    assert!(keeper.plan(Now { wall_ns: added + 180_000_000_000, is_steady: true }).is_some());
    assert!(keeper.plan(Now { wall_ns: START_NS - 9 * HOUR_NS, is_steady: false }).is_some(), "an hour of the future");
}

#[test]
fn a_part_that_is_too_large_becomes_several() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(0..100)).unwrap();
    cut(&mut writer, 1, None).unwrap();
    let mut keeper = Keeper::new(store.clone(), Rules { part_rows: 30, ..Rules::default().at_rest() });
    keeper.run(&keeper.plan(NEXT_HOUR).unwrap(), &go()).unwrap();
    let rows: Vec<u64> = parts(dir.path()).iter().map(|part| part.rows).collect();
    assert_eq!((rows, visible(dir.path())), (vec![30, 30, 30, 10], (0..100).collect()));
    keep(&mut keeper, NEXT_HOUR);
    no_strays(dir.path());
}

#[test]
fn rows_are_rewritten_about_twice_however_they_trickle_in() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    let rules = Rules { gather_parts: 4, part_rows: 1_000_000, ..Rules::default() };
    let mut keeper = Keeper::new(store.clone(), rules.clone());
    let now = Now { wall_ns: START_NS + HOUR_NS / 2, is_steady: true };
    let mut rewritten = 0;
    for n in 0..40 {
        writer.write(Table::Flows, flows(n * 10..n * 10 + 10)).unwrap();
        cut(&mut writer, n + 1, None).unwrap();
        rewritten += keep(&mut keeper, now).iter().map(|done| done.rows).sum::<u64>();
    }
    keeper.set_rules(rules.at_rest());
    rewritten += keep(&mut keeper, NEXT_HOUR).iter().map(|done| done.rows).sum::<u64>();
    assert_eq!((rewritten, parts(dir.path()).len(), visible(dir.path())), (800, 1, (0..400).collect()));
}

#[test]
fn every_table_and_hour_is_merged_for_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    for position in 1..4 {
        for table in Table::ALL {
            for hour in 0..3 {
                writer.write(table, bare(table, START_NS + hour * HOUR_NS + position as i64)).unwrap();
            }
        }
        cut(&mut writer, position, None).unwrap();
    }
    let mut keeper = rest(&store);
    // And one job more joins the totals of the day.
    assert_eq!(keep(&mut keeper, NEXT_HOUR).len(), Table::ALL.len() * 3 + 1);
    let stats = store.stats();
    assert!(stats.tables.values().all(|table| (table.parts, table.merged_parts, table.rows) == (3, 3, 9)), "{stats:?}");
    no_strays(dir.path());
}

#[test]
fn rows_go_on_coming_while_a_merge_is_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let writing: Arc<Mutex<Option<finderscope_store::ShardWriter>>> = Arc::default();
    let other = Arc::clone(&writing);
    let (store, armed) = cuts(dir.path(), 2, move |step| {
        if step == Step::MergeSynced
            && let Some(mut writer) = other.lock().unwrap().take()
        {
            writer.write(Table::Flows, flows(20..30)).unwrap();
            cut(&mut writer, 30, None).unwrap();
        }
        Ok(())
    });
    *writing.lock().unwrap() = Some(store.writer(0).unwrap());
    armed.store(true, Ordering::SeqCst);
    let mut keeper = rest(&store);
    keeper.run(&keeper.plan(NEXT_HOUR).unwrap(), &go()).unwrap();
    assert_eq!((parts(dir.path()).len(), visible(dir.path())), (2, (0..30).collect()));
    drop((keeper, store));
    check_all(dir.path(), 30, false);
}

/// A store with a part of ten rows in each of `hours` hours.
fn hourly(dir: &Path, hours: i64) -> Store {
    let (store, _) = open(dir);
    let mut writer = store.writer(0).unwrap();
    for hour in 0..hours {
        let rows = (0..10).map(|row| (START_NS + hour * HOUR_NS + row, (hour * 10 + row) as u64));
        writer.write(Table::Flows, flows_at(rows)).unwrap();
        cut(&mut writer, hour as u64 + 1, None).unwrap();
    }
    store
}

fn hours_kept(dir: &Path) -> Vec<i64> {
    parts(dir).iter().map(|part| (part.min_received_ns - START_NS) / HOUR_NS).collect()
}

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

/// When the first day is over.
const NEXT_DAY: Now = Now { wall_ns: START_NS + 25 * HOUR_NS, is_steady: false };

fn totals(dir: &Path) -> Vec<Arc<finderscope_store::Totals>> {
    Snapshot::read(dir).unwrap().totals().cloned().collect()
}

#[test]
fn merged_flows_have_an_index_and_totals_which_go_with_them() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = cuts(dir.path(), 3, |_| Ok(()));
    let mut keeper = rest(&store);
    keep(&mut keeper, NEXT_HOUR);
    let [merged] = &parts(dir.path())[..] else { panic!() };
    let first = totals(dir.path());
    assert_eq!(first.len(), 1);
    assert_eq!((&first[0].of, first[0].rows), (&vec![merged.path.clone()], 30));
    assert_eq!((first[0].min_received_ns, first[0].max_received_ns), (merged.min_received_ns, merged.max_received_ns));
    let index = merged.index.clone().unwrap();
    assert_eq!(fs::metadata(dir.path().join(&index.path)).unwrap().len(), index.file_bytes);
    // What comes late is merged with it; both are made anew.
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(30..40)).unwrap();
    cut(&mut writer, 40, None).unwrap();
    keep(&mut keeper, NEXT_HOUR);
    let second = totals(dir.path());
    assert_eq!((second.len(), second[0].rows, second[0].path == first[0].path), (1, 40, false));
    no_strays(dir.path());
    // A file beside a part can be lost without harm, and a file of totals, too.
    fs::remove_file(dir.path().join(&second[0].path)).unwrap();
    fs::write(dir.path().join(parts(dir.path())[0].index.as_ref().unwrap().path.clone()), "short").unwrap();
    drop((keeper, writer, store));
    let (_store, recovery) = open(dir.path());
    assert!(
        matches!(&recovery.problems[..], [Problem::Companion { .. }, Problem::Totals { .. }]),
        "{:?}",
        recovery.problems
    );
    assert_eq!(stored(dir.path()), (0..40).collect::<Vec<_>>());
}

#[test]
fn a_days_totals_become_one_when_it_is_over_and_stand_for_all_its_parts() {
    let dir = tempfile::tempdir().unwrap();
    let store = hourly(dir.path(), 24);
    let mut keeper = Keeper::new(store.clone(), Rules { quiet_ns: 0, ..Rules::default() });
    let before_midnight = Now { wall_ns: START_NS + 23 * HOUR_NS + HOUR_NS / 2, is_steady: false };
    keep(&mut keeper, before_midnight);
    assert_eq!((totals(dir.path()).len(), parts(dir.path()).len()), (23, 24));
    keep(&mut keeper, NEXT_DAY);
    let [day] = &totals(dir.path())[..] else { panic!("{:?}", totals(dir.path())) };
    let all: BTreeSet<_> = parts(dir.path()).iter().map(|part| part.path.clone()).collect();
    assert_eq!((day.of.iter().cloned().collect::<BTreeSet<_>>(), day.of.len(), day.rows), (all, 24, 240));
    no_strays(dir.path());
    // What comes late has totals of its own, and leaves the day's parts alone.
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(0..10)).unwrap();
    cut(&mut writer, 1_000, None).unwrap();
    keep(&mut keeper, NEXT_DAY);
    assert_eq!((totals(dir.path()).len(), parts(dir.path()).len()), (2, 25));
    assert!(totals(dir.path()).contains(day));
    let of_late: Vec<_> = totals(dir.path()).iter().filter(|late| late.path != day.path).cloned().collect();
    assert_eq!((of_late[0].of.len(), of_late[0].rows), (1, 10));
    no_strays(dir.path());
}

#[test]
fn a_crash_at_any_step_of_joining_totals_leaves_each_flow_in_one_file_of_totals() {
    let dir = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let merged = hourly(dir.path(), 3);
    let mut keeper = Keeper::new(merged, Rules { quiet_ns: 0, ..Rules::default() });
    keep(&mut keeper, Now { wall_ns: START_NS + 4 * HOUR_NS, is_steady: false });
    drop(keeper);
    let (from, to) = (dir.path().to_owned(), copies.path().to_owned());
    let probe = Probe::new(move |step| {
        copy(&from, &to.join(format!("{step:?}")));
        Ok(())
    });
    let (store, _) = Store::open(dir.path(), Options { probe, ..Options::default() }).unwrap();
    assert_eq!(totals(dir.path()).len(), 3);
    keep(&mut rest(&store), NEXT_DAY);
    for (step, files) in
        [("MergeSynced", 3), ("RecordWritten", 1), ("Recorded", 1), ("SourcesRemoved", 1), ("Swapped", 1)]
    {
        let crashed = copies.path().join(step);
        let (_store, recovery) = open(&crashed);
        assert_eq!((recovery.problems, totals(&crashed).len()), (vec![], files), "{step}");
        assert_eq!(totals(&crashed).iter().map(|file| file.rows).sum::<u64>(), 30, "{step}");
        no_strays(&crashed);
    }
}

#[test]
fn totals_outlive_their_parts_where_they_are_kept_longer() {
    let dir = tempfile::tempdir().unwrap();
    let store = hourly(dir.path(), 24);
    let rules = Rules { keep_ns: Some(HOUR_NS), keep_totals_ns: Some(100 * HOUR_NS), ..Rules::default().at_rest() };
    let mut keeper = Keeper::new(store.clone(), Rules::default().at_rest());
    keep(&mut keeper, NEXT_DAY);
    keeper.set_rules(rules.clone());
    let later = |hours| Now { wall_ns: START_NS + hours * HOUR_NS, is_steady: true };
    keep(&mut keeper, later(50));
    assert_eq!((parts(dir.path()).len(), totals(dir.path()).len()), (0, 1));
    no_strays(dir.path());
    keep(&mut keeper, later(125));
    assert_eq!((parts(dir.path()).len(), totals(dir.path()).len()), (0, 0));
    // By size they go last.
    keeper.set_rules(Rules { max_bytes: Some(1), ..Rules::default() });
    assert_eq!(keeper.plan(later(200)), None);
    drop((keeper, store));
    check_empty(dir.path());
}

fn check_empty(dir: &Path) {
    let (_store, recovery) = open(dir);
    assert_eq!(recovery.problems, []);
    assert!(files(&dir.join("totals")).is_empty() && files(&dir.join("flows")).is_empty());
}

#[test]
fn a_damaged_file_of_totals_is_left_alone_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let store = hourly(dir.path(), 3);
    let mut keeper = rest(&store);
    let merge = |keeper: &mut Keeper| {
        while let Some(job @ Job::Merge { .. }) = keeper.plan(NEXT_DAY) {
            keeper.run(&job, &go()).unwrap();
        }
    };
    merge(&mut keeper);
    let victim = totals(dir.path())[1].clone();
    fs::write(dir.path().join(&victim.path), "no Parquet").unwrap();
    let job = keeper.plan(NEXT_DAY).unwrap();
    match keeper.run(&job, &go()) {
        Err(KeepError::Damaged(Problem::Totals { path, .. })) => assert_eq!(path, victim.path),
        other => panic!("{other:?}"),
    }
    keep(&mut keeper, NEXT_DAY);
    assert_eq!(totals(dir.path()).len(), 2);
    assert!(totals(dir.path()).contains(&victim));
}

/// What a reader finds who lists the folder, then opens what it has listed; nothing where a file was gone by then.
fn by_listing(dir: &Path) -> Option<Vec<u64>> {
    use arrow::array::AsArray;
    use arrow::datatypes::UInt64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let mut numbers = Vec::new();
    for path in files(&dir.join("flows")) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).ok()?).unwrap();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let column = batch.column_by_name("bytes").unwrap();
            numbers.extend_from_slice(column.as_primitive::<UInt64Type>().values());
        }
    }
    numbers.sort_unstable();
    Some(numbers)
}

#[test]
fn a_reader_of_the_folder_never_meets_a_row_twice_while_parts_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    let mut keeper = Keeper::new(store.clone(), Rules { gather_parts: 3, ..Rules::default() });
    let done = Arc::new(AtomicBool::new(false));
    let (path, ended) = (dir.path().to_owned(), Arc::clone(&done));
    let reader = std::thread::spawn(move || {
        let (mut whole, mut missed) = (0, 0);
        while !ended.load(Ordering::SeqCst) || whole == 0 {
            match by_listing(&path) {
                Some(rows) => {
                    assert!(rows.is_sorted_by(|a, b| a < b), "a row twice: {rows:?}");
                    whole += 1;
                }
                None => missed += 1,
            }
        }
        (whole, missed)
    });
    let running = Now { wall_ns: START_NS + HOUR_NS / 2, is_steady: true };
    for n in 0..60 {
        writer.write(Table::Flows, flows(n * 10..n * 10 + 10)).unwrap();
        cut(&mut writer, n + 1, None).unwrap();
        keep(&mut keeper, running);
        if n % 15 == 14 {
            keeper.set_rules(Rules { gather_parts: 3, ..Rules::default().at_rest() });
            keep(&mut keeper, running);
            keeper.set_rules(Rules { gather_parts: 3, ..Rules::default() });
        }
    }
    done.store(true, Ordering::SeqCst);
    let (whole, _missed) = reader.join().unwrap();
    assert!(whole > 0);
    assert_eq!(visible(dir.path()), (0..600).collect::<Vec<_>>());
}

/// A file system of its own, taken away at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(dir.path());
        let mounted = mount.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success());
        mounted.then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg(self.0.path()).status().ok();
    }
}

#[test]
fn a_full_disk_lets_a_merge_wait_and_harms_nothing() {
    let Some(disk) = SmallDisk::new("8m") else { return common::skip("only root may mount a small disk") };
    let dir = disk.0.path().join("data");
    let (store, _) = cuts(&dir, 5, |_| Ok(()));
    let mut keeper = rest(&store);
    let job = keeper.plan(NEXT_HOUR).unwrap();
    let ballast = disk.0.path().join("ballast");
    fs::write(&ballast, vec![0; 7_900_000]).unwrap();
    match keeper.run(&job, &go()) {
        Err(KeepError::NoRoom { needed_bytes, free_bytes }) => assert!(free_bytes < needed_bytes),
        other => panic!("{other:?}"),
    }
    assert_eq!((stored(&dir), visible(&dir)), ((0..50).collect(), (0..50).collect()));
    no_strays(&dir);
    fs::remove_file(&ballast).unwrap();
    keep(&mut keeper, NEXT_HOUR);
    drop((keeper, store));
    check_all(&dir, 50, true);
}
