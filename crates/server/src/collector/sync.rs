//! Makes the journals durable, a second after it came at the latest, beside the threads that receive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use finderscope_journal::SyncHandle;

use crate::seldom::Seldom;

/// With the flush that comes before, everything is durable within a second.
const EVERY: Duration = Duration::from_millis(700);

/// The thread that does it.
pub(super) struct Syncer {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Syncer {
    pub(super) fn start(journals: Vec<SyncHandle>) -> std::io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = std::thread::Builder::new().name("sync".to_owned()).spawn(move || {
            let mut undurable: Vec<Seldom> = journals.iter().map(|_| Seldom::default()).collect();
            while !stop.load(Ordering::Acquire) {
                std::thread::park_timeout(EVERY);
                for ((shard, journal), undurable) in journals.iter().enumerate().zip(&mut undurable) {
                    if let Err(error) = journal.sync()
                        && let Some(times) = undurable.say(Instant::now())
                    {
                        tracing::error!(%error, shard, times, "the journal cannot be made durable");
                    }
                }
            }
        })?;
        Ok(Self { stopping, thread })
    }

    /// Syncs once more, and ends.
    pub(super) fn stop(self) {
        self.stopping.store(true, Ordering::Release);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            tracing::error!("the syncing thread panicked");
        }
    }
}
