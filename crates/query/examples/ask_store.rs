//! What questions cost over a store that is there: `ask_store FOLDER [MEMORY] -- [SQL | top COLUMNS [FILTER] | flows FILTER]…`.
//!
//! Each question is asked three times, by a database of its own: time, the processor's time, rows. At the end it says how
//! much memory the process had at most. `MEMORY` is the limit in megabytes; what does not fit goes to the disk.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, which stops at the first surprise"
)]

use std::fs;
use std::path::Path;
use std::time::Instant;

use finderscope_query::{
    BlockingDatabase, Database, Filter, FlowsQuestion, Options, Spill, TopQuestion, Window, ranking,
};

const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (settings, questions) = arguments.split_at(arguments.iter().position(|word| word == "--").unwrap());
    let spill_folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let mut options = Options::default();
    if let Some(megabytes) = settings.get(1) {
        options.memory_limit = megabytes.parse::<usize>().unwrap() * 1_000_000;
        options.spill = Some(Spill { folder: spill_folder.path().to_owned(), limit: 50_000_000_000 });
    }
    for question in &questions[1..] {
        for _ in 0..ROUNDS {
            let (started, busy) = (Instant::now(), busy_ms());
            let rows = ask(Path::new(&settings[0]), &options, question);
            println!("{:>8.1?} wall {:>7} ms busy {rows:>9} rows: {question}", started.elapsed(), busy_ms() - busy);
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap());
}

/// As a command would: a database of its own for each question.
fn ask(folder: &Path, options: &Options, question: &str) -> usize {
    let database = BlockingDatabase::new(Database::open(folder, options.clone()).unwrap()).unwrap();
    if let Some(filter) = question.strip_prefix("flows ") {
        let question = FlowsQuestion { filter: Some(Filter::parse(filter).unwrap()), ..FlowsQuestion::default() };
        return database.flows(&question).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    }
    let Some(of) = question.strip_prefix("top ") else {
        return database.sql(question, &Window::ALL).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    };
    let (columns, filter) = of.split_once(' ').map_or((of, None), |(columns, filter)| (columns, Some(filter)));
    let (columns, by) = ranking(columns, &[]).unwrap();
    let filter = filter.map(|filter| Filter::parse(filter).unwrap());
    let question = TopQuestion { columns, by: by.unwrap_or_default(), count: 10, filter, window: Window::ALL };
    database.top(&question).unwrap().rows.num_rows()
}

/// What the process has used of the processors.
fn busy_ms() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    10 * (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap())
}
