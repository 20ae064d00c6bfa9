//! `finderscope series`.

use crate::ask;
use crate::store;

#[test]
fn bins_by_the_flows_end_with_gaps_and_bars() {
    let dir = store::make();
    let words = ["series", "--every", "1m", "--by", "flows", "--until", "2026-01-01T00:30:00Z"];
    assert_eq!(
        ask(dir.path(), &words),
        "\
time (UTC)           flows  packets    bytes   bit/s  flows
2026-01-01 00:00:00      1       10    1.0 k   133.3  ███████████████
2026-01-01 00:01:00      2       25    2.5 k   333.3  ██████████████████████████████
2026-01-01 00:02:00      0        0        0       0
2026-01-01 00:03:00      1    1.0 k  100.0 k  13.3 k  ███████████████
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
         2026-01-01T00:00:00Z,1,10,1000,true\n\
         2026-01-01T00:01:00Z,2,25,2500,false\n\
         2026-01-01T00:03:00Z,1,1000,100000,true\n"
    );
}

#[test]
fn a_line_for_each_value_of_a_column() {
    let dir = store::make();
    let out = ask(dir.path(), &["series", "--every", "1h", "--column", "srcip", "--format", "json", "--limit", "2"]);
    assert_eq!(
        out,
        "{\"time\":\"2026-01-01T00:00:00Z\",\"src_addr\":\"10.0.0.1\",\"flows\":3,\"packets_scaled\":35,\
         \"bytes_scaled\":3500,\"incomplete\":false}\n\
         {\"time\":\"2026-01-01T00:00:00Z\",\"src_addr\":\"10.0.0.2\",\"flows\":1,\"packets_scaled\":1000,\
         \"bytes_scaled\":100000,\"incomplete\":false}\n"
    );
}

#[test]
fn automatic_bins_fit_what_is_there() {
    let dir = store::make();
    let out = ask(dir.path(), &["series"]);
    // An hour and three seconds: bins of five minutes.
    assert_eq!(out.lines().count(), 1 + 13);
}
