//! Answers from totals are those from rows: to each cell, each name, each type and each warning.

use std::path::Path;

use arrow::array::RecordBatch;
use finderscope_flow::Column;
use finderscope_query::{
    Answer, Bin, Database, Filter, Key, Measure, Options, Part, SeriesQuestion, Summary, TimeBy, TopQuestion, Totals,
    Warning, Window,
};
use finderscope_store::totals::{TotalsBuilder, merge};
use tempfile::TempDir;

use crate::common::{Row, SECOND, T0, batch, lines, part, read, small};

/// The same flows with totals of most parts and without.
struct Twice {
    _folder: TempDir,
    parts: Vec<Part>,
    totals: Vec<Totals>,
}

/// Six parts of half an hour each: totals of the first two together, of the next two each, none of the last two.
fn twice() -> Twice {
    let folder = TempDir::new().unwrap();
    let rows: Vec<Vec<Row>> = (0..6).map(rows).collect();
    let parts: Vec<Part> =
        rows.iter().enumerate().map(|(at, rows)| part(folder.path(), &format!("p{at}"), rows)).collect();
    let of = |at: usize| totals(&folder.path().join(format!("t{at}.parquet")), &rows[at], &parts[at]);
    let (first, second) = (of(0), of(1));
    let day = folder.path().join("day.parquet");
    let merged = merge(&[first.path.clone(), second.path.clone()], &day).unwrap().unwrap();
    let day = Totals {
        path: day,
        bytes: merged.file_bytes,
        of: vec![parts[0].path.clone(), parts[1].path.clone()],
        rows: merged.rows,
        first_ns: merged.min_received_ns,
        last_ns: merged.max_received_ns,
        ..first
    };
    let totals = vec![day, of(2), of(3)];
    Twice { _folder: folder, parts, totals }
}

fn rows(part: usize) -> Vec<Row> {
    let row = |n: usize| {
        let k = part * 1_000 + n;
        Row {
            received_s: part as i64 * 1_800 + n as i64 * 6,
            exporter: ["192.0.2.1", "192.0.2.2", "192.0.2.3"][k % 3],
            src: [Some("10.0.0.1"), Some("10.0.0.2"), Some("2001:db8::1"), None][k % 4],
            dst: [Some("10.0.1.1"), Some("10.0.1.2")][k % 2],
            dport: [Some(443), Some(53), None][k % 3],
            proto: [6, 17, 1][k % 3],
            bytes: (k * 7_919 % 100_000) as u64,
            packets: (k % 90) as u64 + 1,
            rate: [Some(1), Some(1), Some(100), None][k / 7 % 4],
            in_if: (k % 5) as u32,
            out_if: (k % 7) as u32,
            src_as: [Some(64_500), None][k % 2],
            duration_ms: [0, 900, 50_000, 1_700_000][k % 4],
            ..Row::default()
        }
    };
    (0..300).map(row).collect()
}

fn totals(path: &Path, rows: &[Row], of: &Part) -> Totals {
    let mut builder = TotalsBuilder::new();
    builder.add(&batch(rows));
    let file = builder.finish(path).unwrap().unwrap();
    Totals {
        path: file.path,
        bytes: file.file_bytes,
        of: vec![of.path.clone()],
        outlives: false,
        rows: file.rows,
        first_ns: file.min_received_ns,
        last_ns: file.max_received_ns,
        lacks: file.lacks,
    }
}

impl Twice {
    fn with(&self) -> Database {
        Database::over_parts_and_totals(self.parts.clone(), self.totals.clone(), small()).unwrap()
    }

    fn without(&self) -> Database {
        let options = Options { totals: false, ..small() };
        Database::over_parts_and_totals(self.parts.clone(), self.totals.clone(), options).unwrap()
    }
}

/// What an answer is: its schema, its rows, its warnings.
async fn whole(mut answer: Answer) -> (String, Vec<String>, Vec<Warning>, u64) {
    let batches = answer.collect().await.unwrap();
    let fields: Vec<String> = answer
        .schema()
        .fields()
        .iter()
        .map(|field| format!("{} {} {:?}", field.name(), field.data_type(), field.metadata()))
        .collect();
    let rows: Vec<String> = batches.iter().flat_map(lines).collect();
    let mut warnings = answer.warnings();
    warnings.sort();
    (fields.join(", "), rows, warnings, answer.progress().rows)
}

