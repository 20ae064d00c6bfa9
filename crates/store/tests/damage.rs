//! Folders that something else than this program, or a bad disk, has been at.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use common::{cut, files, flows, open, part, stored, visible};
use finderscope_flow::Table;
use finderscope_store::{Options, Problem, Snapshot, Store, StoreError};

/// Three cuts of ten rows on shard 0, and between them one on shard 1. The parts' paths.
fn three_cuts(dir: &Path) -> Vec<String> {
    let (store, _) = Store::open(dir, Options { shards: 2, ..Options::default() }).unwrap();
    let (mut writer, mut other) = (store.writer(0).unwrap(), store.writer(1).unwrap());
    let mut paths = Vec::new();
    for n in 0..3 {
        writer.write(Table::Flows, flows(n * 10..n * 10 + 10)).unwrap();
        let committed = cut(&mut writer, n * 10 + 10, Some((n * 10 + 10, b"state"))).unwrap();
        paths.push(part(&committed).path.clone());
        cut(&mut other, n + 1, None).unwrap();
    }
    paths
}

fn reopen(dir: &Path) -> (Store, finderscope_store::Recovery) {
    Store::open(dir, Options { shards: 2, ..Options::default() }).unwrap()
}

#[test]
fn a_damaged_or_missing_part_is_one_line_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let paths = three_cuts(dir.path());
    let file = fs::OpenOptions::new().write(true).open(dir.path().join(&paths[0])).unwrap();
    file.set_len(100).unwrap();
    fs::remove_file(dir.path().join(&paths[1])).unwrap();
    for _ in 0..2 {
        let (_store, recovery) = reopen(dir.path());
        let lines: Vec<_> = recovery.problems.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].starts_with(&format!("part {} (10 rows): it has 100 bytes and should have", paths[0])),
            "{lines:?}"
        );
        assert!(lines[1].starts_with(&format!("part {} (10 rows): No such file", paths[1])), "{lines:?}");
        assert_eq!(recovery.shards[0].position, 30);
    }
    let snapshot = Snapshot::read(dir.path()).unwrap();
    let good: Vec<_> = snapshot.parts(Table::Flows).filter(|part| snapshot.check(part).is_none()).collect();
    assert_eq!((good.len(), &good[0].path), (1, &paths[2]));
}

/// Damages a byte in the middle of a line, counted from 0.
fn damage_line(dir: &Path, line: usize) {
    let path = dir.join("manifest");
    let mut text = fs::read(&path).unwrap();
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1))
        .collect();
    let middle = starts[line].midpoint(starts[line + 1]);
    text[middle] ^= 1;
    fs::write(path, text).unwrap();
}

#[test]
fn a_damaged_line_in_the_middle_is_named_and_its_parts_count_again() {
    // Lines: store, then commits of shard 0 and 1 in turn.
    for (line, rows) in [(1, 0), (3, 1), (5, 2)] {
        let dir = tempfile::tempdir().unwrap();
        let paths = three_cuts(dir.path());
        damage_line(dir.path(), line);
        // A reader says so too, and shows the rest.
        let snapshot = Snapshot::read(dir.path()).unwrap();
        let named = Problem::Manifest { line: line as u64 + 1, why: "its checksum is wrong".into() };
        assert_eq!(snapshot.problems(), std::slice::from_ref(&named));
        assert_eq!(stored(dir.path()).len(), 20);
        let (store, recovery) = reopen(dir.path());
        assert_eq!(recovery.problems[..2], [named, Problem::Found { path: paths[rows].clone(), rows: 10 }]);
        assert_eq!((recovery.shards[0].position, recovery.shards[1].position), (30, 3));
        assert_eq!((stored(dir.path()), visible(dir.path())), ((0..30).collect(), (0..30).collect()));
        let again = store.parts();
        assert!(again.iter().all(|part| part.sums.is_some() && part.rows == 10));
        drop(store);
        // What was damaged is kept, and the new manifest is sound.
        assert_eq!(files(&dir.path().join("unnamed")).len(), 1);
        assert_eq!(reopen(dir.path()).1.problems, []);
    }
}

