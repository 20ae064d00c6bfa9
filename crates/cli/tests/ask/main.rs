//! `query`, `flows`, `top` and `series` as they are typed, on a small store and on captures.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod capture;
mod decode;
mod errors;
mod flows;
mod names;
mod query;
mod series;
mod store;
mod top;

use std::path::Path;
use std::process::Command;

/// How a command ended, and what it wrote.
#[derive(Debug)]
struct Done {
    status: i32,
    out: String,
    err: String,
}

/// Runs `finderscope` in universal time.
fn finderscope(words: &[&str]) -> Done {
    in_zone("UTC", words)
}

fn in_zone(zone: &str, words: &[&str]) -> Done {
    let (status, out, err) = bytes(zone, words);
    Done { status, out: String::from_utf8(out).unwrap(), err }
}

fn bytes(zone: &str, words: &[&str]) -> (i32, Vec<u8>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finderscope"));
    let output = command.args(words).env("TZ", zone).env_remove("STATE_DIRECTORY").output().unwrap();
    let status = output.status.code().unwrap();
    (status, output.stdout, String::from_utf8(output.stderr).unwrap())
}

/// Asks the store in `dir`; all must go well and without a word on the side.
fn ask(dir: &Path, words: &[&str]) -> String {
    let done = ask_anyway(dir, words);
    assert_eq!((done.status, done.err.as_str()), (0, ""), "{words:?}: {done:?}");
    done.out
}

fn ask_anyway(dir: &Path, words: &[&str]) -> Done {
    let data = dir.to_str().unwrap();
    finderscope(&[words, &["--data", data]].concat())
}

/// The lines of a table, each as its words.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}
