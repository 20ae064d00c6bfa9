//! How fast totals are made and asked: `cargo run --release -p finderscope-query --example totals_speed -- [DAYS] [MILLION_FLOWS]`.
//!
//! Writes a year of a day's totals each, of four exporters with 48 interfaces, and asks for one interface's minutes. Then
//! hours of flows with many hosts go into totals, and their top talkers are asked for. Times are of the processor where
//! it says so, since the clock depends on what else runs.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, which stops at the first surprise"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use finderscope_flow::{Builder, Column, FlowType, SamplingSource, Table, TimeSource};
use finderscope_query::{
    Bin, BlockingDatabase, Database, Filter, Measure, Options, SeriesQuestion, TopQuestion, Totals, Window,
};
use finderscope_store::totals::{TotalsBuilder, TotalsFile, merge};

const T0: i64 = 1_735_689_600_000_000_000;
const MINUTE: i64 = 60_000_000_000;
const BATCH: usize = 65_536;
const ROUNDS: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<i64>().unwrap());
    let days = arguments.next().unwrap_or(365);
    let millions = arguments.next().unwrap_or(100);
    let folder = tempfile::tempdir().unwrap();
    year(folder.path(), days);
    top(folder.path(), millions);
}

fn year(folder: &Path, days: i64) {
    let begun = processor_time();
    let totals: Vec<Totals> = (0..days).map(|day| a_day(folder, day)).collect();
    let bytes: u64 = totals.iter().map(|totals| totals.bytes).sum();
    println!("{days} days written in {:.1?} of processor time, {} MB", processor_time() - begun, bytes / 1_000_000);
    let open = || {
        let database = Database::over_parts_and_totals(Vec::new(), totals.clone(), Options::default()).unwrap();
        BlockingDatabase::new(database).unwrap()
    };
    let question = |seconds, filter: &str| SeriesQuestion {
        bin: Bin::seconds(seconds).unwrap(),
        by: None,
        filter: Some(Filter::parse(filter).unwrap()),
        window: Window::ALL,
    };
    for (seconds, filter) in
        [(60, "exporter 192.0.2.2 and in if 3"), (3_600, "exporter 192.0.2.2 and in if 3"), (60, "exporter 192.0.2.2")]
    {
        let question = question(seconds, filter);
        let count = |database: &BlockingDatabase| {
            database.series(&question).unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>()
        };
        report(&format!("series of {seconds} s, {filter}, database just opened"), || count(&open()));
        let database = open();
        report(&format!("series of {seconds} s, {filter}, footers known"), || count(&database));
    }
}

/// A flow each minute by each interface: what matters are the rows that come of it.
fn a_day(folder: &Path, day: i64) -> Totals {
    let mut builder = TotalsBuilder::new();
    let mut numbers = Numbers(day.unsigned_abs() + 1);
    for exporter in 1..=4 {
        for part in 0..4 {
            let minutes: Vec<i64> = (part * 360..(part + 1) * 360).collect();
            let count = minutes.len() * 48;
            let mut flows = start(&[192, 0, 2, exporter], count);
            let received: Vec<i64> =
                minutes.iter().flat_map(|minute| [T0 + (day * 1_440 + minute) * MINUTE + MINUTE / 2; 48]).collect();
            flows.time(Column::TimeReceivedNs).extend(received.iter().copied());
            flows.time(Column::TimeFlowEndNs).extend(received.iter().copied());
            flows.time(Column::TimeFlowStartNs).extend(received.iter().map(|time| time - MINUTE / 4));
            flows.u8(Column::Proto).push_run(6, count);
            flows.u64(Column::Bytes).extend((0..count).map(|_| 40 + numbers.next() % 1_000_000_000));
            flows.u64(Column::Packets).extend((0..count).map(|_| 1 + numbers.next() % 1_000_000));
            flows.u32(Column::InIf).extend((0..count).map(|row| row as u32 % 48));
            flows.u32(Column::OutIf).extend((0..count).map(|row| (row as u32 + 7) % 48));
            flows.advance(count);
            builder.add(&flows.finish());
        }
    }
    of_file(builder.finish(&folder.join(format!("day{day}.parquet"))).unwrap().unwrap())
}

fn top(folder: &Path, millions: i64) {
    let per_hour = 4 << 20;
    let hours = (millions * 1_000_000 / per_hour).max(1);
    let mut spent = Duration::ZERO;
    let mut files: Vec<Totals> = Vec::new();
    for hour in 0..hours {
        let mut builder = TotalsBuilder::new();
        let mut numbers = Numbers(hour.unsigned_abs() + 77);
        for batch in 0..per_hour as usize / BATCH {
            let batch = hosts(&mut numbers, T0 + hour * 60 * MINUTE + batch as i64 * 50_000_000_000);
            let begun = processor_time_ns();
            builder.add(&batch);
            spent += processor_time_ns() - begun;
        }
        let begun = processor_time_ns();
        files.push(of_file(builder.finish(&folder.join(format!("hour{hour}.parquet"))).unwrap().unwrap()));
        spent += processor_time_ns() - begun;
    }
    let flows = hours * per_hour;
    let bytes: u64 = files.iter().map(|totals| totals.bytes).sum();
    println!(
        "{flows} flows into totals of {hours} hours: {} ns a flow, {:.2} bytes a flow",
        spent.as_nanos() as i64 / flows,
        bytes as f64 / flows as f64
    );
    ask_top("top-10 by source, totals by hour", &files);
    let begun = processor_time();
    let paths: Vec<_> = files.iter().map(|totals| totals.path.clone()).collect();
    let day = of_file(merge(&paths, &folder.join("whole.parquet")).unwrap().unwrap());
    println!("merged into one in {:.1?} of processor time, {} MB", processor_time() - begun, day.bytes / 1_000_000);
    ask_top("top-10 by source, totals of the whole", &[day]);
}