const ALL_ROWS: u64 = 1_800;

/// Asks both ways; how many rows the totals leave to be read.
async fn same(twice: &Twice, sql: &str, window: Window) -> u64 {
    let expected = whole(twice.without().sql(sql, &window).await.unwrap()).await;
    let actual = whole(twice.with().sql(sql, &window).await.unwrap()).await;
    assert_eq!((&actual.0, &actual.1, &actual.2), (&expected.0, &expected.1, &expected.2), "{sql}");
    assert!(!expected.1.is_empty(), "{sql}");
    actual.3
}

fn window(since: i64, until: i64) -> Window {
    Window { since_ns: Some(T0 + since * SECOND), until_ns: Some(T0 + until * SECOND), ..Window::ALL }
}

#[tokio::test]
async fn sums_by_a_dimension_are_the_same_from_totals() {
    let twice = twice();
    for sql in [
        "select count(*), sum(bytes), sum(packets_scaled) from flows",
        "select count(*) from flows",
        "select count(*) + 1 as more, sum(bytes_scaled) / count(1) from flows",
        "select src_addr, sum(bytes_scaled) as b from flows group by src_addr order by b desc, src_addr limit 3",
        "select dst_addr, count(*) as n, sum(bytes) from flows group by 1 having count(*) > 10 order by 1",
        "select exporter_address, in_if, sum(packets) from flows group by 1, 2 order by 1, 2",
        "select in_if, sum(packets) from flows group by in_if order by in_if",
        "select out_if, sum(bytes_scaled) from flows where exporter_address = '192.0.2.2' and out_if <> 3 group by 1 order by 1",
        "select proto, sum(bytes_scaled) from flows where proto in (6, 17) group by proto order by proto",
        "select sum(bytes) from flows where dst_port = 443",
        "select sum(bytes) from flows where dst_port is null",
        "select f.src_as, sum(f.bytes_scaled) from flows as f where f.src_as > 3 or f.src_as is null group by f.src_as order by 1",
        "select src_addr, sum(bytes_scaled) from flows where src_addr <<= '10.0.0.0/8' group by 1 order by 1",
        "select exporter_address, min(time_received_ns), max(time_received_ns), count(*) from flows group by 1 order by 1",
        "with f as (select src_addr as a, bytes as b from flows where src_addr is not null) select a, sum(b) from f group by a order by a",
        "select (select count(*) from flows) as n, sum(packets) from flows where proto = 6",
        "select count(*), sum(bytes) from flows where proto = 200",
        "select sum(bytes_scaled) from flows where time_received_ns < now() - interval '1 hour'",
    ] {
        assert_eq!(same(&twice, sql, Window::ALL).await % 600, 0, "{sql}");
    }
    assert_eq!(same(&twice, "select sum(bytes) from flows", Window::ALL).await, 600);
}

#[tokio::test]
async fn what_totals_do_not_tell_is_read_from_rows() {
    let twice = twice();
    for sql in [
        "select src_addr, dst_addr, sum(bytes) from flows group by 1, 2 order by 1, 2",
        "select sum(bytes) from flows where bytes > 1000",
        "select src_addr, sum(bytes) from flows where proto = 6 group by 1 order by 1",
        "select count(distinct src_addr) from flows",
        "select count(src_addr) from flows",
        "select sum(bytes) filter (where proto = 6) from flows",
        "select avg(bytes) from flows",
        "select sum(bytes + 1) from flows",
        "select sum(distinct bytes) from flows",
        "select max(bytes) from flows",
        "select src_addr, max(time_received_ns) from flows group by 1 order by 1",
        "select src_addr, bytes, sum(packets) over (partition by src_addr) from flows order by 1, 2, 3 limit 3",
        "select sum(bytes) from flows where random() >= 0",
        "select sum(bytes) from flows where exporter_address in (select exporter_address from flows where bytes = 0)",
        "select sum(bytes) from (select bytes from flows limit 1000000)",
        "select proto, in_if, sum(bytes) from flows group by rollup(proto, in_if) order by 1, 2",
    ] {
        let left = same(&twice, sql, Window::ALL).await;
        assert!(left >= ALL_ROWS, "{sql}: {left}");
    }
}

