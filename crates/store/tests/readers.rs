//! Other programs read the folder: DuckDB and Apache Arrow's own reader, where Python has them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{START_NS, bare, cut, open, skip};
use finderscope_flow::{Builder, Column, Kind, Table};

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

fn check(module: &str, script: &str) {
    let python = |script: &str, dir: &Path| Command::new("python3").args(["-c", script]).arg(dir).output();
    let dir = tempfile::tempdir().unwrap();
    match python(&format!("import {module}"), dir.path()) {
        Ok(output) if output.status.success() => {}
        _ => return skip(&format!("python3 has no module {module}")),
    }
    let (store, _) = open(dir.path());
    let mut writer = store.writer(0).unwrap();
    for table in Table::ALL {
        writer.write(table, full_rows(table)).unwrap();
    }
    cut(&mut writer, 1, None).unwrap();
    // What is not cut yet must not be seen.
    writer.write(Table::Flows, bare(Table::Flows, START_NS)).unwrap();
    let output = python(script, dir.path()).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
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
