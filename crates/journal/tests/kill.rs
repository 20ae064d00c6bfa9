//! A real process, a real disk, and SIGKILL.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{append_many, positions, range};
use finderscope_journal::{Journal, Options};

const FOLDER: &str = "FINDERSCOPE_TEST_JOURNAL";
const OPTIONS: Options = Options { segment_bytes: 100_000, limit_bytes: u64::MAX };

/// Not a test by itself: the process that the other test kills. It appends for ever, and tells what it has flushed.
#[test]
#[ignore = "started by the test beside it"]
fn appends_until_it_is_killed() {
    let Some(dir) = env::var_os(FOLDER) else { return };
    let mut journal = Journal::open(Path::new(&dir), OPTIONS).unwrap();
    loop {
        append_many(&mut journal, 97);
        journal.flush().unwrap();
        writeln!(std::io::stdout(), "flushed {}", journal.progress().written).unwrap();
    }
}

#[test]
fn what_was_flushed_is_there_after_each_kill() {
    let folder = tempfile::tempdir().unwrap();
    let dir: PathBuf = folder.path().join("journal/0");
    let mut last = 0;
    for life in 1..=8 {
        let flushed = run_and_kill(&dir, life * 5);
        assert!(flushed > last, "each life goes on");
        let journal = Journal::open(&dir, OPTIONS).unwrap();
        last = journal.next_position() - 1;
        assert!(last >= flushed);
        assert_eq!(positions(&journal, 1), range(1, last));
        assert_eq!(journal.opened().lost(), 0);
    }
}

/// Lets a child append, kills it after so many flushes, and says what it had told.
fn run_and_kill(dir: &Path, flushes: usize) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "appends_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.filter_map(|line| line.unwrap().strip_prefix("flushed ").map(|number| number.parse().unwrap()));
    let flushed = told.take(flushes).last().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    flushed
}