#[tokio::test]
async fn windows_that_cut_totals_leave_their_rows_to_be_read() {
    let twice = twice();
    let sql = "select src_addr, sum(bytes), count(*) from flows group by src_addr order by src_addr";
    // All of the merged file and a half of the third part's.
    assert_eq!(same(&twice, sql, window(0, 4_500)).await, 300);
    // A part of what the merged file stands for: both its parts are read.
    assert_eq!(same(&twice, sql, window(1_800, 7_200)).await, 300);
    assert_eq!(same(&twice, sql, window(6, 7_200)).await, 600);
    assert_eq!(same(&twice, sql, window(100, 200)).await, 300);
    assert_eq!(same(&twice, sql, window(0, 7_200)).await, 0);
    let in_sql = "select count(*), sum(bytes) from flows where time_received_ns >= '2026-01-01T01:00:00Z' and time_received_ns < '2026-01-01T02:00:00Z'";
    assert_eq!(same(&twice, in_sql, Window::ALL).await, 0);
    let between =
        "select count(*) from flows where time_received_ns between '2026-01-01T01:00:00Z' and '2026-01-01T01:59:59Z'";
    assert_eq!(same(&twice, between, Window::ALL).await, 0);
    assert_eq!(same(&twice, sql, Window { by: TimeBy::Flow, ..window(0, 7_200) }).await, ALL_ROWS);
}

async fn top(database: &Database, question: &TopQuestion) -> (RecordBatch, Summary, Vec<Warning>) {
    let top = database.top(question).await.unwrap();
    (top.rows, top.summary, top.warnings)
}

#[tokio::test]
async fn tops_and_their_summaries_are_the_same_from_totals() {
    let twice = twice();
    let columns =
        [Column::SrcAddr, Column::DstPort, Column::ExporterAddress, Column::InIf, Column::Bytes, Column::SrcAs];
    for column in columns {
        for filter in [None, Some("exporter 192.0.2.1"), Some("proto 6"), Some("in if 2 and exporter 192.0.2.3")] {
            for window in [Window::ALL, window(0, 5_000), Window { since_ns: Some(T0 + 1_000 * SECOND), ..Window::ALL }]
            {
                for by in [Measure::Bytes, Measure::Packets, Measure::Flows] {
                    let filter = filter.map(|filter| Filter::parse(filter).unwrap());
                    let question = TopQuestion { columns: vec![Key::Column(column)], by, count: 3, filter, window };
                    assert_eq!(
                        top(&twice.with(), &question).await,
                        top(&twice.without(), &question).await,
                        "{question:?}"
                    );
                }
            }
        }
    }
}

async fn series(database: &Database, question: &SeriesQuestion) -> (String, Vec<String>, Vec<Warning>, u64) {
    whole(database.series(question).await.unwrap()).await
}

#[tokio::test]
async fn series_are_the_same_from_totals_whatever_their_bins() {
    let twice = twice();
    for seconds in [7, 60, 300, 420, 3_600, 7_200, 86_400, 100_000] {
        for by in [None, Some(Column::InIf), Some(Column::Proto), Some(Column::SrcAddr)] {
            for filter in [None, Some("exporter 192.0.2.1"), Some("in if 2 and exporter 192.0.2.3"), Some("proto tcp")]
            {
                let question = SeriesQuestion {
                    bin: Bin::seconds(seconds).unwrap(),
                    by: by.map(Key::Column),
                    filter: filter.map(|filter| Filter::parse(filter).unwrap()),
                    window: window(0, 9_700),
                };
                let (actual, expected) =
                    (series(&twice.with(), &question).await, series(&twice.without(), &question).await);
                assert_eq!((&actual.0, &actual.1, &actual.2), (&expected.0, &expected.1, &expected.2), "{question:?}");
                assert!(!actual.1.is_empty());
                let of_exporter = filter.is_none_or(|filter| filter.starts_with("exporter"));
                let fits = seconds % 60 == 0 && by.is_none_or(|by| by == Column::InIf)
                    || seconds % 60 == 0 && by == Some(Column::Proto) && filter.is_none();
                let fits = fits && (of_exporter || filter == Some("in if 2 and exporter 192.0.2.3"));
                assert!(!fits || actual.3 == 600, "{question:?}: {}", actual.3);
            }
        }
    }
}

