//! Other programs read the folder: DuckDB and Apache Arrow's own reader, where Python has them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use common::{START_NS, bare, cut, open, skip};
use finderscope_flow::{Builder, Column, Kind, Table};
use finderscope_store::{Encoding, PartWriter, ShardWriter, Store};
use parquet::file::metadata::KeyValue;

/// A row with a value in every column, and one with nothing but its time.
fn full_rows(table: Table) -> arrow::array::RecordBatch {
    let mut builder = Builder::new(table);
    for &column in table.columns() {
        match column.kind() {
            Kind::Time => builder.time(column).push(START_NS + 123_456_000),
            Kind::U8 => builder.u8(column).push(u8::MAX),
            Kind::U16 => builder.u16(column).push(u16::MAX),
            Kind::U32 => builder.u32(column).push(u32::MAX),
            Kind::U64 => builder.u64(column).push(u64::MAX),
            Kind::Mac => builder.u64(column).push((1 << 48) - 1),
            Kind::Address => builder.address(column).push(&[10, 1, 2, 255]),
            Kind::Text => builder.text(column).push("grüße".as_bytes()),
            Kind::Word(_) => builder.word(column).push(1),
            Kind::List => builder.list(column).push([64_512, u32::MAX].into_iter()),
            Kind::Map => {
                builder.map(column).entry("9/77", "x");
                builder.map(column).close();
            }
        }
    }
    builder.advance(1);
    builder.time(Column::TimeReceivedNs).push(START_NS);
    builder.advance(1);
    builder.finish()
}

