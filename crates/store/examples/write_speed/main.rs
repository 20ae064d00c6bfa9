//! What a flow costs to write, and how large it becomes: the store's way, and other settings beside it.
//!
//! `cargo run -p finderscope-store --example write_speed -- [MILLIONS] [FOLDER] [WORD]`, where WORD picks lines
//!
//! The rows are skewed as real traffic is, and have the columns that a router's NetFlow v9 template fills.
//! Times are the thread's own, so that a busy machine disturbs less; the wall's are beside.
#![allow(clippy::unwrap_used, reason = "an example that cannot go on has nothing better to do")]

mod traffic;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use arrow::array::RecordBatch;
use finderscope_flow::{Column, Kind, Table};
use finderscope_store::{Cut, Options, Store, writer_properties};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::schema::types::ColumnPath;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rows = arguments.next().map_or(2_000_000, |millions| millions.parse::<usize>().unwrap() * 1_000_000);
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let word = arguments.next().unwrap_or_default();
    let dir = tempfile::tempdir_in(folder).unwrap();
    let batches = traffic::batches(rows);
    let mut out = io::stdout().lock();
    writeln!(out, "{:<44} {:>8} {:>8} {:>8}", "", "ns/flow", "wall", "bytes").unwrap();
    let mut line = |name: &str, work: &mut dyn FnMut() -> Cost| {
        if !name.contains(&word) {
            return;
        }
        let per = |total: u64| total as f64 / rows as f64;
        let Cost { cpu_ns, wall_ns, bytes } = best(work);
        writeln!(out, "{name:<44} {:>8.0} {:>8.0} {:>8.2}", per(cpu_ns), per(wall_ns), per(bytes)).unwrap();
        out.flush().unwrap();
    };
    line("the store, cut each 65 536 rows", &mut || store(dir.path(), &batches, 1));
    line("the store, cut each million rows", &mut || store(dir.path(), &batches, 1_000_000));
    for (name, properties) in settings() {
        line(name, &mut || plain(&dir.path().join("plain.parquet"), &batches, properties.clone()));
    }
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

fn settings() -> Vec<(&'static str, WriterProperties)> {
    let ours = || WriterPropertiesBuilder::from(writer_properties(Table::Flows, finderscope_store::Encoding::Cut));
    let each = |change: fn(WriterPropertiesBuilder, Column, ColumnPath) -> WriterPropertiesBuilder| {
        let columns = Table::Flows.columns().iter();
        let changed = columns.fold(ours(), |builder, &column| change(builder, column, ColumnPath::from(column.name())));
        changed.build()
    };
    let zstd = |level| Compression::ZSTD(ZstdLevel::try_new(level).unwrap());
    vec![
        ("our settings, no sums, no sync", ours().build()),
        ("the writer's defaults, zstd 1", WriterProperties::builder().set_compression(zstd(1)).build()),
        ("ours, statistics of every column", each(every_statistic)),
        ("ours, offset index", ours().set_offset_index_disabled(false).build()),
        ("ours, version 2 pages", ours().set_writer_version(WriterVersion::PARQUET_2_0).build()),
        ("ours, zstd 3", ours().set_compression(zstd(3)).build()),
        ("ours, few exporters' addresses as dictionary", each(few_dictionary)),
        ("ours, addresses as dictionary of 8 MB", each(address_dictionary)),
        ("ours, all times as deltas", each(time_deltas)),
        ("ours, bytes and half-words as dictionary", each(small_dictionary)),
    ]
}

fn address_dictionary(builder: WriterPropertiesBuilder, column: Column, path: ColumnPath) -> WriterPropertiesBuilder {
    if column.kind() != Kind::Address {
        return builder;
    }
    builder.set_column_dictionary_enabled(path.clone(), true).set_column_dictionary_page_size_limit(path, 8 << 20)
}

fn few_dictionary(builder: WriterPropertiesBuilder, column: Column, path: ColumnPath) -> WriterPropertiesBuilder {
    match column {
        Column::ExporterAddress | Column::SamplerAddress | Column::NextHop | Column::BgpNextHop => {
            builder.set_column_dictionary_enabled(path, true)
        }
        _ => builder,
    }
}

fn every_statistic(builder: WriterPropertiesBuilder, _: Column, path: ColumnPath) -> WriterPropertiesBuilder {
    builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk)
}

fn time_deltas(builder: WriterPropertiesBuilder, column: Column, path: ColumnPath) -> WriterPropertiesBuilder {
    if column.kind() != Kind::Time {
        return builder;
    }
    builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
}

fn small_dictionary(builder: WriterPropertiesBuilder, column: Column, path: ColumnPath) -> WriterPropertiesBuilder {
    if !matches!(column.kind(), Kind::U8 | Kind::U16) {
        return builder;
    }
    builder.set_column_dictionary_enabled(path, true)
}
