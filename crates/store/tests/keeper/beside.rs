//! Merging beside others: a reader who lists the folder, and a disk that is full.

use super::*;

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

#[test]
fn a_full_disk_lets_a_merge_wait_and_harms_nothing() {
    let Some(disk) = common::SmallDisk::new("8m") else { return common::skip("only root may mount a small disk") };
    let dir = disk.path().join("data");
    let (store, _) = cuts(&dir, 5, |_| Ok(()));
    let mut keeper = rest(&store);
    let job = keeper.plan(NEXT_HOUR).unwrap();
    let ballast = disk.path().join("ballast");
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
