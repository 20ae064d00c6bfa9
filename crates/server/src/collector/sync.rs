//! Writes the journals and makes them durable, a second after it came at the latest, beside the threads that receive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use finderscope_journal::{JournalError, SyncHandle};

use crate::seldom::Seldom;

/// With the flush that comes before, everything is durable within a second.
const SYNC_EVERY: Duration = Duration::from_millis(700);
/// Journals wake the thread that writes; this is for what could not be written then.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// The two threads that do it: writing does not wait for syncing.
pub(super) struct Syncer {
    stopping: Arc<AtomicBool>,
    writer: JoinHandle<()>,
    syncer: JoinHandle<()>,
}

impl Syncer {
    pub(super) fn start(journals: Vec<SyncHandle>) -> std::io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let handles = journals.clone();
        let writer = spawn("journal", &stopping, WRITE_EVERY, move || {
            for journal in &handles {
                // What cannot be written stays in the journal; the next sync, soon after, tries again and says so.
                drop(journal.write());
            }
        })?;
        let mut journals: Vec<(SyncHandle, Seldom)> =
            journals.into_iter().map(|journal| (journal, Seldom::default())).collect();
        let syncer = spawn("sync", &stopping, SYNC_EVERY, move || {
            for (shard, (journal, seldom)) in journals.iter_mut().enumerate() {
                if let Err(error) = journal.sync()
                    && let Some(times) = seldom.say(Instant::now())
                {
                    report(shard, times, &error);
                }
            }
        })?;
        Ok(Self { stopping, writer, syncer })
    }

    /// Whom the journals wake when there is something to write.
    pub(super) fn writer(&self) -> &Thread {
        self.writer.thread()
    }

    /// Writes and syncs once more, and ends.
    pub(super) fn stop(self) {
        self.stopping.store(true, Ordering::Release);
        for thread in [self.writer, self.syncer] {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread that writes journals panicked");
            }
        }
    }
}

fn report(shard: usize, times: u64, error: &JournalError) {
    match error {
        JournalError::Full => tracing::warn!(%error, shard, times, "the journal cannot be written"),
        _ => tracing::error!(%error, shard, times, "the journal cannot be made durable"),
    }
}

/// A thread that does `work` whenever it is woken, and once in a while.
fn spawn(
    name: &str,
    stopping: &Arc<AtomicBool>,
    every: Duration,
    mut work: impl FnMut() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let stop = Arc::clone(stopping);
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        while !stop.load(Ordering::Acquire) {
            std::thread::park_timeout(every);
            work();
        }
    })
}
