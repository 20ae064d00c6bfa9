//! Parts on disk: which are read, what a damaged one costs, older schemas, limits.

use std::io::{Seek, SeekFrom, Write};
use std::time::Duration;

use arrow::array::RecordBatch;
use finderscope_query::{
    BlockingDatabase, Database, Error, FlowsQuestion, Options, Order, Part, TimeBy, Warning, Window,
};
use tempfile::TempDir;

use crate::common::{Row, SECOND, T0, ask, batch, part, part_of, read, small};

/// Three parts of a hundred rows, a minute each.
fn folder() -> (TempDir, Vec<Part>) {
    let folder = TempDir::new().unwrap();
    let parts = (0..3).map(|minute| part(folder.path(), &format!("m{minute}"), &minute_of(minute))).collect();
    (folder, parts)
}

fn minute_of(minute: i64) -> Vec<Row> {
    let row = |second: i64| Row { received_s: minute * 60 + second / 2, bytes: 1, ..Row::default() };
    (0..100).map(row).collect()
}

fn database(parts: &[Part]) -> Database {
    Database::over_parts(parts.to_vec(), small()).unwrap()
}

/// How many parts a question opens, and its first row.
async fn opened(sql: &str, window: Window) -> (u64, String) {
    let (_folder, parts) = folder();
    let mut answer = database(&parts).sql(sql, &window).await.unwrap();
    let rows = answer.collect().await.unwrap();
    let progress = answer.progress();
    assert_eq!(progress.parts, progress.parts_opened);
    (progress.parts, crate::common::lines(&rows[0]).remove(0))
}

#[tokio::test]
async fn only_parts_of_the_time_asked_for_are_opened() {
    let count = "select count(*), sum(bytes_scaled) from flows";
    assert_eq!(opened(count, Window::ALL).await, (3, "300 300".to_owned()));
    let in_sql = |condition: &str| format!("{count} where {condition}");
    let check = |sql: String, expected: (u64, &'static str)| async move {
        assert_eq!(opened(&sql, Window::ALL).await, (expected.0, expected.1.to_owned()), "{sql}");
    };
    check(in_sql("time_received_ns >= '2026-01-01T00:01:00Z'"), (2, "200 200")).await;
    check(in_sql("time_received_ns < '2026-01-01T00:01:00Z'"), (1, "100 100")).await;
    check(in_sql("'2026-01-01T00:01:00Z' <= time_received_ns and bytes = 1"), (2, "200 200")).await;
    check(in_sql("time_received_ns between '2026-01-01T00:01:00Z' and '2026-01-01T00:01:10Z'"), (1, "22 22")).await;
    check(in_sql("time_received_ns = '2026-01-01T00:02:00Z'"), (1, "2 2")).await;
    check(in_sql("time_received_ns > '2027-01-01T00:00:00Z' or bytes = 1"), (3, "300 300")).await;
}

#[tokio::test]
async fn a_window_is_half_open() {
    let (_folder, parts) = folder();
    let window = |since, until| Window {
        since_ns: Some(T0 + since * SECOND),
        until_ns: Some(T0 + until * SECOND),
        ..Window::ALL
    };
    let count = |window| {
        let database = database(&parts);
        async move { read(database.sql("select count(*) from flows", &window).await.unwrap()).await.unwrap().0 }
    };
    assert_eq!(count(window(0, 60)).await, ["100"]);
    assert_eq!(count(window(0, 1)).await, ["2"]);
    assert_eq!(count(window(49, 60)).await, ["2"]);
    assert_eq!(count(window(60, 60)).await, ["0"]);
    assert_eq!(opened("select count(*) from flows", window(0, 60)).await.0, 1);
}

#[tokio::test]
async fn a_window_of_flow_times_takes_what_overlaps() {
    let folder = TempDir::new().unwrap();
    let rows = [Row { received_s: 100, duration_ms: 50_000, ..Row::default() }];
    let parts = [part(folder.path(), "p", &rows)];
    let count = |since, until, by| {
        let database = database(&parts);
        let window = Window { since_ns: Some(T0 + since * SECOND), until_ns: Some(T0 + until * SECOND), by };
        async move { read(database.sql("select count(*) from flows", &window).await.unwrap()).await.unwrap().0 }
    };
    assert_eq!(count(60, 70, TimeBy::Flow).await, ["1"]);
    assert_eq!(count(60, 70, TimeBy::Received).await, ["0"]);
    assert_eq!(count(0, 50, TimeBy::Flow).await, ["0"]);
    assert_eq!(count(100, 200, TimeBy::Flow).await, ["1"]);
}