fn ask_top(name: &str, files: &[Totals]) {
    let database = Database::over_parts_and_totals(Vec::new(), files.to_vec(), Options::default()).unwrap();
    let database = BlockingDatabase::new(database).unwrap();
    let question = TopQuestion {
        columns: vec![Column::SrcAddr.into()],
        by: Measure::Bytes,
        count: 10,
        filter: None,
        window: Window::ALL,
    };
    report(name, || database.top(&question).unwrap().rows.num_rows());
}

fn report(name: &str, ask: impl Fn() -> usize) {
    let begun = processor_time();
    let mut times: Vec<Duration> = Vec::new();
    let mut rows = 0;
    for _ in 0..ROUNDS {
        let asked = Instant::now();
        rows = ask();
        times.push(asked.elapsed());
    }
    let worked = (processor_time() - begun) / ROUNDS as u32;
    println!(
        "{name}: {rows} rows, first {:.0?}, best {:.0?}, processor {worked:.0?}",
        times[0],
        times.iter().min().unwrap()
    );
}

fn start(exporter: &[u8], count: usize) -> Builder {
    let mut flows = Builder::new(Table::Flows);
    flows.word(Column::Type).push_run(FlowType::Ipfix as i32, count);
    flows.word(Column::TimeSource).push_run(TimeSource::Absolute as i32, count);
    flows.word(Column::SamplingSource).push_run(SamplingSource::None as i32, count);
    flows.u64(Column::SamplingRate).push_run(1, count);
    flows.address(Column::ExporterAddress).push_run(exporter, count);
    flows.address(Column::SamplerAddress).push_run(exporter, count);
    flows
}

/// Flows of 200 000 hosts, few of which talk most.
fn hosts(numbers: &mut Numbers, received: i64) -> arrow::array::RecordBatch {
    let mut flows = start(&[192, 0, 2, 1 + (numbers.next() % 8) as u8], BATCH);
    let times: Vec<i64> = (0..BATCH as i64).map(|row| received + row * 700_000).collect();
    flows.time(Column::TimeReceivedNs).extend(times.iter().copied());
    flows.time(Column::TimeFlowEndNs).extend(times.iter().map(|time| time - 1_000_000));
    let spans: Vec<i64> = (0..BATCH).map(|_| numbers.duration_ns()).collect();
    flows.time(Column::TimeFlowStartNs).extend(times.iter().zip(spans).map(|(time, span)| time - 1_000_000 - span));
    flows.address(Column::SrcAddr).extend_fixed((0..BATCH).map(|_| numbers.host()));
    flows.address(Column::DstAddr).extend_fixed((0..BATCH).map(|_| numbers.host()));
    flows.u16(Column::SrcPort).extend((0..BATCH).map(|_| 1_024 + (numbers.next() % 60_000) as u16));
    flows.u16(Column::DstPort).extend((0..BATCH).map(|_| [443, 80, 53, 22, 8_080][(numbers.next() % 5) as usize]));
    flows.u8(Column::Proto).extend((0..BATCH).map(|_| [6, 6, 6, 17][(numbers.next() % 4) as usize]));
    flows.u64(Column::Bytes).extend((0..BATCH).map(|_| 40 + numbers.next() % 100_000));
    flows.u64(Column::Packets).extend((0..BATCH).map(|_| 1 + numbers.next() % 100));
    for column in [Column::InIf, Column::OutIf] {
        flows.u32(column).extend((0..BATCH).map(|_| 1 + (numbers.next() % 48) as u32));
    }
    for column in [Column::SrcAs, Column::DstAs] {
        flows.u32(column).extend((0..BATCH).map(|_| 1 + (numbers.next() % 64_000) as u32));
    }
    flows.advance(BATCH);
    flows.finish()
}

fn of_file(file: TotalsFile) -> Totals {
    assert_eq!(file.lacks, Vec::<String>::new());
    Totals {
        path: file.path,
        bytes: file.file_bytes,
        of: Vec::new(),
        outlives: true,
        rows: file.rows,
        first_ns: file.min_received_ns,
        last_ns: file.max_received_ns,
        lacks: file.lacks,
    }
}

/// What all threads of this process have worked so far.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, in hundredths of a second (proc(5)).
    Duration::from_millis((fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10)
}

/// What this thread has worked so far, in nanoseconds, as the scheduler counts it.
fn processor_time_ns() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
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

    /// The smaller the number, the more often: a product of two is small most of the time.
    const fn host(&mut self) -> [u8; 4] {
        let host = (self.next() % 448) * (self.next() % 448);
        let [.., a, b, c] = host.to_be_bytes();
        [10, a, b, c]
    }

    /// Mostly below a second, one in twenty some minutes.
    const fn duration_ns(&mut self) -> i64 {
        let limit = if self.next().is_multiple_of(20) { 600_000_000_000 } else { 1_000_000_000 };
        (self.next() % limit) as i64
    }
}
