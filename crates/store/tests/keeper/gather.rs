//! When parts are merged, and which.

use super::*;

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
