//! What a flow costs to write and to read again, and how large it becomes: cut parts, merged parts, and beside them
//! what Parquet's own writer makes of the same rows.
//!
//! `cargo run --release -p finderscope-store --example write_speed -- [MILLIONS] [FOLDER] [WORD] [PART...]`, where WORD
//! picks lines, and PARTs are Parquet files of the table of flows whose rows are taken; all batches are then written
//! as often as MILLIONS wants.
//!
//! Without PARTs the rows are skewed as real traffic is, and have the columns that a router's NetFlow v9 template
//! fills. Times are the thread's own, so that a busy machine disturbs less; the wall's are beside.
#![allow(clippy::unwrap_used, reason = "an example that cannot go on has nothing better to do")]

mod traffic;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Schema};
use finderscope_flow::{Column, Table};
use finderscope_store::{Cut, Encoding, Options, PartWriter, Store, writer_properties};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

/// Rows of a batch, as the builders make them.
const BATCH_ROWS: usize = 65_536;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rows = arguments.next().map_or(2_000_000, |millions| millions.parse::<usize>().unwrap() * 1_000_000);
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let word = arguments.next().unwrap_or_default();
    let parts: Vec<String> = arguments.collect();
    let dir = tempfile::tempdir_in(folder).unwrap();
    let batches = if parts.is_empty() { traffic::batches(1, rows) } else { taken(&parts, rows) };
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut out = io::stdout().lock();
    writeln!(out, "{:<36} {:>8} {:>8} {:>8}", "", "ns/flow", "wall", "bytes").unwrap();
    let mut line = |name: &str, work: &mut dyn FnMut() -> Cost| {
        if !name.contains(&word) {
            return;
        }
        let per = |total: u64| total as f64 / rows as f64;
        let Cost { cpu_ns, wall_ns, bytes } = best(work);
        writeln!(out, "{name:<36} {:>8.1} {:>8.1} {:>8.2}", per(cpu_ns), per(wall_ns), per(bytes)).unwrap();
        out.flush().unwrap();
    };
    let path = |name: &str| dir.path().join(name);
    line("the store, cut each 65 536 rows", &mut || store(dir.path(), &batches, 1));
    line("the store, cut each million rows", &mut || store(dir.path(), &batches, 1_000_000));
    line("cut part", &mut || part(&path("cut"), &batches, Encoding::Cut));
    line("merged part", &mut || part(&path("merged"), &batches, Encoding::Merged));
    for (name, properties) in stock() {
        line(name, &mut || plain(&path(name), &batches, properties.clone()));
    }
    let files = ["cut", "merged"].into_iter().chain(stock().into_iter().map(|(name, _)| name));
    for file in files.filter(|file| path(file).exists()) {
        line(&format!("read {file}"), &mut || read(&path(file)));
    }
}

/// The rows of parts, in batches as long as the builders', and as many as are wanted.
fn taken(parts: &[String], rows: usize) -> Vec<RecordBatch> {
    let open = |part| ParquetRecordBatchReaderBuilder::try_new(File::open(part).unwrap()).unwrap();
    let read = parts.iter().flat_map(|part| open(part).build().unwrap().map(|batch| adapted(&batch.unwrap())));
    let read: Vec<_> = read.collect();
    let whole = concat_batches(&Table::Flows.schema(), &read).unwrap();
    let starts = (0..whole.num_rows()).step_by(BATCH_ROWS);
    let once: Vec<_> = starts.map(|at| whole.slice(at, BATCH_ROWS.min(whole.num_rows() - at))).collect();
    let enough = rows.div_ceil(BATCH_ROWS).max(1);
    once.iter().cycle().take(enough).cloned().collect()
}

/// A batch over today's columns, whatever columns there were when it was written.
fn adapted(batch: &RecordBatch) -> RecordBatch {
    let schema = Table::Flows.schema();
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name()).cloned();
        column.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

struct Cost {
    cpu_ns: u64,
    wall_ns: u64,
    bytes: u64,
}

fn measure(work: impl FnOnce() -> u64) -> Cost {
    let (cpu, wall) = (thread_ns(), Instant::now());
    let bytes = work();
    Cost { cpu_ns: thread_ns() - cpu, wall_ns: wall.elapsed().as_nanos() as u64, bytes }
}

/// The cheapest of three, since others use the machine too.
fn best(mut work: impl FnMut() -> Cost) -> Cost {
    (0..3).map(|_| work()).min_by_key(|cost| cost.cpu_ns).unwrap()
}

/// Time that this thread was running.
fn thread_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn store(dir: &Path, batches: &[RecordBatch], cut_rows: usize) -> Cost {
    let data = tempfile::tempdir_in(dir).unwrap();
    let (store, _) = Store::open(data.path(), Options::default()).unwrap();
    let mut writer = store.writer(0).unwrap();
    let (mut position, mut pending) = (0, 0);
    measure(|| {
        for batch in batches {
            writer.write(Table::Flows, batch.clone()).unwrap();
            (position, pending) = (position + batch.num_rows() as u64, pending + batch.num_rows());
            if pending >= cut_rows {
                writer.cut(Cut { position, state: None, sync_journal: || Ok(()) }).unwrap();
                pending = 0;
            }
        }
        writer.cut(Cut { position, state: None, sync_journal: || Ok(()) }).unwrap();
        store.stats().tables["flows"].file_bytes
    })
}

fn plain(path: &Path, batches: &[RecordBatch], properties: WriterProperties) -> Cost {
    measure(|| {
        let file = File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, Table::Flows.schema(), Some(properties)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.close().unwrap();
        std::fs::metadata(path).unwrap().len()
    })
}

/// A part without the store around it.
fn part(path: &Path, batches: &[RecordBatch], encoding: Encoding) -> Cost {
    measure(|| {
        let file = Arc::new(File::create(path).unwrap());
        let mut writer = PartWriter::new(file, Table::Flows, encoding).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish(KeyValue::new("finderscope".to_owned(), String::new())).unwrap();
        std::fs::metadata(path).unwrap().len()
    })
}

fn stock() -> [(&'static str, WriterProperties); 3] {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
    [
        ("stock writer, its defaults, zstd 1", WriterProperties::builder().set_compression(zstd).build()),
        ("stock writer, as cut", writer_properties(Table::Flows, Encoding::Cut)),
        ("stock writer, as merged", writer_properties(Table::Flows, Encoding::Merged)),
    ]
}

/// Who sent how much to whom: the columns that most questions read, byte strings as views as the planner wants them.
fn read(path: &Path) -> Cost {
    let wanted = [Column::SrcAddr, Column::DstAddr, Column::Bytes, Column::Packets, Column::DstPort];
    let schema = Table::Flows.schema();
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Binary => field.as_ref().clone().with_data_type(DataType::BinaryView),
        _ => field.as_ref().clone(),
    });
    let views = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    measure(|| {
        let options = ArrowReaderOptions::new().with_schema(views);
        let file = File::open(path).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap();
        let mask = ProjectionMask::columns(builder.parquet_schema(), wanted.map(Column::name));
        let reader = builder.with_projection(mask).with_batch_size(8_192).build().unwrap();
        let rows: usize = reader.map(|batch| std::hint::black_box(batch.unwrap()).num_rows()).sum();
        assert!(rows > 0);
        std::fs::metadata(path).unwrap().len()
    })
}
