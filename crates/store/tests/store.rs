//! Writing, cutting, opening again, reading beside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{HOUR_NS, START_NS, bare, copy, cut, files, flows, flows_at, open, part, read_part, stored, visible};
use finderscope_flow::{Column, Table};
use finderscope_store::{Cause, Options, Snapshot, Store, StoreError, Sums};
use proptest::prelude::*;

#[test]
fn what_was_cut_is_there_after_opening_again_and_what_was_not_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (store, recovery) = open(dir.path());
    assert_eq!((recovery.shards[0].position, &recovery.shards[0].state), (0, &None));
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(0..10)).unwrap();
    let committed = cut(&mut writer, 5, Some((4, b"state"))).unwrap();
    assert_eq!((committed.position, committed.needed_from), (5, 4));
    writer.write(Table::Flows, flows(10..20)).unwrap();
    let crashed = tempfile::tempdir().unwrap();
    copy(dir.path(), crashed.path());
    drop((writer, store));
    for dir in [dir.path(), crashed.path()] {
        let (store, recovery) = open(dir);
        assert_eq!(recovery.problems, []);
        assert_eq!((recovery.shards[0].position, &recovery.shards[0].state), (5, &Some((4, b"state".to_vec()))));
        assert_eq!(stored(dir), (0..10).collect::<Vec<_>>());
        assert_eq!(files(&dir.join("incoming")), [""; 0]);
        drop(store);
    }
}

#[test]
fn a_second_open_is_refused_by_name_and_a_later_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { command: "finderscope serve\n--data x".into(), ..Options::default() };
    let (store, _) = Store::open(dir.path(), options).unwrap();
    let writer = store.writer(0).unwrap();
    drop(store);
    let error = Store::open(dir.path(), Options::default()).unwrap_err();
    let StoreError::Locked { pid, command } = &error else { panic!("{error}") };
    assert_eq!((*pid, command.as_str()), (std::process::id(), "finderscope serve --data x"));
    assert!(error.to_string().contains("in use by process"));
    drop(writer);
    open(dir.path());
}

#[test]
fn a_part_of_a_million_rows_is_closed_and_counts_with_the_cut_as_what_follows_it() {
    const PIECE: u64 = 400_000;
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    for piece in 0..3 {
        writer.write(Table::Flows, flows(piece * PIECE..(piece + 1) * PIECE)).unwrap();
    }
    writer.write(Table::Flows, flows(3 * PIECE..3 * PIECE + 10)).unwrap();
    assert!(visible(dir.path()).is_empty());
    let mut rows: Vec<u64> = cut(&mut writer, 1, None).unwrap().parts.iter().map(|part| part.rows).collect();
    rows.sort_unstable();
    assert_eq!(rows, [10, 3 * PIECE]);
    assert_eq!(stored(dir.path()).len() as u64, 3 * PIECE + 10);
}

#[test]
fn a_shard_has_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let writer = store.writer(0).unwrap();
    assert!(matches!(store.writer(0), Err(StoreError::NoShard { shard: 0, shards: 1 })));
    assert!(matches!(store.writer(1), Err(StoreError::NoShard { shard: 1, shards: 1 })));
    drop(writer);
    store.writer(0).unwrap();
}

#[test]
fn positions_do_not_go_back_and_rows_need_new_ones() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    cut(&mut writer, 7, Some((6, b"s"))).unwrap();
    for (position, state) in [(6, None), (8, Some((9, &b"s"[..]))), (8, Some((5, &b"s"[..])))] {
        assert!(matches!(cut(&mut writer, position, state), Err(StoreError::Position { stored: 7, .. })));
    }
    assert_eq!(cut(&mut writer, 7, None).unwrap().position, 7);
    writer.write(Table::Flows, flows(0..1)).unwrap();
    assert!(matches!(cut(&mut writer, 7, None), Err(StoreError::Position { stored: 7, given: 7, .. })));
    cut(&mut writer, 8, None).unwrap();
    assert_eq!((store.position(0), stored(dir.path())), (8, vec![0]));
}

