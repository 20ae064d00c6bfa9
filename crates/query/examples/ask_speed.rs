//! How fast questions are: `cargo run -p finderscope-query --example ask_speed -- [MILLION_FLOWS] [PARTS]`.
//!
//! Writes a store of flows whose addresses repeat as those of a campus do, and asks it the usual questions. Each is
//! asked five times; the processor's time is the mean of them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, which stops at the first surprise"
)]

use std::time::{Duration, Instant};

use finderscope_flow::{Builder, Column, FlowType, SamplingSource, Table, TimeSource};
use finderscope_query::{BlockingDatabase, Database, Filter, FlowsQuestion, Measure, Options, TopQuestion, Window};
use finderscope_store::{Cut, Store};

const T0: i64 = 1_767_225_600_000_000_000;
const BATCH: usize = 65_536;
const ROUNDS: u32 = 5;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().unwrap());
    let flows = arguments.next().unwrap_or(4) * 1_000_000;
    let parts = arguments.next().unwrap_or(4);
    let folder = tempfile::tempdir().unwrap();
    let written = Instant::now();
    write(folder.path(), flows, parts);
    println!("{flows} flows in {parts} parts, written in {:.1?}", written.elapsed());

    let opened = Instant::now();
    let database = BlockingDatabase::new(Database::open(folder.path(), Options::default()).unwrap()).unwrap();
    println!("opened in {:.1?}", opened.elapsed());
    let top = |columns: &[Column], filter: Option<&str>| TopQuestion {
        columns: columns.iter().copied().map(Into::into).collect(),
        by: Measure::Bytes,
        count: 10,
        filter: filter.map(|filter| Filter::parse(filter).unwrap()),
        window: Window::ALL,
    };
    let sql = |question: &'static str| {
        let database = &database;
        move || database.sql(question, &Window::ALL).unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>()
    };
    let asked = |question: TopQuestion| {
        let database = &database;
        move || database.top(&question).unwrap().rows.num_rows()
    };
    let measure = |name: &str, ask: &dyn Fn() -> usize| report(name, flows, ask);
    measure(
        "sql: top-10 by source",
        &sql("select src_addr, sum(bytes_scaled) b from flows group by 1 order by 2 desc limit 10"),
    );
    measure(
        "sql: the same, plain sum",
        &sql("select src_addr, sum(bytes) b from flows group by 1 order by 2 desc limit 10"),
    );
    measure("top: by source, with its summary", &asked(top(&[Column::SrcAddr], None)));
    measure("top: by pairs", &asked(top(&[Column::SrcAddr, Column::DstAddr], None)));
    measure("top: by source, filtered by port", &asked(top(&[Column::SrcAddr], Some("dst port 443"))));
    measure("top: by source, filtered by one address", &asked(top(&[Column::SrcAddr], Some("ip 10.0.3.7"))));
    measure("sql: sum of a port", &sql("select sum(bytes_scaled) from flows where dst_port = 443"));
    measure("sql: sum of a prefix", &sql("select sum(bytes_scaled) from flows where src_addr <<= '10.0.3.0/24'"));
    measure("sql: count", &sql("select count(*) from flows"));
    measure("sql: one second", &sql("select count(*) from flows where time_received_ns < '2026-01-01T00:00:01Z'"));
    measure("flows: ten rows of one address", &|| {
        let filter = Some(Filter::parse("ip 10.0.3.7").unwrap());
        let question = FlowsQuestion { filter, limit: Some(10), ..FlowsQuestion::default() };
        database.flows(&question).unwrap().map(|batch| batch.unwrap().num_rows()).sum()
    });
}

fn report(name: &str, flows: usize, ask: &dyn Fn() -> usize) {
    let worked = processor_time();
    let times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let asked = Instant::now();
            std::hint::black_box(ask());
            asked.elapsed()
        })
        .collect();
    let best = times.iter().min().unwrap();
    let worked = (processor_time() - worked) / ROUNDS;
    println!(
        "{name:42} first {:8.1?}  best {:8.1?}  processor {:8.1?}  {:7.1} M flows/s a core",
        times[0],
        best,
        worked,
        flows as f64 / worked.as_secs_f64() / 1e6
    );
}

/// What all threads of this process have worked so far: unlike the clock, it does not depend on what else runs.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, in hundredths of a second (proc(5)).
    Duration::from_millis((fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10)
}

fn write(folder: &std::path::Path, flows: usize, parts: usize) {
    let (store, _) = Store::open(folder, finderscope_store::Options::default()).unwrap();
    let mut writer = store.writer(0).unwrap();
    let mut numbers = Numbers(1);
    let per_part = flows.div_ceil(parts);
    let mut done = 0;
    for part in 0..parts {
        let mut left = per_part.min(flows - done);
        while left > 0 {
            let count = left.min(BATCH);
            writer.write(Table::Flows, batch(&mut numbers, done, count, flows)).unwrap();
            left -= count;
            done += count;
        }
        writer.cut(Cut { position: part as u64 + 1, state: None, sync_journal: || Ok(()) }).unwrap();
    }
}

/// Flows over an hour: half of the sources are few, half are many; ports and sizes as usual.
fn batch(numbers: &mut Numbers, from: usize, count: usize, all: usize) -> arrow::array::RecordBatch {
    let mut flows = Builder::new(Table::Flows);
    let received: Vec<i64> =
        (from..from + count).map(|row| T0 + row as i64 * (3_600_000_000_000 / all as i64)).collect();
    flows.word(Column::Type).push_run(FlowType::Ipfix as i32, count);
    flows.word(Column::TimeSource).push_run(TimeSource::Absolute as i32, count);
    flows.word(Column::SamplingSource).push_run(SamplingSource::Options as i32, count);
    flows.address(Column::ExporterAddress).push_run(&[192, 0, 2, 1], count);
    flows.address(Column::SamplerAddress).push_run(&[192, 0, 2, 1], count);
    flows.time(Column::TimeReceivedNs).extend(received.iter().copied());
    flows.time(Column::TimeFlowEndNs).extend(received.iter().map(|time| time - 1_000_000));
    flows.time(Column::TimeFlowStartNs).extend(received.iter().map(|time| time - 900_000_000));
    flows.address(Column::SrcAddr).extend_fixed((0..count).map(|_| numbers.address(10)));
    flows.address(Column::DstAddr).extend_fixed((0..count).map(|_| numbers.address(100)));
    flows.u16(Column::SrcPort).extend((0..count).map(|_| 1024 + (numbers.next() % 60_000) as u16));
    flows.u16(Column::DstPort).extend((0..count).map(|_| [443, 80, 53, 22, 8080][(numbers.next() % 5) as usize]));
    flows.u8(Column::Proto).extend((0..count).map(|_| [6, 6, 6, 17][(numbers.next() % 4) as usize]));
    flows.u64(Column::Bytes).extend((0..count).map(|_| 40 + numbers.next() % 100_000));
    flows.u64(Column::Packets).extend((0..count).map(|_| 1 + numbers.next() % 100));
    flows.u64(Column::SamplingRate).push_run(1000, count);
    flows.u32(Column::InIf).extend((0..count).map(|_| (numbers.next() % 48) as u32));
    flows.u32(Column::OutIf).extend((0..count).map(|_| (numbers.next() % 48) as u32));
    flows.advance(count);
    flows.finish()
}

/// Numbers that look random and are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }

    const fn address(&mut self, first: u8) -> [u8; 4] {
        let [.., a, b] =
            (if self.next().is_multiple_of(2) { self.next() % 1000 } else { self.next() % 60_000 }).to_be_bytes();
        [first, 0, a, b]
    }
}
