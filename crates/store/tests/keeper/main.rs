//! Merging and retention: every row once, whatever happens at any step.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beside;
#[path = "../common/mod.rs"]
mod common;
mod gather;
mod merge;
mod remove;
mod totals;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::{HOUR_NS, START_NS, armed, bare, copy, cut, disk_full, files, flows, flows_at, open, stored, visible};
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
    let (armed, probe) = armed(at);
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
