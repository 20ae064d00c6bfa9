//! What the address index costs: `cargo run --release -p finderscope-store --example index_speed -- [MILLION_FLOWS]`.
//!
//! The thread's time to make it, for a flow's two addresses; its size; and the time of a look-up, with the file in the page cache.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, which stops at the first surprise"
)]

#[path = "../write_speed/traffic.rs"]
mod traffic;

use arrow::array::AsArray;
use finderscope_store::index::{Index, IndexBuilder, Side};

const ROUNDS: u32 = 3;
const LOOK_UPS: u32 = 200;

fn main() {
    let rows = std::env::args().nth(1).map_or(4, |argument| argument.parse::<usize>().unwrap()) << 20;
    let batches = traffic::batches(1, rows);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.index");
    for _ in 0..ROUNDS {
        let started = busy_ns();
        let mut builder = IndexBuilder::new();
        batches.iter().for_each(|batch| builder.add(batch));
        let added = busy_ns() - started;
        let bytes = builder.finish(&path).unwrap();
        let ns = |busy: u64| busy as f64 / rows as f64;
        let (all, per_flow) = (ns(busy_ns() - started), bytes as f64 / rows as f64);
        println!("{:.1} ns a flow to add, {all:.1} in all; {per_flow:.2} bytes a flow", ns(added));
    }
    let sources = batches[0].column_by_name("src_addr").unwrap().as_binary::<i32>();
    let started = busy_ns();
    let mut pages = 0;
    for row in 0..LOOK_UPS as usize {
        let index = Index::open(&path).unwrap();
        pages += index.pages(Side::Source, sources.value(row), sources.value(row)).unwrap().len();
    }
    let each = (busy_ns() - started) / u64::from(LOOK_UPS);
    println!("{each} ns to open it and look one address up; {pages} pages of {LOOK_UPS}");
}

/// What the thread has used of the processor.
fn busy_ns() -> u64 {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    schedule.split(' ').next().unwrap().parse().unwrap()
}