#[tokio::test]
async fn a_series_spreads_volumes_and_counts_records_where_they_end() {
    let rows = [
        // 10:00:30 to 10:02:30, a record of a hundred bytes.
        Row { received_s: 150, duration_ms: 120_000, bytes: 100, packets: 7, ..Row::default() },
        Row { received_s: 150, duration_ms: 0, bytes: 5, packets: 1, rate: Some(10), ..Row::default() },
    ];
    let database = crate::common::memory(&rows);
    let question = SeriesQuestion { bin: Bin::MINUTE, by: None, filter: None, window: Window::ALL };
    let (rows, _) = read(database.series(&question).await.unwrap()).await.unwrap();
    assert_eq!(rows, ["2026-01-01T00:00:00Z 0 1 25", "2026-01-01T00:01:00Z 0 4 50", "2026-01-01T00:02:00Z 2 12 75"]);
}

#[tokio::test]
async fn a_flow_of_ten_days_in_bins_of_a_second_adds_up() {
    let long = Row { received_s: 0, duration_ms: 10 * 86_400_000, bytes: 1 << 40, packets: 3, ..Row::default() };
    let database = crate::common::memory(&[long]);
    let question = SeriesQuestion { bin: Bin::seconds(1).unwrap(), by: None, filter: None, window: Window::ALL };
    let mut answer = database.series(&question).await.unwrap();
    let (mut bins, mut bytes) = (0, 0);
    while let Some(batch) = answer.next().await {
        let batch = batch.unwrap();
        bins += batch.num_rows();
        bytes +=
            batch.column(3).as_any().downcast_ref::<arrow::array::UInt64Array>().unwrap().iter().flatten().sum::<u64>();
    }
    assert_eq!((bins, bytes), (10 * 86_400 + 1, 1 << 40));
}

#[tokio::test]
async fn damaged_totals_cost_a_warning_and_the_rows_are_read() {
    let twice = twice();
    let sql = "select src_addr, sum(bytes_scaled) from flows group by src_addr order by src_addr";
    let expected = whole(twice.without().sql(sql, &Window::ALL).await.unwrap()).await;
    let sound = std::fs::read(&twice.totals[1].path).unwrap();
    let mut middle = sound.clone();
    middle[4..sound.len() / 2].fill(0x55);
    for damaged in [sound[..sound.len() / 2].to_vec(), Vec::new(), middle] {
        std::fs::write(&twice.totals[1].path, damaged).unwrap();
        let (_, rows, warnings, read) = whole(twice.with().sql(sql, &Window::ALL).await.unwrap()).await;
        assert_eq!(rows, expected.1);
        assert_eq!(read, 900);
        assert!(
            matches!(warnings.as_slice(), [Warning::DamagedTotals { path, .. }] if *path == twice.totals[1].path),
            "{warnings:?}"
        );
        assert!(!warnings[0].is_partial());
    }
}

