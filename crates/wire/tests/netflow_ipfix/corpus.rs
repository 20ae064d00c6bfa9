//! Real datagrams of real exporters, counted beside tshark.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use crate::decoded::{Cache, Decoded};

/// The folder of captures, or a note that the test is skipped.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("FINDERSCOPE_CORPUS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus")), PathBuf::from);
    if folder.join("MANIFEST.tsv").is_file() {
        return Some(folder);
    }
    let mut stderr = std::io::stderr();
    writeln!(stderr, "skipped: no corpus at {}", folder.display()).unwrap();
    None
}

/// A table with a header line, as maps from column to value.
fn table(path: PathBuf) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned));
    let names: Vec<_> = lines.next().unwrap().collect();
    lines.map(|line| names.iter().cloned().zip(line).collect()).collect()
}

/// Files of bare datagrams: path, group (or the path itself), bytes.
fn datagrams(folder: &std::path::Path) -> Vec<(String, String, Vec<u8>)> {
    table(folder.join("MANIFEST.tsv"))
        .into_iter()
        .filter(|row| matches!(&*row["format"], "datagram" | "ipfix-file"))
        .filter(|row| ["netflow", "ipfix", "malformed"].iter().any(|kind| row["protocol"].starts_with(kind)))
        .map(|row| {
            let bytes = std::fs::read(folder.join(&row["path"])).unwrap();
            let group = if row["group"] == "-" { &row["path"] } else { &row["group"] };
            (row["path"].clone(), group.clone(), bytes)
        })
        .collect()
}

/// Decodes all files of each group with one cache, templates first.
fn decode_all(folder: &std::path::Path) -> BTreeMap<String, Decoded> {
    let mut groups: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for (path, group, bytes) in datagrams(folder) {
        groups.entry(group).or_default().push((path, bytes));
    }
    let mut found = BTreeMap::new();
    for files in groups.values_mut() {
        files.sort_by_key(|(path, _)| !path.contains("tpl") && !path.contains("template"));
        let mut cache = Cache::default();
        for (path, bytes) in files {
            found.insert(path.clone(), cache.decode(bytes));
        }
    }
    found
}

/// Files in which we count other data records and templates than tshark does, and why.
const OTHER_THAN_TSHARK: &[(&str, usize, usize, &str)] = &[
    ("ipfix/ipfixcol-withdrawal-message-256.ipfix", 0, 0, "a withdrawal is no template"),
    ("ipfix/vermont-correct_withdraw_all_templates.ipfix", 0, 0, "a withdrawal is no template"),
    ("ipfix/vermont-correct_variable_length_template_and_data.ipfix", 3, 1, "tshark misses the template"),
    ("malformed/ipfixcol-bad-length-in-set.ipfix", 0, 15, "the last template is cut by its set"),
    ("malformed/libnetflow9-fuzz-pcap-malformed-OT.bin", 0, 0, "a template without bytes is refused"),
    ("malformed/libnetflow9-fuzz-pcap_malformed_1.bin", 0, 0, "a template without bytes is refused"),
    ("malformed/logstash-netflow9_test_invalid01.dat", 3, 3, "tshark stops at the options template"),
    ("malformed/vermont-template_record_field_number_too_big.ipfix", 0, 1, "the last template is cut by its set"),
    ("malformed/vermont-template_set_length_exceeds_message_boundary.ipfix", 0, 2, "all of the last template is there"),
    ("malformed/vermont-template_set_length_too_small.ipfix", 0, 0, "the template is cut by its set"),
    (
        "malformed/vermont-variable_length_template_and_data_exceeding_message_boundary.ipfix",
        1,
        1,
        "tshark misses the template; the second record is cut",
    ),
    ("netflow-v9/graylog-netflow-v9-1.dat", 6, 2, "tshark stops where a second message is glued on"),
];

#[test]
fn counts_agree_with_tsharks_unless_a_note_says_why() {
    let Some(folder) = folder() else { return };
    let found = decode_all(&folder);
    let mut compared = 0;
    for row in table(folder.join("tshark-counts.tsv")) {
        let Some(decoded) = found.get(&row["path"]) else { continue };
        let count = |column: &str| row[column].parse::<usize>().unwrap();
        let theirs = (count("data_records"), count("templates"));
        let note = OTHER_THAN_TSHARK.iter().find(|(path, ..)| *path == row["path"]);
        let expected = note.map_or(theirs, |&(_, records, templates, _)| (records, templates));
        assert_ne!(
            note.map(|&(_, records, templates, _)| (records, templates)),
            Some(theirs),
            "stale: {}",
            row["path"]
        );
        assert_eq!((decoded.records.len(), decoded.templates.len()), expected, "{}: {decoded:?}", row["path"]);
        compared += 1;
    }
    assert!(compared > 100, "{compared} files");
}

#[test]
fn real_datagrams_have_no_problems_but_these() {
    let Some(folder) = folder() else { return };
    let troubled: Vec<_> = decode_all(&folder)
        .into_iter()
        .filter(|(path, decoded)| !path.starts_with("malformed/") && !decoded.problems.is_empty())
        .map(|(path, decoded)| format!("{path}: {}", decoded.problems[0]))
        .collect();
    let expected = [
        // The message's length is two bytes short of its last set's.
        "ipfix/telegraf-issue_14370-message.bin: set.length: length 84 is over its maximum of 82 at byte 210",
    ];
    assert_eq!(troubled, expected);
}

#[test]
fn a_real_datagram_of_version_1_reads_as_tshark_reads_it() {
    use finderscope_wire::netflow::fixed::{Field, Message};
    /// Ethernet, IPv4 and UDP before the datagram.
    const HEADERS: usize = 14 + 20 + 8;
    let Some(folder) = folder() else { return };
    let path = folder.join("netflow-v1/pcapplusplus-NetFlow-V1.dat");
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let frame: Vec<u8> = digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
    let message = Message::read(&frame[HEADERS..]).unwrap();
    assert_eq!((message.version(), message.count(), message.problem(), message.excess().len()), (1, 1, None, 0));
    assert_eq!((message.header().uptime_ms, message.header().export_ns()), (56_008, 1_622_468_695_059_979_198));
    let record = message.records().next().unwrap();
    use Field as F;
    for (field, value) in [
        (F::Source, 0x0A01_0C02),
        (F::Destination, 0x0A01_0C01),
        (F::NextHop, 0),
        (F::Input, 3),
        (F::Output, 0),
        (F::Packets, 1),
        (F::Octets, 80),
        (F::First, 30_444),
        (F::Last, 30_444),
        (F::Protocol, 89),
        (F::Tos, 0xC0),
        (F::TcpFlags, 0x10),
    ] {
        assert_eq!(record.get(field), value, "{field:?}");
    }
}
