//! `finderscope top`.

use crate::store;
use crate::{ask, ask_anyway};

#[test]
fn a_ranking_has_shares_scaled_numbers_and_a_summary() {
    let dir = store::make();
    assert_eq!(
        ask(dir.path(), &["top", "src_addr", "--since", "2026-01-01T00:00:00Z", "--until", "2026-01-01T02:00:00Z"]),
        "\
src_addr  flows     %  packets     %    bytes     %  bit/s
10.0.0.2      3  37.5    3.0 k  95.1  300.0 k  75.0  333.3
10.0.0.3      1  12.5      100   3.2   90.0 k  22.5    100
10.0.0.1      4  50.0       55   1.7   10.0 k   2.5   11.1

Summary: 8 flows, 400.0 kB, 3.2 k packets
Average: 444.4 bit/s, 0.4 packet/s, 0.0011 flow/s, 126.8 byte/packet
Window: 2026-01-01 00:00:00 to 02:00:00 (UTC), 2 h
Note: of 22.5 % of the bytes the sampling rate is not known; it is assumed
Note: 2 exporters, not deduplicated
"
    );
}

#[test]
fn json_has_plain_integers_and_the_notes_are_beside_it() {
    let dir = store::make();
    let done = ask_anyway(dir.path(), &["top", "dst_port", "--by", "flows", "-n", "2", "--format", "json"]);
    assert_eq!(
        done.out,
        "{\"dst_port\":443,\"flows\":5,\"packets_scaled\":1150,\"bytes_scaled\":199500}\n\
         {\"dst_port\":80,\"flows\":2,\"packets_scaled\":2000,\"bytes_scaled\":200000}\n"
    );
    assert_eq!((done.status, done.err.as_str()), (0, "finderscope: warning: 2 exporters, not deduplicated\n"));
}

#[test]
fn nfdumps_spelling_means_the_same() {
    let dir = store::make();
    let own = ask(dir.path(), &["top", "src_addr,dst_port", "--by", "packets"]);
    assert_eq!(ask(dir.path(), &["top", "-s", "srcip,dstport/packets"]), own);
    assert_eq!(ask(dir.path(), &["top", "srcip,dstport/packets"]), own);
}

#[test]
fn protocols_have_names_in_tables_and_numbers_elsewhere() {
    let dir = store::make();
    let filter = ["--filter", "exporter ip 192.0.2.1"];
    let table = ask(dir.path(), &[&["top", "proto"], &filter[..]].concat());
    let firsts: Vec<_> = table.lines().take(3).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(firsts, ["proto", "TCP", "UDP"]);
    assert!(!table.contains("deduplicated"));
    let csv = ask(dir.path(), &[&["top", "proto", "--format", "csv"], &filter[..]].concat());
    assert_eq!(csv, "proto,flows,packets_scaled,bytes_scaled\n6,4,150,99500\n17,1,5,500\n");
}
