//! Groups by several columns: the same as one by one; and a top's summary on the way.

use std::collections::BTreeMap;

use finderscope_flow::Column;
use finderscope_query::{Database, Filter, Key, Measure, Options, Part, TimeBy, TopQuestion, Window};
use tempfile::TempDir;

use crate::common::{Row, SECOND, T0, ask, memory, part, small};

const ADDRESSES: [Option<&str>; 6] =
    [Some("10.0.0.1"), Some("10.0.0.2"), None, Some("2001:db8::1"), Some("2001:db8::2"), Some("::ffff:10.0.0.1")];
const APPS: [Option<&str>; 4] = [Some("web"), None, Some(""), Some("a name that is longer than twelve bytes")];

/// Rows whose keys repeat here and there.
fn rows(count: usize) -> Vec<Row> {
    let row = |n: usize| {
        let mixed = n.wrapping_mul(0x9e37_79b9) >> 7;
        Row {
            received_s: (n / 100) as i64,
            exporter: ["192.0.2.1", "192.0.2.2", "2001:db8::9"][n / 50 % 3],
            src: ADDRESSES[mixed % 6],
            dst: ADDRESSES[mixed / 6 % 6],
            sport: (!n.is_multiple_of(5)).then_some((mixed % 60_000) as u16),
            bytes: n as u64,
            packets: 1 + n as u64 % 3,
            rate: [None, Some(1), Some(10)][n % 3],
            app: APPS[mixed / 36 % 4],
            ..Row::default()
        }
    };
    (0..count).map(row).collect()
}

fn text<T: ToString>(cell: Option<T>) -> String {
    cell.map_or_else(|| "null".to_owned(), |cell| cell.to_string())
}

/// What the question below must answer.
fn expected(rows: &[Row]) -> Vec<String> {
    let mut groups: BTreeMap<[String; 4], (u64, u64, u64, u64)> = BTreeMap::new();
    for row in rows {
        let key = [text(row.src), text(row.dst), text(row.sport), text(row.app)];
        let group = groups.entry(key).or_default();
        group.0 += 1;
        group.1 += u64::from(row.rate.is_some());
        group.2 += row.bytes * row.rate.unwrap_or(1);
        group.3 += row.packets;
    }
    let line = |(key, of): (&[String; 4], &(u64, u64, u64, u64))| {
        format!("{} {} {} {} {}", key.join(" "), of.0, of.1, of.2, of.3)
    };
    let mut lines: Vec<String> = groups.iter().map(line).collect();
    lines.sort();
    lines
}

const QUESTION: &str = "select src_addr, dst_addr, src_port, app, count(*), count(sampling_rate), sum(bytes_scaled), \
                        sum(packets) from flows group by 1, 2, 3, 4";

async fn answered(database: &Database) -> Vec<String> {
    let mut lines = ask(database, QUESTION).await.unwrap();
    lines.sort();
    lines
}

#[tokio::test]
async fn groups_of_several_columns_are_those_that_one_by_one_makes() {
    let rows = rows(20_000);
    for threads in [1, 2, 3] {
        let options = Options { threads, ..Options::default() };
        let batch = crate::common::batch(&rows);
        let batches = [batch.slice(0, 9_000), batch.slice(9_000, 11_000)];
        let tables = batches.map(|batch| (finderscope_flow::Table::Flows, batch));
        let database = Database::in_memory(tables, options).unwrap();
        assert_eq!(answered(&database).await, expected(&rows), "{threads} threads");
    }
}

fn parts(folder: &TempDir, rows: &[Row]) -> Vec<Part> {
    rows.chunks(30_000).enumerate().map(|(at, rows)| part(folder.path(), &at.to_string(), rows)).collect()
}

#[tokio::test]
async fn a_top_reads_once_for_its_rows_and_its_summary() {
    let folder = TempDir::new().unwrap();
    let rows = rows(40_000);
    let stored = Database::over_parts(parts(&folder, &rows), small()).unwrap();
    for (database, parts) in [(memory(&rows), 0), (stored, 2)] {
        for columns in [vec![Column::SrcAddr], vec![Column::SrcAddr, Column::DstAddr, Column::SrcPort]] {
            for filter in [None, Some("exporter 192.0.2.2"), Some("bytes > 1k and proto tcp"), Some("proto udp")] {
                let filter = filter.map(|filter| Filter::parse(filter).unwrap());
                let window = Window { since_ns: Some(T0 + SECOND), until_ns: None, by: TimeBy::Received };
                let (summary, warnings) = database.summary(filter.as_ref(), &window).await.unwrap();
                let keys = columns.iter().copied().map(Key::Column).collect();
                let question = TopQuestion { columns: keys, by: Measure::Bytes, count: 3, filter, window };
                let top = database.top(&question).await.unwrap();
                assert_eq!((top.summary, top.warnings), (summary, warnings), "{question:?}");
                if parts > 0 {
                    let explained = database.explain_top(&question).await.unwrap();
                    assert_eq!(explained.len(), 1, "{explained:?}");
                    assert!(explained[0].starts_with("rows, and totals of all flows: 2 parts"), "{explained:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_top_of_very_many_groups_is_read_again_and_counted_once() {
    let folder = TempDir::new().unwrap();
    let row = |n: usize| Row {
        received_s: (n / 1_000) as i64,
        in_if: n as u32,
        sport: Some((n % 7) as u16),
        bytes: 1 + n.wrapping_mul(0x9e37_79b9) as u64 % 100_000,
        rate: [None, Some(1), Some(10)][n % 3],
        ..Row::default()
    };
    let rows: Vec<Row> = (0..160_000).map(row).collect();
    let options = Options { threads: 1, ..Options::default() };
    let database = Database::over_parts(parts(&folder, &rows), options).unwrap();
    let (summary, warnings) = database.summary(None, &Window::ALL).await.unwrap();
    let columns = [Column::InIf, Column::SrcPort].into_iter().map(Key::Column).collect();
    let question = TopQuestion { columns, by: Measure::Bytes, count: 5, filter: None, window: Window::ALL };
    let explained = database.explain_top(&question).await.unwrap();
    assert!(explained.iter().any(|line| line.contains("the rows are read again for the largest")), "{explained:?}");
    let top = database.top(&question).await.unwrap();
    assert_eq!((top.summary, top.warnings), (summary, warnings));

    let mut expected: Vec<(u64, u32)> = rows.iter().map(|row| (row.bytes * row.rate.unwrap_or(1), row.in_if)).collect();
    expected.sort_unstable_by_key(|&(bytes, interface)| (std::cmp::Reverse(bytes), interface));
    let line = |(bytes, interface): &(u64, u32)| {
        format!("{interface} {} 1 {} {bytes}", interface % 7, { rows[*interface as usize].rate.unwrap_or(1) })
    };
    let expected: Vec<String> = expected[..5].iter().map(line).collect();
    assert_eq!(crate::common::lines(&top.rows), expected);

    let sql = "select in_if, src_port, sum(bytes_scaled) b from flows group by 1, 2 order by b desc, 1 limit 5";
    let plan = ask(&database, &format!("explain {sql}")).await.unwrap().join("\n");
    assert!(plan.contains("LargestExec: fetch=5"), "{plan}");
    assert!(plan.contains("the rows are read again for the largest"), "{plan}");
}
