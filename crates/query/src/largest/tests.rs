//! Answers in passes against the planner's own, over made rows.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use arrow::array::{ArrayRef, BinaryViewArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::datatypes::DataType;
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::physical_plan::collect;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::Settings;
use crate::database::rules;

const DISTINCT: u32 = 40_000;

/// Rows by their number: two keys, and two values.
type Row = (Option<u32>, Option<[u8; 4]>, Option<u64>, u64);

fn batches(rows: impl Iterator<Item = Row>, batch_rows: usize) -> Vec<RecordBatch> {
    let rows: Vec<Row> = rows.collect();
    let batch = |rows: &[Row]| {
        let columns: [(&str, ArrayRef); 4] = [
            ("a", Arc::new(rows.iter().map(|row| row.0).collect::<UInt32Array>())),
            ("b", Arc::new(rows.iter().map(|row| row.1).collect::<BinaryViewArray>())),
            ("v", Arc::new(rows.iter().map(|row| row.2).collect::<UInt64Array>())),
            ("w", Arc::new(rows.iter().map(|row| Some(row.3)).collect::<UInt64Array>())),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
    };
    rows.chunks(batch_rows).map(batch).collect()
}

/// Workloads with what is to be known of them.
fn workloads() -> Vec<(&'static str, Vec<RecordBatch>)> {
    let mut random = Pcg64::seed_from_u64(7);
    let mut key = |of: u32| {
        // Few are many rows', and many few's.
        let key = (f64::from(of) * random.random::<f64>().powi(4)) as u32;
        (Some(key), Some((key / 3).to_be_bytes()))
    };
    let few: Vec<Row> = (0..20_000).map(|n| (key(40), n)).map(|((a, b), n)| (a, b, Some(n % 1_000), n)).collect();
    let skewed: Vec<Row> =
        (0..60_000).map(|n| (key(DISTINCT), n)).map(|((a, b), n)| (a, b, Some(n * n % 1_500), n)).collect();
    let distinct = |value: fn(u32) -> Option<u64>| {
        (0..DISTINCT).map(move |n| (Some(n), Some((n % 7).to_be_bytes()), value(n), u64::from(n % 5)))
    };
    let nulls = skewed.iter().enumerate().map(|(at, row)| {
        let (a, b) = (row.0.filter(|_| at % 5 > 0), row.1.filter(|_| at % 3 > 0));
        (a, b, row.2.filter(|_| !row.0.unwrap_or(0).is_multiple_of(4)), row.3)
    });
    let near = |n: u64| u64::MAX / 4 - n % 3;
    let large = skewed.iter().map(|row| (row.0, row.1, row.2.map(near), row.3));
    vec![
        ("few groups", batches(few.into_iter(), 500)),
        ("all distinct", batches(distinct(|n| Some(u64::from(n.wrapping_mul(0x9e37_79b9)))), 500)),
        ("all equal", batches(distinct(|_| Some(3)), 500)),
        ("all null", batches(distinct(|_| None), 500)),
        ("nulls", batches(nulls, 500)),
        ("sums beyond the largest number", batches(large, 500)),
        ("skewed", batches(skewed.iter().copied(), 500)),
        ("nothing", batches(std::iter::once((None, None, None, 0)), 500)),
    ]
}

const QUESTIONS: [&str; 9] = [
    "select a, b, sum(v) s from t group by a, b order by s desc nulls last, a, b limit 10",
    "select a, b, sum(v) s from t group by a, b order by s desc, a, b limit 10",
    "select a, b, sum(v), count(*) n, min(w), max(v), avg(w) from t group by a, b order by n desc, a, b limit 7",
    "select a, count(v) n, count(*) m from t group by a order by n desc, m, a limit 3 offset 5",
    "select b, sum(w), sum(v) + 1 from t where w > 300 group by b order by sum(w) desc nulls last, b limit 4",
    "select a + 1, b, sum(v) s from t where a is not null group by a + 1, b order by s desc nulls last, 1, 2 limit 100",
    "select sum(s) from (select a, b, sum(v) / 2 s from t group by a, b order by sum(v) desc nulls last, a, b limit 9)",
    "select a, s from (select a, sum(w) s from t group by a order by s desc, a limit 5) \
     union all select a, s from (select a, sum(v) s from t group by a order by s desc, a limit 5) order by 1, 2",
    "select a, b, sum(v) s from t group by a, b order by s desc nulls last, a, b limit 2000",
];

/// A session with a table of these rows, and our rule or not.
fn session(rows: &[RecordBatch], threads: usize, bytes: usize, ours: Option<Settings>) -> SessionContext {
    session_on(DiskManagerMode::Disabled, rows, threads, bytes, ours)
}

fn session_on(
    disk: DiskManagerMode,
    rows: &[RecordBatch],
    threads: usize,
    bytes: usize,
    ours: Option<Settings>,
) -> SessionContext {
    let disk = DiskManagerBuilder::default().with_mode(disk);
    let pool = Arc::new(GreedyMemoryPool::new(bytes));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(disk).build_arc().unwrap();
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(SessionConfig::new().with_target_partitions(threads))
        .with_runtime_env(runtime)
        .build();
    let state = match ours {
        Some(settings) => {
            let rules = rules(&state, settings);
            SessionStateBuilder::new_from_existing(state).with_physical_optimizer_rules(rules).build()
        }
        None => state,
    };
    let session = SessionContext::new_with_state(state);
    let mut hands = vec![Vec::new(); threads];
    rows.iter().enumerate().for_each(|(at, batch)| hands[at % threads].push(batch.clone()));
    let table = MemTable::try_new(rows[0].schema(), hands).unwrap();
    session.register_table("t", Arc::new(table)).unwrap();
    session
}

async fn answer(session: &SessionContext, question: &str) -> datafusion::error::Result<String> {
    let rows = session.sql(question).await?.collect().await?;
    Ok(pretty_format_batches(&rows)?.to_string())
}

async fn plan(session: &SessionContext, question: &str) -> String {
    answer(session, &format!("explain {question}")).await.unwrap()
}

const PLENTY: usize = 1 << 30;

/// Many groups at once, and few buckets and little room, so that one pass is not enough.
fn settings() -> [Settings; 3] {
    let usual = Settings { few_groups: 0, rows_per_group: 100_000, ..Settings::default() };
    [
        Settings { few_groups: 100, rows_per_group: 2, ..usual },
        Settings { bucket_bits_max: 12, ..usual },
        Settings { bucket_bits_max: 4, group_bytes: Some(600_000), ..usual },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_those_of_the_planner_alone() {
    for (name, rows) in workloads() {
        let plain = session(&rows, 1, PLENTY, None);
        for question in QUESTIONS {
            let expected = answer(&plain, question).await.unwrap();
            for (threads, settings) in [1, 2, 3].into_iter().zip(settings()) {
                let ours = session(&rows, threads, PLENTY, Some(settings));
                let answered = answer(&ours, question).await.unwrap();
                assert_eq!(answered, expected, "{name}, {threads} threads, {settings:?}: {question}");
            }
        }
    }
}

/// The answer, and how many passes it took.
async fn counted(session: &SessionContext, question: &str) -> (String, usize) {
    let plan = session.sql(question).await.unwrap().create_physical_plan().await.unwrap();
    let rows = collect(Arc::clone(&plan), session.task_ctx()).await.unwrap();
    let mut passes = 0;
    plan.apply(|plan| {
        let of = plan.metrics().filter(|_| plan.name() == "LargestExec");
        passes += of.and_then(|metrics| metrics.sum_by_name("passes")).map_or(0, |passes| passes.as_usize());
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    (pretty_format_batches(&rows).unwrap().to_string(), passes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_as_many_passes_as_the_groups_need() {
    let workloads: HashMap<&str, Vec<RecordBatch>> = workloads().into_iter().collect();
    let [usual, one_by_one, little] = settings();
    let spilling = Settings { passes_max: 2, ..little };
    let on_disk = DiskManagerMode::OsTmpDirectory;
    for (name, disk, settings, passes) in [
        ("few groups", DiskManagerMode::Disabled, usual, 1..=1),
        ("all distinct", DiskManagerMode::Disabled, usual, 2..=2),
        ("all distinct", DiskManagerMode::Disabled, one_by_one, 2..=3),
        ("all equal", DiskManagerMode::Disabled, usual, 2..=3),
        ("all equal", DiskManagerMode::Disabled, little, 5..=100),
        ("all distinct", DiskManagerMode::Disabled, little, 5..=100),
        // The first, one by bounds, and all groups by the planner.
        ("all equal", on_disk.clone(), spilling, 3..=3),
        ("all distinct", on_disk, spilling, 3..=3),
    ] {
        let rows = &workloads[name];
        let expected = answer(&session(rows, 1, PLENTY, None), QUESTIONS[0]).await.unwrap();
        let (answered, took) = counted(&session_on(disk, rows, 2, PLENTY, Some(settings)), QUESTIONS[0]).await;
        assert_eq!(answered, expected, "{name}, {settings:?}");
        assert!(passes.contains(&took), "{name}, {settings:?}: {took} passes");
    }
}

#[tokio::test]
async fn sorts_of_groups_are_found_whatever_is_computed_above() {
    let (_, rows) = workloads().remove(1);
    for threads in [1, 3] {
        let ours = session(&rows, threads, PLENTY, Some(settings()[0]));
        for question in QUESTIONS {
            let text = plan(&ours, question).await;
            assert!(text.contains("LargestExec"), "{question}: {text}");
        }
    }
}

#[tokio::test]
async fn what_has_no_bound_is_left_alone() {
    let (_, rows) = workloads().remove(6);
    let (ours, plain) = (session(&rows, 2, PLENTY, Some(settings()[0])), session(&rows, 2, PLENTY, None));
    for question in [
        "select a, b, sum(v) s from t group by a, b having sum(v) < 100 order by s desc, a, b limit 10",
        "select a, sum(distinct v) s from t group by a order by s desc, a limit 10",
        "select a, sum(v) s, count(distinct w) from t group by a order by s desc, a limit 10",
        "select a, sum(v) filter (where w > 10) s from t group by a order by s desc nulls last, a limit 10",
        "select a, sum(v) s from t group by a order by s, a limit 10",
        "select a, sum(v) s from t group by a order by a desc, s limit 10",
        "select a, sum(cast(v as bigint)) s from t group by a order by s desc, a limit 10",
        "select a, sum(v) s from t group by rollup(a, b) order by s desc, a limit 10",
        "select a, sum(v) s from (select * from t order by a, b, w limit 3000) group by a order by s desc, a limit 10",
        "select a, sum(v) s from t group by a order by s desc, a",
        "select a, avg(v) s from t group by a order by s desc, a limit 10",
        "select a, sum(v) s, row_number() over (order by a) r from t group by a order by s desc, a limit 10",
    ] {
        let text = plan(&ours, question).await;
        let has_bound_above_window = question.contains("over");
        assert!(has_bound_above_window || !text.contains("LargestExec"), "{question}: {text}");
        assert_eq!(answer(&ours, question).await.unwrap(), answer(&plain, question).await.unwrap(), "{question}");
    }
    let chance = "select a, sum(v) s from t where random() < 0.5 group by a order by s desc, a limit 10";
    assert!(!plan(&ours, chance).await.contains("LargestExec"));
    let small = Settings { few_groups: 60_000, ..Settings::default() };
    assert!(!plan(&session(&rows, 2, PLENTY, Some(small)), QUESTIONS[0]).await.contains("LargestExec"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_do_not_fit_are_ranked_within_the_memory() {
    let heavy = |n: u64| if n.is_multiple_of(30_011) { 5_000_000 + n } else { 1 + n % 1_000 };
    let row = |n: u64| (Some(n as u32), Some((n as u32 / 2).to_be_bytes()), Some(heavy(n)), n);
    for (count, equal) in [(400_000, false), (150_000, true)] {
        let rows =
            batches((0..count).map(row).map(|row| if equal { (row.0, row.1, Some(9), row.3) } else { row }), 8_192);
        let question = QUESTIONS[0];
        let plain = session(&rows, 2, 12 << 20, None);
        assert!(equal || answer(&plain, question).await.is_err(), "all groups fit");
        let expected = answer(&session(&rows, 2, PLENTY, None), question).await.unwrap();
        let ours = session(&rows, 2, 12 << 20, Some(Settings::default()));
        assert_eq!(answer(&ours, question).await.unwrap(), expected);
        assert_eq!(ours.runtime_env().memory_pool.reserved(), 0);
    }
}

/// A function that gives back what it takes, and from some call on tells that it was called, and waits.
fn waiting(
    from: usize,
    calls: &Arc<AtomicUsize>,
    told: Sender<()>,
    go: Receiver<()>,
) -> datafusion::logical_expr::ScalarUDF {
    let (calls, go) = (Arc::clone(calls), std::sync::Mutex::new(go));
    let call = move |args: &[ColumnarValue]| {
        if calls.fetch_add(1, Ordering::SeqCst) == from {
            told.send(()).unwrap();
            go.lock().unwrap().recv().unwrap();
        }
        Ok(args[0].clone())
    };
    create_udf("waiting", vec![DataType::UInt64], DataType::UInt64, Volatility::Immutable, Arc::new(call))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_dropped_in_its_second_pass_stops() {
    const BATCHES: usize = 8_000;
    let rows = batches((0..BATCHES as u32).flat_map(|n| [(Some(n), None, Some(1), 1); 2]), 2);
    assert_eq!(rows.len(), BATCHES);
    let session = session(&rows, 1, PLENTY, Some(settings()[1]));
    let (calls, (told, hear), (let_go, go)) = (Arc::default(), channel(), channel());
    session.register_udf(waiting(BATCHES + 10, &calls, told, go));
    let question = "select a, sum(waiting(v)) s from t group by a order by s desc, a limit 3";
    let mut stream = session.sql(question).await.unwrap().execute_stream().await.unwrap();
    let reading = tokio::spawn(async move { drop(stream.next().await) });
    tokio::task::spawn_blocking(move || hear.recv().unwrap()).await.unwrap();
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    let_go.send(()).unwrap();
    while session.runtime_env().memory_pool.reserved() > 0 {
        tokio::task::yield_now().await;
    }
    let called = calls.load(Ordering::SeqCst);
    assert!((BATCHES + 11..BATCHES + 1_000).contains(&called), "{called} calls of {}", 2 * BATCHES);
}
