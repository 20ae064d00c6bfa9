//! `finderscope flows`.

use crate::store;
use crate::{ask, words};

#[test]
fn a_line_has_what_nfdump_shows() {
    let dir = store::make();
    let out = ask(dir.path(), &["flows", "src", "ip", "10.0.0.2", "and", "port", "443"]);
    assert_eq!(
        words(&out),
        [
            &[
                "start",
                "(UTC)",
                "duration",
                "proto",
                "source",
                "destination",
                "packets",
                "bytes",
                "sampling",
                "flags",
                "exporter"
            ][..],
            &[
                "2026-01-01",
                "00:02:58.000",
                "2",
                "s",
                "TCP",
                "10.0.0.2:40000",
                "->",
                "10.9.9.9:443",
                "1",
                "100",
                "1:1000",
                "-",
                "192.0.2.2"
            ],
        ]
    );
}

#[test]
fn json_has_every_column_that_a_flow_has_and_no_other() {
    let dir = store::make();
    let out = ask(dir.path(), &["flows", "--format", "json", "src ip 10.0.0.3"]);
    let flow: serde_json::Value = serde_json::from_str(&out).unwrap();
    let flow = flow.as_object().unwrap();
    assert_eq!(flow["type"], "IPFIX");
    assert_eq!(flow["bytes"], 90_000);
    assert_eq!(flow["bytes_scaled"], 90_000);
    assert_eq!(flow["sampling_source"], "assumed");
    assert_eq!(flow["time_flow_end_ns"], "2026-01-01T01:00:03Z");
    assert!(!flow.contains_key("sampling_rate") && !flow.contains_key("src_as"));
}

#[test]
fn both_filters_hold_and_the_order_is_as_asked() {
    let dir = store::make();
    let args = ["flows", "--columns", "src_addr,bytes_scaled", "--format", "csv", "--sort=-bytes_scaled", "-n", "3"];
    assert_eq!(ask(dir.path(), &args), "src_addr,bytes_scaled\n10.0.0.2,100000\n10.0.0.2,100000\n10.0.0.2,100000\n");
    let out = ask(dir.path(), &[&args[..], &["--filter", "port 443", "src ip 10.0.0.1"]].concat());
    assert_eq!(out, "src_addr,bytes_scaled\n10.0.0.1,6500\n10.0.0.1,2000\n10.0.0.1,1000\n");
}

#[test]
fn nothing_found_is_no_failure() {
    let dir = store::make();
    assert_eq!(ask(dir.path(), &["flows", "port 9"]).lines().count(), 1);
    assert_eq!(ask(dir.path(), &["flows", "port 9", "--format", "json"]), "");
}
