//! Every real datagram that we have: nothing is lost, nothing is misread, rows come out.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use finderscope_flow::Table;
use finderscope_intake::Protocol;

use crate::harness::{Collector, From};

pub(crate) fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("FINDERSCOPE_CORPUS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus")), PathBuf::from);
    if path.join("MANIFEST.tsv").is_file() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "skipped: no corpus at {}", path.display());
    None
}

/// Files of single datagrams by session, templates first.
fn sessions(corpus: &std::path::Path) -> BTreeMap<String, Vec<(String, Vec<u8>)>> {
    let manifest = std::fs::read_to_string(corpus.join("MANIFEST.tsv")).unwrap();
    let mut sessions: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for line in manifest.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [path, protocol, format] = columns[..3] else { continue };
        if format != "datagram" || !["netflow-v5", "netflow-v9", "ipfix", "sflow", "malformed"].contains(&protocol) {
            continue;
        }
        let group = columns.last().copied().filter(|group| *group != "-").unwrap_or(path);
        let bytes = std::fs::read(corpus.join(path)).unwrap();
        sessions.entry(group.to_owned()).or_default().push((path.to_owned(), bytes));
    }
    for files in sessions.values_mut() {
        files.sort_by_key(|(path, _)| (!path.contains("tpl"), path.clone()));
    }
    sessions
}

#[test]
fn every_datagram_of_the_corpus_is_accounted_for() {
    let Some(corpus) = corpus() else { return };
    let (mut datagrams, mut flows, mut barren) = (0, 0, Vec::new());
    for (session, files) in sessions(&corpus) {
        let mut collector = Collector::new(Default::default());
        for (_, bytes) in &files {
            datagrams += 1;
            collector.send_from(From::address("10.0.0.1"), bytes);
        }
        let books = collector.books();
        let rows: usize = Table::ALL.into_iter().map(|table| collector.rows(table).len()).sum();
        flows += rows;
        assert!(rows as u64 >= books.records.in_memory, "{session}: {books:?}");
        if books.records.in_memory == 0 && !session.contains("malformed") {
            barren.push(session);
        }
    }
    assert!(datagrams > 90 && flows > 600, "{datagrams} datagrams, {flows} rows");
    assert!(barren.is_empty(), "sessions without a record: {barren:#?}");
}

#[test]
fn sound_captures_have_no_damage() {
    let Some(corpus) = corpus() else { return };
    for (path, protocol) in [
        ("netflow-v9/logstash-netflow9_test_cisco_1941K9.dat", Protocol::NetflowV9),
        ("netflow-v9/logstash-netflow9_test_nprobe_dpi.dat", Protocol::NetflowV9),
        ("sflow/path-sflow_flow_sample.dat", Protocol::Sflow5),
    ] {
        let mut collector = Collector::new(Default::default());
        collector.send(&std::fs::read(corpus.join(path)).unwrap());
        let status = collector.status();
        assert_eq!(status.protocols().collect::<Vec<_>>(), [protocol], "{path}");
        let (sets, records) = (&status.ledger.sets, &status.ledger.records);
        assert_eq!((sets.malformed.total(), sets.unknown.total(), sets.received), (0, 0, sets.decoded), "{path}");
        assert!(records.in_memory > 0, "{path}");
    }
}

/// What tshark counts in a file: data records, or sFlow's samples.
fn counts_of_tshark(corpus: &std::path::Path) -> BTreeMap<String, u64> {
    let table = std::fs::read_to_string(corpus.join("tshark-counts.tsv")).unwrap();
    let counts = table.lines().skip(1).filter_map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| columns.get(at)?.parse::<u64>().ok();
        Some((columns.first()?.to_string(), number(4)? + number(6)? + number(7)?))
    });
    counts.collect()
}

/// Sessions that tshark counts otherwise, and why.
const OTHERWISE: [(&str, &str); 3] = [
    ("Netflow-9-invalid-01", "a set whose length lies: the records before the damage are kept here"),
    ("graylog-netflow-v9-1.dat", "tshark stops where a second message is glued on"),
    ("cistern-event_discarded_packet", "tshark 4.0 does not know discarded packets"),
];

#[test]
fn records_and_samples_are_as_many_as_tshark_counts() {
    let Some(corpus) = corpus() else { return };
    let counts = counts_of_tshark(&corpus);
    let mut differences = Vec::new();
    for (session, files) in sessions(&corpus) {
        if session.contains("malformed") {
            continue;
        }
        let mut collector = Collector::new(Default::default());
        for (_, bytes) in &files {
            collector.send_from(From::address("10.0.0.1"), bytes);
        }
        let books = collector.books();
        let sflow = files[0].0.starts_with("sflow");
        let ours = if sflow { books.sets.received } else { books.records.received };
        let theirs: u64 = files.iter().filter_map(|(path, _)| counts.get(path)).sum();
        let otherwise = OTHERWISE.iter().any(|(name, _)| session.contains(name));
        assert!(!otherwise || ours > theirs, "{session} is no exception any more");
        if ours != theirs && !otherwise {
            differences.push(format!("{session}: {ours} here, {theirs} there, {:?}", books.records));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}
