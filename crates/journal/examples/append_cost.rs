//! Measures what the journal costs per delivery of 1,400 bytes: copied and summed, written, and read back.
//!
//! `cargo run -p finderscope-journal --example append_cost [FOLDER]`; the folder is a temporary one by default.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use finderscope_journal::disk::{Disk, File};
use finderscope_journal::{Journal, JournalError, Options};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};

const DELIVERIES: u64 = 1_000_000;
const DATAGRAM: [u8; 1_400] = [0x5a; 1_400];
const OPTIONS: Options = Options { segment_bytes: 64 << 20, limit_bytes: u64::MAX };
/// A cut's rhythm, in deliveries: what came before is released.
const RELEASE_EVERY: u64 = 200_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temporary = tempfile::tempdir()?;
    let folder = std::env::args_os().nth(1).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let out = &mut io::stdout();

    let mut journal = Journal::open_on(Arc::new(Nowhere), Path::new("nowhere"), OPTIONS)?;
    report(out, "copy and checksum", append(&mut journal)?)?;

    let mut journal = Journal::open(&folder.join("unsynced"), OPTIONS)?;
    report(out, "written, not synced", append(&mut journal)?)?;
    drop(journal);

    let started = Instant::now();
    let journal = Journal::open(&folder.join("unsynced"), OPTIONS)?;
    report(out, "opened", started.elapsed())?;
    let started = Instant::now();
    let (mut replay, mut bytes) = (journal.replay(1), 0);
    while let Some(delivery) = replay.next() {
        bytes += delivery?.bytes.len();
    }
    report(out, &format!("replayed, {bytes} bytes"), started.elapsed())?;
    std::fs::remove_dir_all(folder.join("unsynced"))?;

    let mut journal = Journal::open(&folder.join("synced"), OPTIONS)?;
    report(out, "written, synced beside and released", append_synced(&mut journal)?)?;
    Ok(())
}

fn append(journal: &mut Journal) -> Result<Duration, JournalError> {
    let started = Instant::now();
    for number in 0..DELIVERIES {
        journal.append(&delivery(number))?;
    }
    journal.flush()?;
    Ok(started.elapsed())
}

/// Appends while another thread syncs ten times a second, as a server does.
fn append_synced(journal: &mut Journal) -> Result<Duration, JournalError> {
    let (handle, done) = (journal.sync_handle(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let syncing = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                handle.sync()?;
                std::thread::sleep(Duration::from_millis(100));
            }
            Ok::<_, JournalError>(())
        });
        let (started, mut longest) = (Instant::now(), Duration::ZERO);
        for number in 0..DELIVERIES {
            let before = Instant::now();
            journal.append(&delivery(number))?;
            longest = longest.max(before.elapsed());
            if number % RELEASE_EVERY == 0 {
                journal.release(journal.progress().synced)?;
            }
        }
        let elapsed = started.elapsed();
        done.store(true, Ordering::Relaxed);
        syncing.join().expect("the syncing thread does not panic")?;
        writeln!(io::stdout(), "longest append: {longest:?}").map_err(|source| JournalError::Io {
            operation: "write",
            path: PathBuf::from("stdout"),
            source,
        })?;
        Ok(elapsed)
    })
}

fn delivery(number: u64) -> Delivery<'static> {
    Delivery {
        sequence: 0,
        received_ns: number as i64,
        source: ([192, 0, 2, 7], 50_000).into(),
        listener: Listener { scheme: Scheme::Udp, address: ([0, 0, 0, 0], 6343).into() },
        identity: None,
        bytes: &DATAGRAM,
    }
}

fn report(out: &mut impl Write, what: &str, elapsed: Duration) -> io::Result<()> {
    let ns = elapsed.as_nanos() as u64 / DELIVERIES;
    writeln!(out, "{what}: {ns} ns per delivery, {:.2} s", elapsed.as_secs_f64())
}

/// Takes everything and keeps nothing.
#[derive(Debug)]
struct Nowhere;

impl Disk for Nowhere {
    fn create_dir_all(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
    fn list(&self, _dir: &Path) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
    fn open(&self, _path: &Path) -> io::Result<Arc<dyn File>> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn create(&self, _path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(Self))
    }
    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }
    fn remove(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl File for Nowhere {
    fn read_at(&self, _bytes: &mut [u8], _offset: u64) -> io::Result<usize> {
        Ok(0)
    }
    fn write_at(&self, bytes: &[u8], _offset: u64) -> io::Result<usize> {
        Ok(bytes.len())
    }
    fn set_size(&self, _size: u64) -> io::Result<()> {
        Ok(())
    }
    fn size(&self) -> io::Result<u64> {
        Ok(0)
    }
    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}