/// Runs a script on a folder that `fill` has filled, where Python has what it needs.
fn run(module: &str, script: &str, fill: impl FnOnce(&Path)) {
    let python = |script: &str, dir: &Path| Command::new("python3").args(["-c", script]).arg(dir).output();
    let dir = tempfile::tempdir().unwrap();
    match python(&format!("import {module}"), dir.path()) {
        Ok(output) if output.status.success() => {}
        _ => return skip(&format!("python3 has no module {module}")),
    }
    fill(dir.path());
    let output = python(script, dir.path()).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn check(module: &str, script: &str) {
    // The store stays open while the script runs.
    let mut kept = None;
    run(module, script, |dir| kept = Some(filled(dir)));
}

fn filled(dir: &Path) -> (Store, ShardWriter) {
    let (store, _) = open(dir);
    let mut writer = store.writer(0).unwrap();
    for table in Table::ALL {
        writer.write(table, full_rows(table)).unwrap();
    }
    cut(&mut writer, 1, None).unwrap();
    // What is not cut yet must not be seen.
    writer.write(Table::Flows, bare(Table::Flows, START_NS)).unwrap();
    (store, writer)
}

const ROWS: usize = 40_000;

/// Both kinds of parts, of rows whose columns are encoded in every way: runs, streams, lengths, dictionaries, nulls.
fn parts(dir: &Path) {
    let mut builder = Builder::new(Table::Flows);
    let rows = 0..ROWS;
    builder.word(Column::Type).extend(rows.clone().map(|row| (row / 9_000) as i32));
    builder.time(Column::TimeReceivedNs).extend(rows.clone().map(|row| START_NS + (row / 24) as i64 * 1_000));
    builder
        .time(Column::TimeFlowStartNs)
        .extend(rows.clone().map(|row| START_NS - (row * row % 9_973) as i64 * 1_000_000));
    builder.u64(Column::Bytes).extend(rows.clone().map(|row| row as u64 * 48_271 % 0x7fff_ffff));
    builder.u32(Column::SrcAs).extend(rows.clone().map(|row| (row * row % 251) as u32 * 1_000_003));
    builder.u16(Column::DstPort).push_run(443, ROWS);
    builder.u8(Column::Proto).extend(rows.clone().map(|row| [6, 17, 1][row * row % 3]));
    rows.clone().for_each(|row| builder.u16(Column::TcpFlags).push_option((row % 3 > 0).then_some(row as u16 % 64)));
    for row in rows.clone() {
        builder.address(Column::ExporterAddress).push(&[192, 0, 2, (row / 24 % 8) as u8]);
        builder.address(Column::SrcAddr).push(&((row * row % 7_919) as u32).to_be_bytes());
        let dst = (row as u128 * 0x9e37_79b9_7f4a_7c15).to_be_bytes();
        builder.address(Column::DstAddr).push(if row % 5 == 0 { &dst } else { &dst[12..] });
    }
    builder.advance(ROWS);
    let batch = builder.finish();
    for (name, encoding) in [("cut.parquet", Encoding::Cut), ("merged.parquet", Encoding::Merged)] {
        let mut writer =
            PartWriter::new(Arc::new(File::create(dir.join(name)).unwrap()), Table::Flows, encoding).unwrap();
        writer.write(&batch).unwrap();
        writer.finish(KeyValue::new("finderscope".to_owned(), String::new())).unwrap();
    }
}

/// What the rows of [`parts`] are, said once more for the scripts.
const EXPECTED: &str = r#"
import sys
R = range(40000)
def dst(row):
    whole = (row * 0x9e3779b97f4a7c15).to_bytes(16, "big")
    return whole if row % 5 == 0 else whole[12:]
expected = {
    "bytes": [row * 48271 % 0x7fffffff for row in R],
    "src_as": [row * row % 251 * 1000003 for row in R],
    "dst_port": [443 for row in R],
    "proto": [[6, 17, 1][row * row % 3] for row in R],
    "tcp_flags": [row % 64 if row % 3 > 0 else None for row in R],
    "exporter_address": [bytes([192, 0, 2, row // 24 % 8]) for row in R],
    "src_addr": [(row * row % 7919).to_bytes(4, "big") for row in R],
    "dst_addr": [dst(row) for row in R],
    "src_mac": [None for row in R],
}
received = [1767225600000000 + row // 24 for row in R]
start = [1767225600000000 - row * row % 9973 * 1000 for row in R]
"#;

#[test]
fn duckdb_reads_both_kinds_of_parts() {
    let script = r#"
import duckdb
for part in ["cut", "merged"]:
    source = f"'{sys.argv[1]}/{part}.parquet'"
    for name, values in expected.items():
        got = [row[0] for row in duckdb.sql(f"select {name} from {source}").fetchall()]
        assert got == values, (part, name)
    for name, values in {"time_received_ns": received, "time_flow_start_ns": start}.items():
        got = [row[0] for row in duckdb.sql(f"select epoch_us({name}::timestamptz) from {source}").fetchall()]
        assert got == values, (part, name)
    [(words,)] = duckdb.sql(f"select count(distinct type) from {source}").fetchall()
    assert words == 5, words
    # Statistics are believed.
    [(few,)] = duckdb.sql(f"select count(*) from {source} where time_received_ns < '2026-01-01T00:00:00.000010Z'").fetchall()
    assert few == 240, few
"#;
    run("duckdb", &format!("{EXPECTED}{script}"), parts);
}

#[test]
fn arrows_own_reader_reads_both_kinds_of_parts() {
    let script = r#"
import pyarrow.parquet as pq, pyarrow as pa
for part in ["cut", "merged"]:
    rows = pq.read_table(f"{sys.argv[1]}/{part}.parquet")
    for name, values in expected.items():
        assert rows.column(name).to_pylist() == values, (part, name)
    for name, values in {"time_received_ns": received, "time_flow_start_ns": start}.items():
        got = rows.column(name).cast(pa.int64()).to_pylist()
        assert [time // 1000 for time in got] == values, (part, name)
    assert len(rows.column("type").unique()) == 5
"#;
    run("pyarrow.parquet", &format!("{EXPECTED}{script}"), parts);
}

#[test]
fn duckdb_reads_every_column_of_every_table_while_the_store_is_open() {
    check(
        "duckdb",
        r#"
import duckdb, sys
for table in "flows counters drops events options".split():
    source = f"'{sys.argv[1]}/{table}/day=*/hour=*/*.parquet'"
    rows = duckdb.sql(f"select * from {source}")
    names, types = rows.columns, [str(t) for t in rows.types]
    # Times as numbers: Python needs one more module for those with a zone.
    times = ", ".join(f"epoch_us({n}::timestamptz) as {n}" for n, t in zip(names, types) if t.startswith("TIMESTAMP"))
    rows = duckdb.sql(f"select * replace ({times}) from {source} order by time_received_ns")
    empty, full = [dict(zip(names, row)) for row in rows.fetchall()]
    assert str(empty.pop("day")) == "2026-01-01" and empty.pop("hour") in ("00", 0), (empty,)
    del full["day"], full["hour"]
    kind = dict(zip(names, types))
    assert kind["time_received_ns"].startswith("TIMESTAMP"), kind
    assert empty.pop("time_received_ns") == 1767225600_000000
    assert all(value is None for value in empty.values()), empty
    want = {"UTINYINT": 255, "USMALLINT": 65535, "UINTEGER": 2**32 - 1, "BLOB": bytes([10, 1, 2, 255]),
            "UINTEGER[]": [64512, 2**32 - 1], "MAP(VARCHAR, VARCHAR)": {"9/77": "x"}}
    for name, value in full.items():
        if kind[name] in want:
            assert value == want[kind[name]], (name, kind[name], value)
        elif kind[name] == "UBIGINT":
            assert value == (2**48 - 1 if name.endswith("_mac") else 2**64 - 1), (name, value)
        elif kind[name] == "VARCHAR":
            assert value, name
        else:
            assert kind[name].startswith("TIMESTAMP") and value == 1767225600_123456, (name, kind[name], value)
"#,
    );
}

#[test]
fn arrows_own_reader_sees_times_in_utc_and_the_kinds() {
    check(
        "pyarrow.parquet",
        r#"
import glob, pyarrow as pa, pyarrow.parquet as pq, sys
for table in "flows counters drops events options".split():
    [path] = glob.glob(f"{sys.argv[1]}/{table}/day=2026-01-01/hour=00/*.parquet")
    rows = pq.ParquetFile(path).read()
    assert rows.num_rows == 2 and rows.num_columns > 10, rows.schema
    assert rows.schema.field("time_received_ns").type == pa.timestamp("ns", "UTC"), rows.schema
    assert rows.schema.field("exporter_address").metadata[b"kind"] == b"address", rows.schema
    assert rows.column("exporter_address").to_pylist() == [bytes([10, 1, 2, 255]), None]
    assert b"finderscope" in pq.read_metadata(path).metadata
"#,
    );
}