#[test]
fn a_batch_across_hours_goes_into_the_hours_of_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    let rows = [(HOUR_NS - 1, 1), (HOUR_NS, 2), (HOUR_NS - 2, 3), (25 * HOUR_NS, 4), (HOUR_NS + 1, 5)];
    writer.write(Table::Flows, flows_at(rows.map(|(time, number)| (START_NS + time, number)))).unwrap();
    writer.write(Table::Options, bare(Table::Options, START_NS)).unwrap();
    let mut parts = cut(&mut writer, 1, None).unwrap().parts;
    parts.sort_by(|a, b| a.path.cmp(&b.path));
    let found: Vec<_> = parts.iter().map(|part| (part.path.rsplit_once('/').unwrap().0, part.rows)).collect();
    assert_eq!(
        found,
        [
            ("flows/day=2026-01-01/hour=00", 2),
            ("flows/day=2026-01-01/hour=01", 2),
            ("flows/day=2026-01-02/hour=01", 1),
            ("options/day=2026-01-01/hour=00", 1)
        ]
    );
    assert_eq!(parts[0].min_received_ns, START_NS + HOUR_NS - 2);
    assert_eq!(parts[1].max_received_ns, START_NS + HOUR_NS + 1);
    assert_eq!(stored(dir.path()), [1, 2, 3, 4, 5]);
}

#[test]
fn an_import_over_many_hours_keeps_few_parts_open() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), Options { open_parts: 3, ..Options::default() }).unwrap();
    let mut writer = store.writer(0).unwrap();
    let rows = (0..100).map(|hour| (START_NS + hour as i64 * HOUR_NS, hour));
    writer.write(Table::Flows, flows_at(rows)).unwrap();
    writer.write(Table::Flows, flows_at([(START_NS, 100)])).unwrap();
    let committed = cut(&mut writer, 1, None).unwrap();
    assert_eq!((committed.parts.len(), stored(dir.path()).len()), (101, 101));
}

#[test]
fn what_is_read_back_has_times_in_utc_and_kinds_and_equals_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    let mut builder = finderscope_flow::Builder::new(Table::Flows);
    builder.time(Column::TimeReceivedNs).extend([START_NS, START_NS + 1].into_iter());
    builder.word(Column::TimeSource).push_nulls(1);
    builder.word(Column::TimeSource).push(0);
    builder.u8(Column::Proto).extend([6, 255].into_iter());
    builder.u16(Column::DstPort).extend([443, u16::MAX].into_iter());
    builder.u32(Column::SrcAs).extend([1, u32::MAX].into_iter());
    builder.u64(Column::SrcMac).extend([1, (1 << 48) - 1].into_iter());
    builder.address(Column::SrcAddr).push(&[10, 0, 0, 1]);
    builder.address(Column::SrcAddr).push(&[0x20; 16]);
    builder.text(Column::App).push("dns".as_bytes());
    builder.text(Column::App).push_nulls(1);
    builder.list(Column::AsPath).push([64_512, 1].into_iter());
    builder.list(Column::AsPath).push(std::iter::empty());
    builder.map(Column::Extra).entry("a/1", "x");
    builder.map(Column::Extra).entry("b", "");
    builder.map(Column::Extra).close();
    builder.map(Column::Extra).close();
    builder.advance(2);
    let batch = builder.finish();
    writer.write(Table::Flows, batch.clone()).unwrap();
    let committed = cut(&mut writer, 1, None).unwrap();
    let read = read_part(&dir.path().join(&part(&committed).path));
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].schema().fields(), Table::Flows.schema().fields());
    assert_eq!(read[0].columns(), batch.columns());
}

