//! `finderscope query`.

use std::fs::{self, File};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::store::{self, NASTY};
use crate::{ask, ask_anyway, bytes, finderscope, in_zone, words};

const BY_SOURCE: &str =
    "select src_addr, count(*) as flows, sum(bytes_scaled) as bytes from flows group by 1 order by 1";

#[test]
fn json_is_an_object_a_line_with_plain_integers_and_nulls() {
    let dir = store::make();
    assert_eq!(
        ask(dir.path(), &["query", BY_SOURCE, "--format", "json"]),
        "{\"src_addr\":\"10.0.0.1\",\"flows\":4,\"bytes\":10000}\n\
         {\"src_addr\":\"10.0.0.2\",\"flows\":3,\"bytes\":300000}\n\
         {\"src_addr\":\"10.0.0.3\",\"flows\":1,\"bytes\":90000}\n"
    );
    let sql = "select time_received_ns, sampling_rate, app from flows where src_addr = '10.0.0.3'";
    assert_eq!(
        ask(dir.path(), &["query", sql, "--format", "json"]),
        "{\"time_received_ns\":\"2026-01-01T01:00:03.500Z\",\"sampling_rate\":null,\"app\":\"a\\u001b[2J\\u202eb\"}\n"
    );
}

#[test]
fn csv_has_a_header_also_without_rows() {
    let dir = store::make();
    let sql = "select src_addr, app from flows where src_addr <<= '10.0.0.2/31' order by bytes desc limit 2";
    assert_eq!(
        ask(dir.path(), &["query", sql, "--format", "csv"]),
        "src_addr,app\n10.0.0.3,a\\u001b[2J\\u202eb\n10.0.0.2,\n"
    );
    let none = "select src_addr from flows where dst_port = 1";
    assert_eq!(ask(dir.path(), &["query", none, "--format", "csv"]), "src_addr\n");
    assert_eq!(ask(dir.path(), &["query", none, "--format", "json"]), "");
    assert_eq!(ask(dir.path(), &["query", none]), "src_addr\n");
}

#[test]
fn a_table_is_aligned_exact_and_safe_to_print() {
    let dir = store::make();
    assert_eq!(
        ask(dir.path(), &["query", BY_SOURCE]),
        "src_addr  flows   bytes\n10.0.0.1      4   10000\n10.0.0.2      3  300000\n10.0.0.3      1   90000\n"
    );
    let table = ask(dir.path(), &["query", "select app, bytes from flows order by bytes desc limit 2"]);
    assert_eq!(words(&table), [["app", "bytes"], ["a\\u001b[2J\\u202eb", "90000"], ["-", "6500"]]);
    assert!(!table.contains(NASTY) && !table.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn tables_have_local_time_unless_told_otherwise() {
    let dir = store::make();
    let data = dir.path().to_str().unwrap();
    let sql = "select time_flow_end_ns as t from flows order by 1 limit 1";
    let local = in_zone("<+0530>-5:30", &["query", sql, "--data", data]);
    assert_eq!(local.out, "t (UTC+05:30)\n2026-01-01 05:30:00\n");
    let utc = in_zone("<+0530>-5:30", &["query", sql, "--data", data, "--utc"]);
    assert_eq!(utc.out, "t (UTC)\n2026-01-01 00:00:00\n");
    let json = in_zone("<+0530>-5:30", &["query", sql, "--data", data, "--format", "json"]);
    assert_eq!(json.out, "{\"t\":\"2026-01-01T00:00:00Z\"}\n");
}

#[test]
fn parquet_goes_into_a_file_or_a_pipe() {
    let dir = store::make();
    let data = dir.path().to_str().unwrap();
    let file = dir.path().join("answer.parquet");
    let sql = "select * from flows";
    ask(dir.path(), &["query", sql, "--format", "parquet", "-o", file.to_str().unwrap()]);
    let (status, piped, err) = bytes("UTC", &["query", sql, "--format", "parquet", "--data", data]);
    assert_eq!((status, err.as_str()), (0, ""));
    for written in [fs::read(&file).unwrap(), piped] {
        assert!(written.starts_with(b"PAR1") && written.ends_with(b"PAR1"));
        fs::write(&file, written).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file).unwrap()).unwrap().build().unwrap();
        let rows: usize = reader.map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, 8);
    }
}

#[test]
fn a_window_and_a_limit_hold() {
    let dir = store::make();
    let count = |words: &[&str]| ask(dir.path(), &[&["query", "select count(*) as n from flows"], words].concat());
    assert_eq!(words(&count(&["--since", "2026-01-01T01:00:00Z"]))[1], ["4"]);
    assert_eq!(words(&count(&["--until", "2026-01-01T00:01:00.5Z"]))[1], ["1"]);
    assert_eq!(words(&count(&["--until", "2026-01-01T00:01:00Z", "--time", "flow"]))[1], ["3"]);
    assert_eq!(words(&count(&["--last", "1h"]))[1], ["0"]);
    assert_eq!(words(&count(&["--since", "-15m", "--until", "now"]))[1], ["0"]);
    let limited = ask(dir.path(), &["query", "select bytes from flows", "--limit", "3", "--format", "json"]);
    assert_eq!(limited.lines().count(), 3);
}

#[test]
fn plain_sums_over_sampled_rows_get_a_warning() {
    let dir = store::make();
    let done = ask_anyway(dir.path(), &["query", "select sum(bytes) as b from flows"]);
    assert_eq!((done.status, done.out.as_str()), (0, "     b\n100300\n"));
    assert_eq!(done.err.lines().count(), 1);
    assert!(done.err.contains("sum(bytes_scaled)"), "{}", done.err);
}

#[test]
fn help_has_an_example_for_each_command() {
    for command in ["query", "flows", "top", "series"] {
        let done = finderscope(&[command, "--help"]);
        assert_eq!(done.status, 0);
        assert!(done.out.contains(&format!("Examples:\n  finderscope {command}")), "{}", done.out);
    }
}

#[test]
fn a_filter_holds_for_sql_too() {
    let dir = store::make();
    let count = "select count(*) as n, count(distinct src_addr) as hosts from flows";
    let done = ask(dir.path(), &["query", count, "--filter", "src ip 10.0.0.1", "--format", "json"]);
    assert_eq!(done, "{\"n\":4,\"hosts\":1}\n");
}
