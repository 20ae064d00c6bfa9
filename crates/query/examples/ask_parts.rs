//! What questions cost over merged parts: `ask_parts FOLDER MILLIONS_A_PART PARTS [MEMORY] -- [SQL | ip ADDRESS]…`.
//!
//! Writes the parts with their address indexes where the folder is missing, and asks each question three times: time,
//! the processor's time, rows. At the end it says how much memory the process had at most. `MEMORY` is the limit in
//! megabytes; what does not fit goes to the folder. A question that begins with `ip` lists the flows of an address.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, which stops at the first surprise"
)]

#[path = "../../store/examples/write_speed/traffic.rs"]
mod traffic;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use finderscope_flow::Table;
use finderscope_query::{BlockingDatabase, Database, Filter, FlowsQuestion, Options, Part, Spill, Window};
use finderscope_store::index::IndexBuilder;
use finderscope_store::{Encoding, PartWriter};
use parquet::file::metadata::KeyValue;

const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (settings, questions) = arguments.split_at(arguments.iter().position(|word| word == "--").unwrap());
    let number = |at: usize| settings.get(at).map(|word| word.parse::<usize>().unwrap());
    let folder = Path::new(&settings[0]);
    let (rows, count) = (number(1).unwrap() << 20, number(2).unwrap());
    fs::create_dir_all(folder).unwrap();
    let parts: Vec<Part> = (0..count).map(|place| make(folder, place, rows)).collect();
    let mut options = Options::default();
    if let Some(megabytes) = number(3) {
        options.memory_limit = megabytes * 1_000_000;
        options.spill = Some(Spill { folder: folder.to_owned(), limit: 50_000_000_000 });
    }
    for question in &questions[1..] {
        for _ in 0..ROUNDS {
            let (started, busy) = (Instant::now(), busy_ms());
            let rows = ask(&parts, &options, question);
            println!("{:>8.1?} wall {:>7} ms busy {rows:>9} rows: {question}", started.elapsed(), busy_ms() - busy);
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap());
}

/// As a command would: a database of its own for each question.
fn ask(parts: &[Part], options: &Options, question: &str) -> usize {
    let database = Database::over_parts(parts.to_vec(), options.clone()).unwrap();
    let database = BlockingDatabase::new(database).unwrap();
    let answer = match question.strip_prefix("ip ") {
        Some(_) => {
            let filter = Some(Filter::parse(question).unwrap());
            database.flows(&FlowsQuestion { filter, ..FlowsQuestion::default() }).unwrap()
        }
        None => database.sql(question, &Window::ALL).unwrap(),
    };
    answer.map(|batch| batch.unwrap().num_rows()).sum()
}

fn make(folder: &Path, place: usize, rows: usize) -> Part {
    let path = folder.join(format!("merged-{place}.parquet"));
    let index = path.with_extension("index");
    let batches = if index.exists() { Vec::new() } else { traffic::batches(place as u64 + 1, rows) };
    if !batches.is_empty() {
        let file = Arc::new(File::create(&path).unwrap());
        let mut writer = PartWriter::new(file, Table::Flows, Encoding::Merged).unwrap();
        let mut builder = IndexBuilder::new();
        for batch in &batches {
            builder.add(batch);
            writer.write(batch).unwrap();
        }
        writer.finish(KeyValue::new("example".to_owned(), None)).unwrap();
        builder.finish(&index).unwrap();
    }
    let bytes = fs::metadata(&path).unwrap().len();
    Part {
        table: Table::Flows,
        bytes,
        rows: rows as u64,
        first_ns: i64::MIN,
        last_ns: i64::MAX,
        index: Some(index),
        path,
    }
}

/// What the process has used of the processors.
fn busy_ms() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    10 * (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap())
}