#[test]
fn every_table_takes_a_row_with_nothing_but_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    for table in Table::ALL {
        writer.write(table, bare(table, START_NS)).unwrap();
    }
    assert!(matches!(writer.write(Table::Flows, bare(Table::Drops, 0)), Err(StoreError::Schema { table: "flows" })));
    cut(&mut writer, 1, None).unwrap();
    let stats = store.stats();
    assert!(stats.tables.values().all(|table| (table.parts, table.rows) == (1, 1)));
    assert_eq!(stats.tables["drops"].span_ns, Some((START_NS, START_NS)));
    assert_eq!(stats.shards[&0].position, 1);
    assert!(stats.shards[&0].last_cut_ns.is_some());
}

#[test]
fn a_parts_sums_scale_by_the_rate_and_say_what_was_assumed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    let mut builder = finderscope_flow::Builder::new(Table::Flows);
    builder.time(Column::TimeReceivedNs).push_run(START_NS, 3);
    builder.u64(Column::Bytes).extend([100, 7, 1].into_iter());
    builder.u64(Column::Packets).push(2);
    builder.u64(Column::Packets).push_nulls(1);
    builder.u64(Column::Packets).push(5);
    builder.u64(Column::SamplingRate).push(1_000);
    builder.u64(Column::SamplingRate).push(10);
    builder.u64(Column::SamplingRate).push_nulls(1);
    builder.advance(3);
    writer.write(Table::Flows, builder.finish()).unwrap();
    let sums = part(&cut(&mut writer, 1, None).unwrap()).sums;
    let expected = Sums {
        bytes: 108,
        packets: 7,
        bytes_scaled: 100_071,
        packets_scaled: 2_005,
        bytes_assumed: 1,
        packets_assumed: 5,
    };
    assert_eq!(sums, Some(expected));
    writer.write(Table::Flows, flows_at([(START_NS, u64::MAX), (START_NS, 1)])).unwrap();
    assert_eq!(part(&cut(&mut writer, 2, None).unwrap()).sums, None);
}

#[test]
fn a_reader_follows_a_writer_and_prunes_by_time() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Snapshot::read(dir.path()), Err(StoreError::NoStore { .. })));
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    let mut snapshot = Snapshot::read(dir.path()).unwrap();
    for hour in 0..5 {
        assert!(!snapshot.refresh().unwrap());
        writer.write(Table::Flows, flows_at([(START_NS + hour * HOUR_NS, hour as u64)])).unwrap();
        assert!(!snapshot.refresh().unwrap());
        cut(&mut writer, hour as u64 + 1, None).unwrap();
        assert!(snapshot.refresh().unwrap());
        assert_eq!(snapshot.parts(Table::Flows).count() as i64, hour + 1);
    }
    let within = |since: Option<i64>, until: Option<i64>| {
        let bound = |hour: Option<i64>| hour.map(|hour| START_NS + hour * HOUR_NS);
        snapshot.parts_within(Table::Flows, bound(since), bound(until)).len()
    };
    assert_eq!(
        (within(None, None), within(Some(1), Some(3)), within(Some(4), None), within(None, Some(0))),
        (5, 2, 1, 0)
    );
    assert_eq!(snapshot.parts(Table::Drops).count(), 0);
}

#[test]
fn removed_parts_no_longer_count_and_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    let mut paths = Vec::new();
    for n in 0..3 {
        writer.write(Table::Flows, flows([n])).unwrap();
        paths.push(part(&cut(&mut writer, n + 1, None).unwrap()).path.clone());
    }
    let mut snapshot = Snapshot::read(dir.path()).unwrap();
    store.remove(Cause::Age, &paths[..2]).unwrap();
    assert!(matches!(store.remove(Cause::Age, &paths[..1]), Err(StoreError::NoPart { .. })));
    assert!(snapshot.refresh().unwrap());
    assert_eq!(snapshot.parts(Table::Flows).count(), 1);
    drop((writer, store));
    let (_store, recovery) = open(dir.path());
    assert_eq!((recovery.problems.len(), stored(dir.path()), visible(dir.path())), (0, vec![2], vec![2]));
}

