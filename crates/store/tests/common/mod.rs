//! What the store's tests share: small batches, reading parts back, copies of a folder.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part of it; a test fails by panicking")]

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use finderscope_flow::{Builder, Column, Table};
use finderscope_store::{
    Committed, Cut, Options, Part, Probe, Recovery, ShardWriter, Snapshot, Step, Store, StoreError,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// 2026-01-01 00:00 UTC.
pub(crate) const START_NS: i64 = 1_767_225_600_000_000_000;
pub(crate) const HOUR_NS: i64 = 3_600_000_000_000;

/// Flows whose `bytes` are the given numbers, a second apart.
pub(crate) fn flows(numbers: impl IntoIterator<Item = u64>) -> RecordBatch {
    flows_at(numbers.into_iter().map(|number| (START_NS + number as i64 % 3_000 * 1_000_000_000, number)))
}

/// Flows with these times and `bytes`.
pub(crate) fn flows_at(rows: impl IntoIterator<Item = (i64, u64)>) -> RecordBatch {
    let mut builder = Builder::new(Table::Flows);
    let rows: Vec<_> = rows.into_iter().collect();
    builder.time(Column::TimeReceivedNs).extend(rows.iter().map(|row| row.0));
    builder.u64(Column::Bytes).extend(rows.iter().map(|row| row.1));
    builder.u64(Column::Packets).push_run(1, rows.len());
    builder.address(Column::SrcAddr).push_run(&[10, 1, 2, 3], rows.len());
    builder.word(Column::Type).push_run(0, rows.len());
    builder.advance(rows.len());
    builder.finish()
}

/// A row of `table` with nothing but its time.
pub(crate) fn bare(table: Table, time_ns: i64) -> RecordBatch {
    let mut builder = Builder::new(table);
    builder.time(Column::TimeReceivedNs).push(time_ns);
    builder.advance(1);
    builder.finish()
}

pub(crate) fn open(dir: &Path) -> (Store, Recovery) {
    Store::open(dir, Options { command: "test".into(), ..Options::default() }).unwrap()
}

/// A probe that calls `at` once it is armed.
pub(crate) fn armed(at: impl Fn(Step) -> io::Result<()> + Send + Sync + 'static) -> (Arc<AtomicBool>, Probe) {
    let armed = Arc::new(AtomicBool::new(false));
    let on = Arc::clone(&armed);
    let probe = Probe::new(move |step| if on.load(Ordering::SeqCst) { at(step) } else { Ok(()) });
    (armed, probe)
}

pub(crate) fn cut(
    writer: &mut ShardWriter,
    position: u64,
    state: Option<(u64, &[u8])>,
) -> Result<Committed, StoreError> {
    let state = state.map(|(position, bytes)| (position, bytes.to_vec()));
    writer.cut(Cut { position, state, sync_journal: || Ok(()) })
}

pub(crate) fn read_part(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

/// The `bytes` of every flow that counts, in order.
pub(crate) fn stored(dir: &Path) -> Vec<u64> {
    let snapshot = Snapshot::read(dir).unwrap();
    let parts: Vec<_> = snapshot.parts(Table::Flows).map(|part| snapshot.path(part)).collect();
    numbers(parts.iter().flat_map(|path| read_part(path)))
}

/// The `bytes` of every flow that a reader sees who knows nothing of the manifest.
pub(crate) fn visible(dir: &Path) -> Vec<u64> {
    numbers(files(&dir.join("flows")).iter().flat_map(|path| read_part(Path::new(path))))
}

fn numbers(batches: impl IntoIterator<Item = RecordBatch>) -> Vec<u64> {
    let column =
        |batch: RecordBatch| batch.column_by_name("bytes").unwrap().as_primitive::<UInt64Type>().values().to_vec();
    let mut numbers: Vec<u64> = batches.into_iter().flat_map(column).collect();
    numbers.sort_unstable();
    numbers
}

/// Every file under a folder.
pub(crate) fn files(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return files };
    for entry in entries.map(Result::unwrap) {
        match entry.path() {
            path if path.is_dir() => files.extend(self::files(&path)),
            path => files.push(path.to_str().unwrap().to_owned()),
        }
    }
    files.sort();
    files
}

/// A copy of a folder as it is now: what a crash at this moment leaves.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn disk_full() -> io::Error {
    io::Error::from_raw_os_error(28)
}

pub(crate) fn part(committed: &Committed) -> &Part {
    &committed.parts[0]
}

/// Says why a test did nothing.
pub(crate) fn skip(why: &str) {
    use std::io::Write;
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

/// A file system of its own, taken away at the end.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Where one may be mounted.
    pub(crate) fn new(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(dir.path());
        let mounted = mount.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success());
        mounted.then_some(Self(dir))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg(self.0.path()).status().ok();
    }
}