#[test]
fn parts_that_a_damaged_last_line_may_have_named_are_set_aside_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let paths = {
        let (store, _) = open(dir.path());
        let mut writer = store.writer(0).unwrap();
        let paths = (0..2u64).map(|n| {
            writer.write(Table::Flows, flows(n * 10..n * 10 + 10)).unwrap();
            part(&cut(&mut writer, n * 10 + 10, None).unwrap()).path.clone()
        });
        paths.collect::<Vec<_>>()
    };
    damage_line(dir.path(), 2);
    let (_store, recovery) = open(dir.path());
    let aside = Problem::SetAside { path: paths[1].clone(), to: format!("unnamed/{}", paths[1]) };
    assert_eq!(recovery.problems[1..], [aside]);
    assert_eq!((recovery.shards[0].position, visible(dir.path())), (10, (0..10).collect()));
    assert!(dir.path().join("unnamed").join(&paths[1]).exists());
}

#[test]
fn a_manifest_that_is_gone_is_not_taken_for_a_new_folder() {
    let dir = tempfile::tempdir().unwrap();
    three_cuts(dir.path());
    fs::remove_file(dir.path().join("manifest")).unwrap();
    let error = Store::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::ManifestMissing { parts: 3, .. }), "{error}");
    assert_eq!(visible(dir.path()).len(), 30);
}

#[test]
fn a_later_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let body = r#"{"record":"store","format":2,"shards":1"#;
    let line = format!("{body},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(body.as_bytes()));
    fs::write(dir.path().join("manifest"), line).unwrap();
    assert!(matches!(Store::open(dir.path(), Options::default()), Err(StoreError::Format { found: 2, known: 1 })));
    assert!(matches!(Snapshot::read(dir.path()), Err(StoreError::Format { found: 2, known: 1 })));
}

#[test]
fn a_damaged_state_is_a_problem_and_the_rows_go_on() {
    let dir = tempfile::tempdir().unwrap();
    three_cuts(dir.path());
    let state = files(&dir.path().join("state")).remove(0);
    fs::write(&state, b"different").unwrap();
    let (_store, recovery) = reopen(dir.path());
    let [Problem::State { shard: 0, why, .. }] = &recovery.problems[..] else { panic!("{:?}", recovery.problems) };
    assert_eq!(why, "its checksum is wrong");
    assert_eq!((recovery.shards[0].state.as_ref(), recovery.shards[0].position), (None, 30));
}

#[test]
fn files_of_others_are_left_alone_and_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let paths = three_cuts(dir.path());
    let hour = Path::new(&paths[0]).parent().unwrap().to_str().unwrap().to_owned();
    let strangers = [format!("{hour}/mine.parquet"), "flows/notes.txt".to_owned(), "flows/day=2026-01-01/x".to_owned()];
    for stranger in &strangers {
        fs::write(dir.path().join(stranger), b"").unwrap();
    }
    // One of ours that was never recorded goes.
    let leftover = dir.path().join(&hour).join("0-000000000000001e-000000000000001f-9.parquet");
    fs::write(&leftover, b"").unwrap();
    let (_store, recovery) = reopen(dir.path());
    assert_eq!(recovery.problems.len(), 3);
    for stranger in strangers {
        assert!(recovery.problems.contains(&Problem::Stranger { path: stranger.clone() }), "{stranger}");
        assert!(dir.path().join(stranger).exists());
    }
    assert!(!leftover.exists());
}

/// Merged parts come into their place after their record: a crash in between is finished at the next open.
#[test]
fn a_merge_that_a_crash_stopped_is_finished_with_no_row_twice() {
    let dir = tempfile::tempdir().unwrap();
    let paths = three_cuts(dir.path());
    let (place, size) = (dir.path().join(&paths[0]), fs::metadata(dir.path().join(&paths[0])).unwrap().len());
    let folder = Path::new(&paths[0]).parent().unwrap().to_str().unwrap();
    fs::copy(&place, dir.path().join("incoming/merged-1.parquet")).unwrap();
    let part = format!(
        r#"{{"path":"{folder}/merged-1.parquet","table":"flows","rows":10,"file_bytes":{size},"min_received_ns":0,"max_received_ns":1}}"#
    );
    let body =
        format!(r#"{{"record":"replace","cause":"merge","time_ns":0,"removed":["{}"],"parts":[{part}]"#, paths[0]);
    let line = format!("{body},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(body.as_bytes()));
    let manifest = dir.path().join("manifest");
    let text = fs::read_to_string(&manifest).unwrap() + &line;
    fs::write(&manifest, text).unwrap();
    // A reader sees the merged rows where they wait, and never the sources beside them.
    assert_eq!(stored(dir.path()), (0..30).collect::<Vec<_>>());
    let (_store, recovery) = reopen(dir.path());
    assert_eq!(recovery.problems, []);
    assert!(!place.exists());
    assert_eq!((stored(dir.path()), visible(dir.path())), ((0..30).collect(), (0..30).collect()));
}
