//! What goes wrong is said in one line, with a status that tells how badly.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::store::{self, second_part};
use crate::{ask_anyway, finderscope};

fn refused(words: &[&str], status: i32, says: &[&str]) {
    let dir = store::make();
    let done = ask_anyway(dir.path(), words);
    assert_eq!((done.status, done.out.as_str()), (status, ""), "{words:?}: {done:?}");
    assert!(done.err.starts_with("finderscope: error: "), "{}", done.err);
    for said in says {
        assert!(done.err.contains(said), "{words:?}: {}", done.err);
    }
}

#[test]
fn a_wrong_question_fails_in_one_line() {
    let one_line = |words: &[&str], says: &[&str]| {
        refused(words, 1, says);
        let dir = store::make();
        assert_eq!(ask_anyway(dir.path(), words).err.lines().count(), 1, "{words:?}");
    };
    one_line(&["query", "select srcaddr from flows"], &["no column srcaddr", "src_addr"]);
    one_line(&["query", "select * from flow"], &["no table flow", "flows"]);
    one_line(&["query", "selec 1"], &["SQL"]);
    one_line(&["query", "drop table flows"], &["off"]);
    one_line(&["query", "select * from flows where src_addr = '10.0.0.999'"], &["10.0.0.999"]);
    one_line(&["top", "srcaddr"], &["no column srcaddr", "src_addr"]);
    one_line(&["top", "srcip/colour"], &["colour"]);
    one_line(&["top", "srcip/bytes", "--by", "flows"], &["two different measures"]);
    one_line(&["series", "--column", "record"], &["more than one column"]);
    one_line(&["flows", "--sort", "nothing"], &["no column nothing"]);
}

#[test]
fn a_wrong_filter_shows_where() {
    refused(&["flows", "src", "prt", "53"], 1, &["filter", "src prt 53", "    ^"]);
    refused(&["top", "src_addr", "--filter", "port"], 1, &["filter", "^"]);
}

#[test]
fn wrong_use_is_told_apart() {
    refused(&["query", "select 1", "--since", "yesterday-ish"], 2, &["--since", "yesterday-ish"]);
    refused(&["top", "src_addr", "--since", "20", "--until", "10"], 2, &["window is empty"]);
    refused(&["series", "--every", "soon"], 2, &["--every"]);
    for words in [&["query", "select 1", "--colour"][..], &["query"], &["top"], &["series", "--by", "colour"]] {
        let done = finderscope(words);
        assert_eq!((done.status, done.out.as_str()), (2, ""), "{words:?}");
    }
}

#[test]
fn a_folder_without_a_store_says_where_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    for place in [dir.path().to_owned(), dir.path().join("missing")] {
        let done = ask_anyway(&place, &["top", "src_addr"]);
        assert_eq!((done.status, done.err.lines().count()), (1, 1), "{done:?}");
        for said in [place.to_str().unwrap(), "--data DIR", "finderscope serve"] {
            assert!(done.err.contains(said), "{}", done.err);
        }
    }
}

#[test]
fn a_damaged_part_costs_its_rows_and_says_which_it_is() {
    let dir = store::make();
    let part = second_part(dir.path());
    std::fs::write(&part, b"PAR1 this is no more PAR1").unwrap();
    for words in [&["query", "select count(bytes) as n from flows"][..], &["flows"], &["top", "src_addr"], &["series"]]
    {
        let done = ask_anyway(dir.path(), words);
        assert_eq!(done.status, 3, "{words:?}: {done:?}");
        assert!(done.err.contains(part.file_name().unwrap().to_str().unwrap()), "{words:?}: {}", done.err);
    }
    let done = ask_anyway(dir.path(), &["query", "select count(bytes) as n from flows", "--format", "json"]);
    assert_eq!(done.out, "{\"n\":4}\n");
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let dir = store::make();
    let line = format!(
        "set -o pipefail; {} query 'select * from flows a, flows b, flows c, flows d' --format json --data {} | head -n 1 | wc -l",
        env!("CARGO_BIN_EXE_finderscope"),
        dir.path().display()
    );
    let output = Command::new("bash").args(["-c", &line]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_question_ends_when_nobody_waits_for_its_answer_any_more() {
    let dir = store::make();
    // Seventy thousand million rows to be counted before there is anything to write.
    let tables: Vec<_> = ('a'..='l').map(|name| format!("flows {name}")).collect();
    let sql = format!("select count(*) as n from {} where a.bytes + f.bytes + l.bytes = 1", tables.join(", "));
    let mut child = Command::new(env!("CARGO_BIN_EXE_finderscope"))
        .args(["query", &sql, "--data", dir.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let deadline = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it goes on though nobody reads");
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn an_interrupted_question_ends_soon_and_leaves_nothing_behind() {
    let dir = store::make();
    let temporary = tempfile::tempdir().unwrap();
    let sql = "select a.bytes from flows a, flows b, flows c, flows d, flows e, flows f, flows g, flows h, flows i";
    let mut child = Command::new(env!("CARGO_BIN_EXE_finderscope"))
        .args(["query", sql, "--format", "csv", "--data", dir.path().to_str().unwrap()])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "bytes\n");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = Vec::new();
    lines.read_to_end(&mut rest).unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(130), "finderscope: error: interrupted\n"));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
