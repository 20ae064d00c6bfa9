//! What merging an hour costs: processor time and memory, and bytes a flow before and after.
//!
//!     cargo run --release -p finderscope-store --example merge_cost -- [ROWS [ROWS_OF_A_CUT [FOLDER]]]
//!
//! The rows are made, or those of the parts in a folder, which are cut anew.
#![allow(clippy::unwrap_used, reason = "a measurement stops at the first surprise")]

#[path = "../write_speed/traffic.rs"]
mod traffic;

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arrow::array::RecordBatch;
use finderscope_flow::Table;
use finderscope_store::keeper::{Keeper, Now, Rules};
use finderscope_store::{Cut, Options, Store};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |or: usize| arguments.next().map_or(or, |number| number.parse().unwrap());
    let (rows, a_cut) = (number(4 << 20), number(1 << 17));
    let batches: Box<dyn Iterator<Item = RecordBatch>> = match arguments.next() {
        Some(folder) => Box::new(stored(Path::new(&folder))),
        None => Box::new(traffic::batches(1, rows).into_iter()),
    };
    let dir = tempfile::tempdir()?;
    let (store, _) = Store::open(dir.path(), Options::default()).unwrap();
    let mut writer = store.writer(0).unwrap();
    let (mut position, mut since) = (1, 0);
    let begun = cpu();
    for batch in batches {
        since += batch.num_rows();
        writer.write(Table::Flows, batch).unwrap();
        if since >= a_cut {
            position += 1;
            since = 0;
            writer.cut(Cut { position, state: None, sync_journal: || Ok(()) }).unwrap();
        }
    }
    writer.cut(Cut { position: position + 1, state: None, sync_journal: || Ok(()) }).unwrap();
    drop(writer);
    let made = cpu() - begun;
    let before = store.stats().tables["flows"];
    // What came before is not to be counted as merging's memory.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let (begun, resident) = (cpu(), memory("VmRSS:"));
    let mut keeper = Keeper::new(store.clone(), Rules::default().at_rest());
    let (stop, now) = (AtomicBool::new(false), Now { wall_ns: 0, is_steady: false });
    let mut rewritten = 0;
    while let Some(job) = keeper.plan(now) {
        rewritten += keeper.run(&job, &stop).unwrap().rows;
    }
    let spent = cpu() - begun;
    let (after, totals) = (store.stats().tables["flows"], store.stats().totals);
    let each = |bytes: u64| bytes as f64 / before.rows as f64;
    let mut out = io::stdout().lock();
    writeln!(out, "rows {}, rewritten {rewritten}; making and cutting them took {made:?}", before.rows)?;
    writeln!(out, "merging    {:.0} ns/flow of a processor", spent.as_nanos() as f64 / rewritten.max(1) as f64)?;
    writeln!(out, "before     {:.2} B/flow in {} parts", each(before.file_bytes), before.parts)?;
    writeln!(out, "after      {:.2} B/flow in {} parts", each(after.file_bytes), after.parts)?;
    writeln!(out, "index      {:.2} B/flow", each(after.index_bytes))?;
    writeln!(out, "totals     {:.2} B/flow in {} files", each(totals.file_bytes), totals.files)?;
    writeln!(out, "memory     {:.1} MB at most, {:.1} MB before", memory("VmHWM:"), resident)
}

/// The rows of all parts below a folder, in batches as a shard has them.
fn stored(folder: &Path) -> impl Iterator<Item = RecordBatch> + use<> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files.into_iter().flat_map(|path| {
        let file = std::fs::File::open(path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(1 << 15).build().unwrap();
        reader.map(|batch| {
            let batch = batch.unwrap();
            RecordBatch::try_new(Table::Flows.schema(), batch.columns().to_vec()).unwrap()
        })
    })
}

/// This process's time on a processor.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let of_threads: u64 = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(of_threads.max(stat.split(' ').next().unwrap().parse().unwrap()))
}

/// In megabytes.
fn memory(which: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(which)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1e3
}