#[tokio::test]
async fn totals_outlive_their_rows() {
    let mut twice = twice();
    let sql = "select proto, sum(bytes_scaled) from flows group by proto order by proto";
    let expected = whole(twice.without().sql(sql, &Window::ALL).await.unwrap()).await;
    std::fs::remove_file(&twice.parts.remove(0).path).unwrap();
    twice.totals[0].outlives = true;
    let actual = whole(twice.with().sql(sql, &Window::ALL).await.unwrap()).await;
    assert_eq!((actual.1, actual.2), (expected.1, vec![]));
    // What needs rows says what it lacks.
    let question = "select count(*) from flows where bytes >= 0";
    let (_, rows, warnings, _) = whole(twice.with().sql(question, &Window::ALL).await.unwrap()).await;
    assert_eq!(rows, ["1500"]);
    let [Warning::OnlyTotals { first_ns, .. }] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(*first_ns, T0);
    assert!(warnings[0].to_string().contains("between 2026-01-01T00:00:00Z and"), "{}", warnings[0]);
    // A window that cuts totals without rows says so, too, even where no part is left to be read.
    twice.parts.remove(0);
    let (_, rows, warnings, read) = whole(twice.with().sql(sql, &window(1_800, 7_200)).await.unwrap()).await;
    assert_eq!((rows.len(), warnings.len(), read), (3, 1, 0));
    assert!(matches!(warnings[0], Warning::OnlyTotals { .. }), "{warnings:?}");
    // Where the time asked for has none of them, nothing is lacking.
    let (_, _, warnings, _) = whole(twice.with().sql(question, &window(7_200, 9_000)).await.unwrap()).await;
    assert_eq!(warnings, []);
}

#[tokio::test]
async fn totals_that_lack_a_dimension_are_used_for_others() {
    let mut twice = twice();
    twice.totals[1].lacks = vec!["part/src_addr".to_owned(), "minute/all".to_owned()];
    assert_eq!(same(&twice, "select src_addr, sum(bytes) from flows group by 1 order by 1", Window::ALL).await, 900);
    assert_eq!(same(&twice, "select dst_addr, sum(bytes) from flows group by 1 order by 1", Window::ALL).await, 600);
    let of = |bin| SeriesQuestion { bin, by: None, filter: None, window: Window::ALL };
    assert_eq!(series(&twice.with(), &of(Bin::MINUTE)).await.3, 900);
    assert_eq!(series(&twice.with(), &of(Bin::HOUR)).await.3, 600);
}

#[tokio::test]
async fn an_exporter_is_told_from_its_sampler_where_they_differ() {
    let mut twice = twice();
    let sql = "select count(*), sum(bytes) from flows where sampler_address = '192.0.2.1'";
    assert_eq!(same(&twice, sql, Window::ALL).await, 600);
    twice.totals[1].lacks = vec!["sampler_address".to_owned()];
    assert_eq!(same(&twice, sql, Window::ALL).await, 900);
    let by_exporter = "select count(*), sum(bytes) from flows where exporter_address = '192.0.2.1'";
    assert_eq!(same(&twice, by_exporter, Window::ALL).await, 600);
}

#[tokio::test]
async fn an_explanation_says_what_is_read() {
    let twice = twice();
    let sql = "explain select src_addr, sum(bytes) from flows group by src_addr";
    let (rows, _) = read(twice.with().sql(sql, &Window::ALL).await.unwrap()).await.unwrap();
    assert_eq!(
        rows[0],
        "reading 3 files of totals by src_addr, over all of their time, stand for 4 parts: 1200 rows need not be read\\n\
         2 parts of flows are read as rows: 600 rows"
    );
    assert!(rows.iter().any(|row| row.starts_with("physical_plan")), "{rows:?}");
    let answer = twice.without().sql("select sum(bytes) from flows where bytes > 3", &Window::ALL).await.unwrap();
    assert_eq!(answer.reading(), ["6 parts of flows are read as rows: 1800 rows"]);
    let window = window(0, 7_200);
    let question = SeriesQuestion { bin: Bin::DAY, by: None, filter: None, window };
    let answer = twice.with().series(&question).await.unwrap();
    let expected = "3 files of totals by exporter_address, by day, stand for 4 parts: 1200 rows need not be read";
    assert_eq!(answer.reading(), [expected]);
    let question =
        TopQuestion { columns: vec![Key::Column(Column::Proto)], by: Measure::Bytes, count: 1, filter: None, window };
    let expected =
        "rows: 3 files of totals by proto, over all of their time, stand for 4 parts: 1200 rows need not be read";
    assert_eq!(twice.with().explain_top(&question).await.unwrap()[0], expected);
}
