//! Real captures: how many datagrams each has, and that none hangs or panics the reader.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::Write;
use std::path::{Path, PathBuf};

use finderscope_transport::capture::{Capture, CaptureError, Counts, read_datagram_file};
use finderscope_transport::endpoint::File;

fn corpus() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let path = std::env::var_os("FINDERSCOPE_CORPUS").map_or_else(|| default.into(), PathBuf::from);
    if path.join("MANIFEST.tsv").exists() {
        return Some(path);
    }
    let mut stderr = std::io::stderr();
    writeln!(stderr, "skipped: no corpus at {}", path.display()).unwrap();
    None
}

struct Row {
    path: String,
    protocol: String,
    format: String,
    datagrams: Option<u64>,
}

fn manifest(corpus: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(corpus.join("MANIFEST.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let field: Vec<&str> = line.split('\t').collect();
        let [path, protocol, format] = [0, 1, 2].map(|at| field[at].to_owned());
        Row { path, protocol, format, datagrams: field[8].parse().ok() }
    });
    rows.collect()
}

/// Datagrams given out, what became of the frames, and the error at the end.
fn read(path: PathBuf) -> (u64, Counts, Option<CaptureError>) {
    let mut capture = match Capture::open(&File::Path(path)) {
        Ok(capture) => capture,
        Err(error) => return (0, Counts::default(), Some(error)),
    };
    let mut datagrams = 0;
    let error = loop {
        match capture.read() {
            Ok(Some(_)) => datagrams += 1,
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let counts = capture.counts().clone();
    let parts = counts.datagrams + counts.fragments + counts.segments + counts.skipped.total();
    assert_eq!(counts.frames + counts.datagrams_joined, parts, "{counts:?}");
    (datagrams, counts, error)
}

#[test]
fn exporters_captures_have_the_datagrams_that_the_manifest_says() {
    let Some(corpus) = corpus() else { return };
    let mut seen = 0;
    let mut differences = Vec::new();
    for row in manifest(&corpus) {
        let telemetry = ["netflow", "ipfix", "sflow"].iter().any(|name| row.protocol.starts_with(name));
        if !telemetry || !row.format.starts_with("pcap") || row.path.starts_with("malformed/") {
            continue;
        }
        seen += 1;
        let (datagrams, counts, error) = read(corpus.join(&row.path));
        if Some(datagrams) != row.datagrams || error.is_some() {
            differences
                .push(format!("{}: {datagrams}, not {:?}; {} {error:?}", row.path, row.datagrams, counts.skipped));
        }
    }
    assert!(seen > 50, "{seen} captures only");
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn ipfix_files_have_the_messages_that_the_manifest_says() {
    let Some(corpus) = corpus() else { return };
    let mut seen = 0;
    for row in manifest(&corpus) {
        if row.format != "ipfix-file" || row.path.starts_with("malformed/") {
            continue;
        }
        seen += 1;
        let (messages, _, error) = read(corpus.join(&row.path));
        assert_eq!((Some(messages), error.map(|error| error.to_string())), (row.datagrams, None), "{}", row.path);
    }
    assert!(seen >= 18, "{seen} files only");
}

#[test]
fn no_file_of_the_corpus_panics_or_hangs_the_reader() {
    let Some(corpus) = corpus() else { return };
    let mut errors = 0;
    let mut seen = 0;
    for row in manifest(&corpus) {
        let path = corpus.join(&row.path);
        if row.format == "datagram" {
            assert!(!read_datagram_file(&path).unwrap().is_empty(), "{}", row.path);
        }
        // Whatever the file is: as a capture it is read or refused.
        let (_, _, error) = read(path);
        errors += usize::from(error.is_some());
        seen += 1;
    }
    assert!(seen > 400 && errors > 80, "{errors} of {seen} refused");
}