#[tokio::test]
async fn parts_of_an_older_schema_read_with_nulls() {
    let folder = TempDir::new().unwrap();
    let rows = minute_of(0);
    let full = batch(&rows);
    let older: Vec<usize> = ["type", "time_received_ns", "src_addr", "bytes", "packets"]
        .iter()
        .map(|name| full.schema().index_of(name).unwrap())
        .collect();
    let older: RecordBatch = full.project(&older).unwrap();
    let parts = [part_of(folder.path(), "old", &older, &rows), part(folder.path(), "new", &minute_of(1))];
    let rows =
        ask(&database(&parts), "select count(*), count(dst_addr), sum(bytes_scaled), sum(bytes_l3) from flows").await;
    assert_eq!(rows.unwrap(), ["200 100 200 200"]);
    let filtered =
        ask(&database(&parts), "select count(*) from flows where dst_addr is null and src_addr = '10.0.0.1'").await;
    assert_eq!(filtered.unwrap(), ["100"]);
}

/// What is left of three parts when the middle one is damaged.
async fn with_damage(damage: impl Fn(&Part), sql: &str) -> (Vec<String>, Vec<Warning>) {
    let (_folder, parts) = folder();
    damage(&parts[1]);
    let answer = database(&parts).sql(sql, &Window::ALL).await.unwrap();
    let (rows, warnings) = read(answer).await.unwrap();
    for warning in &warnings {
        assert!(warning.is_partial());
        assert!(warning.to_string().contains("m1.parquet: cannot be read"), "{warning}");
        assert_eq!(warning.to_string().lines().count(), 1);
    }
    (rows, warnings)
}

#[tokio::test]
async fn a_damaged_part_costs_itself_and_is_named() {
    let truncate =
        |part: &Part| std::fs::File::options().write(true).open(&part.path).unwrap().set_len(part.bytes / 2).unwrap();
    let empty = |part: &Part| std::fs::write(&part.path, b"").unwrap();
    let no_parquet = |part: &Part| std::fs::write(&part.path, vec![7; part.bytes as usize]).unwrap();
    let gone = |part: &Part| std::fs::remove_file(&part.path).unwrap();
    let data = |part: &Part| {
        let mut file = std::fs::File::options().write(true).open(&part.path).unwrap();
        file.seek(SeekFrom::Start(4)).unwrap();
        file.write_all(&[0xff; 256]).unwrap();
    };
    for sql in [
        "select count(*), sum(bytes_scaled) from flows",
        "select count(*), sum(bytes) from flows where src_addr = '10.0.0.1'",
    ] {
        for (name, damage) in [
            ("truncated", &truncate as &dyn Fn(&Part)),
            ("empty", &empty),
            ("other bytes", &no_parquet),
            ("gone", &gone),
        ] {
            let (rows, warnings) = with_damage(damage, sql).await;
            assert_eq!((rows, warnings.len()), (vec!["200 200".to_owned()], 1), "{name}: {sql}");
        }
    }
    let (rows, warnings) = with_damage(data, "select type, count(*), sum(in_if) from flows group by type").await;
    assert_eq!((rows, warnings.len()), (vec!["IPFIX 200 200".to_owned()], 1));
}

#[tokio::test]
async fn an_answer_that_has_begun_is_finished_though_its_parts_are_merged_away() {
    let folder = TempDir::new().unwrap();
    let name = |minute: i64| format!("m{minute}");
    let parts: Vec<Part> = (0..20).map(|minute| part(folder.path(), &name(minute), &minute_of(minute))).collect();
    let mut answer = database(&parts).sql("select time_received_ns from flows", &Window::ALL).await.unwrap();
    let first = answer.next().await.unwrap().unwrap().num_rows();
    parts.iter().for_each(|part| std::fs::remove_file(&part.path).unwrap());
    let (rows, warnings) = read(answer).await.unwrap();
    assert_eq!((first + rows.len(), warnings), (2_000, Vec::new()));
    assert!(first < 2_000, "everything was read before the parts went away");
}

