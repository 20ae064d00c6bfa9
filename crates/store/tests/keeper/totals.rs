//! Indexes and totals: made with merged parts, joined when the day is over, and gone with them.

use super::*;

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
