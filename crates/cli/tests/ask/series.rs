//! `finderscope series`.

use crate::ask;
use crate::store;

#[test]
fn bins_of_spread_volumes_with_bars() {
    let dir = store::make();
    let words = ["series", "--every", "1m", "--by", "flows", "--until", "2026-01-01T00:30:00Z"];
    assert_eq!(
        ask(dir.path(), &words),
        "\
time (UTC)           flows  packets    bytes   bit/s  flows
2025-12-31 23:59:00      0       10    1.0 k   133.3
2026-01-01 00:00:00      1       22    2.3 k     300  ███████████████
2026-01-01 00:01:00      2        3      250    33.3  ██████████████████████████████
2026-01-01 00:02:00      0    1.0 k  100.0 k  13.3 k
2026-01-01 00:03:00      1        0        0       0  ███████████████
"
    );
}

#[test]
fn bins_that_the_window_cuts_are_marked() {
    let dir = store::make();
    let window = ["--since", "2026-01-01T00:00:00.500Z", "--until", "2026-01-01T00:03:30Z"];
    let out = ask(dir.path(), &[&["series", "--every", "1m", "--format", "csv"], &window[..]].concat());
    assert_eq!(
        out,
        "time,flows,packets_scaled,bytes_scaled,incomplete\n\
         2025-12-31T23:59:00Z,0,10,1000,true\n\
         2026-01-01T00:00:00Z,1,22,2250,true\n\
         2026-01-01T00:01:00Z,2,3,250,false\n\
         2026-01-01T00:02:00Z,0,1000,100000,false\n\
         2026-01-01T00:03:00Z,1,0,0,true\n"
    );
}

#[test]
fn a_line_for_each_value_of_a_column() {
    let dir = store::make();
    let out = ask(dir.path(), &["series", "--every", "1h", "--column", "srcip", "--format", "json", "--limit", "2"]);
    assert_eq!(
        out,
        "{\"time\":\"2025-12-31T23:00:00Z\",\"src_addr\":\"10.0.0.1\",\"flows\":0,\"packets_scaled\":10,\
         \"bytes_scaled\":1000,\"incomplete\":false}\n\
         {\"time\":\"2026-01-01T00:00:00Z\",\"src_addr\":\"10.0.0.1\",\"flows\":3,\"packets_scaled\":25,\
         \"bytes_scaled\":2500,\"incomplete\":false}\n"
    );
}

#[test]
fn automatic_bins_fit_what_is_there() {
    let dir = store::make();
    let out = ask(dir.path(), &["series"]);
    // An hour and three seconds: bins of five minutes, one of them before the first that a flow ended in.
    assert_eq!(out.lines().count(), 1 + 14);
}

#[test]
fn an_explanation_says_what_would_be_read() {
    let dir = store::make();
    let rows = "2 parts of flows are read as rows: 8 rows\n";
    assert_eq!(ask(dir.path(), &["series", "--bin", "1h", "--explain"]), rows);
    assert_eq!(ask(dir.path(), &["query", "select sum(bytes) from flows", "--explain"]), rows);
    assert_eq!(ask(dir.path(), &["top", "srcip", "--explain"]), format!("rows, and totals of all flows: {rows}"));
}