#[tokio::test]
async fn a_part_with_any_byte_flipped_gives_an_answer() {
    let folder = TempDir::new().unwrap();
    let sound = part(folder.path(), "sound", &minute_of(0));
    let bytes = std::fs::read(&sound.path).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 150) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        let path = folder.path().join(format!("flipped{at}.parquet"));
        std::fs::write(&path, flipped).unwrap();
        let parts = [sound.clone(), Part { path, ..sound.clone() }];
        let answer = database(&parts).sql("select count(bytes), count(*) from flows", &Window::ALL).await.unwrap();
        let (rows, _) = read(answer).await.unwrap_or_else(|error| panic!("byte {at}: {error}"));
        assert_eq!(rows.len(), 1);
    }
}

#[tokio::test]
async fn an_error_of_the_question_is_no_damage() {
    let (_folder, parts) = folder();
    let answer = database(&parts).sql("select count(*) from flows where 1 / (bytes - 1) > 2", &Window::ALL).await;
    let error = match answer {
        Err(error) => error,
        Ok(answer) => read(answer).await.unwrap_err(),
    };
    assert_eq!(error.to_string(), "division by zero");
}

#[tokio::test]
async fn a_question_beyond_its_memory_names_the_limit() {
    let folder = TempDir::new().unwrap();
    let rows: Vec<Row> = (0..20_000).map(|n| Row { bytes: n, ..Row::default() }).collect();
    let parts = vec![part(folder.path(), "p", &rows)];
    let options = Options { memory_limit: 300_000, ..small() };
    let database = Database::over_parts(parts, options).unwrap();
    let answer = database.sql("select bytes, src_addr, count(*) from flows group by 1, 2", &Window::ALL).await.unwrap();
    let error = read(answer).await.unwrap_err();
    assert!(matches!(error, Error::Memory { limit: 300_000 }), "{error:?}");
    assert!(error.to_string().contains("memory limit of 300.0 kB"), "{error}");
}

#[tokio::test]
async fn a_question_beyond_its_time_names_the_limit() {
    let (_folder, parts) = folder();
    let options = Options { time_limit: Some(Duration::from_millis(50)), ..small() };
    let database = Database::over_parts(parts, options).unwrap();
    let endless = "select sum(a.bytes * b.bytes * c.bytes * d.bytes) from flows a, flows b, flows c, flows d";
    let error = match database.sql(endless, &Window::ALL).await {
        Err(error) => error,
        Ok(answer) => read(answer).await.unwrap_err(),
    };
    assert!(matches!(error, Error::Time { .. }), "{error:?}");
    assert!(error.to_string().contains("time limit of 0.05 s"), "{error}");
}

#[tokio::test]
async fn flows_are_listed_in_order_and_to_a_limit() {
    let (_folder, parts) = folder();
    let question = FlowsQuestion {
        order: Order::By { column: "time_received_ns".to_owned(), descending: true },
        limit: Some(3),
        columns: vec!["time_received_ns".to_owned()],
        ..FlowsQuestion::default()
    };
    let (rows, _) = read(database(&parts).flows(&question).await.unwrap()).await.unwrap();
    assert_eq!(rows, ["2026-01-01T00:02:49Z", "2026-01-01T00:02:49Z", "2026-01-01T00:02:48Z"]);
    let all = FlowsQuestion { limit: Some(250), ..FlowsQuestion::default() };
    assert_eq!(read(database(&parts).flows(&all).await.unwrap()).await.unwrap().0.len(), 250);
    let wrong = FlowsQuestion { columns: vec!["src_adr".to_owned()], ..FlowsQuestion::default() };
    assert!(matches!(database(&parts).flows(&wrong).await, Err(Error::UnknownColumn { .. })));
}

#[test]
fn answers_come_without_a_runtime_and_go_into_parquet() {
    let (folder, parts) = folder();
    let database = BlockingDatabase::new(database(&parts)).unwrap();
    let mut answer =
        database.sql("select src_addr, src_mac, time_received_ns, bytes from flows", &Window::ALL).unwrap();
    let path = folder.path().join("answer.parquet");
    assert_eq!(answer.write_parquet(std::fs::File::create(&path).unwrap()).unwrap(), 300);
    let file = std::fs::File::open(&path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.schema().field(0).metadata()["kind"], "address");
    assert_eq!(reader.schema().field(1).metadata()["kind"], "mac");
    assert_eq!(reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 300);
    let rows: usize =
        database.sql("select * from flows", &Window::ALL).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 300);
}