#[test]
fn another_number_of_shards_begins_after_a_reshard_with_its_states() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), Options { shards: 2, ..Options::default() }).unwrap();
    for shard in 0..2 {
        let mut writer = store.writer(shard).unwrap();
        writer.write(Table::Flows, flows([u64::from(shard)])).unwrap();
        cut(&mut writer, 10 + u64::from(shard), Some((10, b"old"))).unwrap();
    }
    drop(store);
    let options = Options { shards: 1, ..Options::default() };
    let (store, recovery) = Store::open(dir.path(), options.clone()).unwrap();
    assert!(recovery.needs_reshard());
    let found: Vec<_> = recovery.shards.iter().map(|shard| (shard.position, shard.state.clone().unwrap().0)).collect();
    assert_eq!(found, [(10, 10), (11, 10)]);
    let writer = store.writer(1).unwrap();
    assert!(store.reshard(&[None]).is_err());
    drop(writer);
    store.reshard(&[Some(b"both".to_vec())]).unwrap();
    assert!(store.writer(1).is_err());
    assert_eq!(files(&dir.path().join("state")).len(), 1);
    drop(store);
    let (store, recovery) = Store::open(dir.path(), options).unwrap();
    assert!(!recovery.needs_reshard());
    assert_eq!(recovery.shards[0].state, Some((10, b"both".to_vec())));
    // A shard that comes back goes on after what it had.
    store.reshard(&[None, None]).unwrap();
    assert_eq!(store.position(1), 11);
}

#[test]
fn folders_and_files_are_not_for_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (store, _) = open(&data);
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows(0..1)).unwrap();
    cut(&mut writer, 1, Some((1, b"s"))).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    for file in files(&data).iter().map(std::path::Path::new) {
        // Where the caller's umask takes more away, so be it.
        assert_eq!(mode(file) & !0o640, 0, "{}", file.display());
        assert_eq!(mode(file.parent().unwrap()) & !0o750, 0, "{}", file.display());
    }
}

#[test]
fn a_manifest_that_grew_wordy_is_written_anew_while_running() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    writer.write(Table::Flows, flows([1])).unwrap();
    let mut snapshot = Snapshot::read(dir.path()).unwrap();
    for position in 1..=1_100 {
        cut(&mut writer, position, None).unwrap();
        if position % 500 == 0 {
            assert!(snapshot.refresh().unwrap());
        }
    }
    snapshot.refresh().unwrap();
    let lines = std::fs::read_to_string(dir.path().join("manifest")).unwrap().lines().count();
    assert!(lines < 200, "{lines}");
    assert_eq!((snapshot.stats(), snapshot.problems()), (store.stats(), &[][..]));
    drop((writer, store));
    let (_store, recovery) = open(dir.path());
    assert_eq!((recovery.shards[0].position, stored(dir.path())), (1_100, vec![1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_times_and_cuts_keep_every_row_once(
        batches in prop::collection::vec((prop::collection::vec(any::<i64>(), 0..20), any::<bool>()), 1..8),
        open_parts in 1usize..4,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(dir.path(), Options { open_parts, ..Options::default() }).unwrap();
        let mut writer = store.writer(0).unwrap();
        let (mut number, mut counted) = (0u64, 0u64);
        for (position, (times, cuts)) in (1..).zip(batches) {
            let rows: Vec<_> = times.into_iter().zip(number..).collect();
            number += rows.len() as u64;
            writer.write(Table::Flows, flows_at(rows)).unwrap();
            if cuts {
                cut(&mut writer, position, None).unwrap();
                counted = number;
            }
        }
        drop((writer, store));
        let (_store, recovery) = open(dir.path());
        prop_assert_eq!(recovery.problems, []);
        prop_assert_eq!(stored(dir.path()), (0..counted).collect::<Vec<_>>());
        prop_assert_eq!(visible(dir.path()), (0..counted).collect::<Vec<_>>());
    }
}
