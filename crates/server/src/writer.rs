//! A shard's other thread: encodes batches into parts and makes cuts count.
//!
//! Orders go over a short queue, bounded in bytes. When the disk is slower than the network the queue is full, the shard
//! waits, and the kernel counts what it drops: memory stays bounded. After a failure everything is
//! ignored until [`Writer::resume`], since rows of a broken cut must not come back with a later one.
//!
//! Where cores are short the shard comes first, whose work cannot wait: the thread here takes a lower priority.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arrow::array::{Array, RecordBatch};
use finderscope_flow::Table;
use finderscope_journal::SyncHandle;
use finderscope_store::{Committed, Cut, ShardWriter, StoreError};

/// Orders that may wait for the writer.
const QUEUE: usize = 64;
/// What their rows may take, if they are more than one batch.
const QUEUE_BYTES: usize = 8 << 20;
/// How often a shard that waits looks whether the thread is still there.
const LOOK_UP: Duration = Duration::from_millis(500);
/// How much nicer than the rest of the process the thread is.
const NICER: i32 = 5;

/// Batches that are written down and wait for the shard to fill their memory again; further ones are freed.
const WRITTEN: usize = 2;

/// The shard's end.
#[derive(Debug)]
pub(crate) struct Writer {
    shard: u32,
    orders: SyncSender<Order>,
    written: Receiver<(Table, RecordBatch)>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Budget,
    stored: AtomicU64,
    cutting: AtomicBool,
    outcome: Mutex<Option<Outcome>>,
}

/// What became of a cut, or of rows on their way to one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It counts; the journal is needed from this position on.
    Committed {
        /// That position.
        needed_from: u64,
    },
    /// Nothing of it counts; why.
    Failed(String),
}

enum Order {
    Write { table: Table, batch: RecordBatch, bytes: usize },
    Cut { position: u64, state: Option<(u64, Vec<u8>)> },
    Resume(SyncSender<Result<ShardWriterState, StoreError>>),
    Settle(SyncSender<()>),
}

/// Where a writer goes on after a failure.
#[derive(Debug)]
pub(crate) struct ShardWriterState {
    /// The decoder's newest state that counts.
    pub(crate) state: Option<(u64, Vec<u8>)>,
    /// Rows of deliveries before this position are stored.
    pub(crate) position: u64,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(writer: ShardWriter, journal: SyncHandle) -> std::io::Result<Self> {
        let (orders, queue) = sync_channel(QUEUE);
        let (done, written) = sync_channel(WRITTEN);
        let shard = writer.shard();
        let shared = Arc::new(Shared { stored: AtomicU64::new(writer.position()), ..Shared::default() });
        let worker = Worker { writer, journal, shared: Arc::clone(&shared), failed: false, done };
        let thread = std::thread::Builder::new().name(format!("write-{shard}")).spawn(move || {
            be_nicer();
            worker.run(&queue);
        })?;
        Ok(Self { shard, orders, written, shared, thread: Some(thread) })
    }

    /// The shard's number.
    pub(crate) const fn shard(&self) -> u32 {
        self.shard
    }

    /// Rows of all deliveries before this position are stored.
    pub(crate) fn position(&self) -> u64 {
        self.shared.stored.load(Ordering::Acquire)
    }

    /// Hands rows over, waiting while too many are queued. They count with the next cut.
    pub(crate) fn write(&self, table: Table, batch: RecordBatch) {
        let bytes = bytes_of(&batch);
        self.shared.waiting.take(bytes, || self.is_alive());
        self.order(Order::Write { table, batch, bytes });
    }

    fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Batches that are written down, for whoever made them to fill their memory again.
    pub(crate) fn written(&self) -> impl Iterator<Item = (Table, RecordBatch)> {
        self.written.try_iter()
    }

    /// Asks for a cut: all rows of deliveries before `position` were handed over.
    pub(crate) fn cut(&self, position: u64, state: Option<(u64, Vec<u8>)>) {
        self.shared.cutting.store(true, Ordering::Release);
        self.order(Order::Cut { position, state });
    }

    /// Whether a cut is under way.
    pub(crate) fn is_cutting(&self) -> bool {
        self.shared.cutting.load(Ordering::Acquire)
    }

    /// What happened since the last time that this was asked.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until everything that was handed over is done with.
    pub(crate) fn settle(&self) {
        let (done, wait) = sync_channel(1);
        self.order(Order::Settle(done));
        // An error is the thread's end, and then there is nothing to wait for.
        let _ = wait.recv();
    }

    /// Goes on after a failure: says from where to replay.
    pub(crate) fn resume(&self) -> Result<ShardWriterState, StoreError> {
        let (done, wait) = sync_channel(1);
        self.order(Order::Resume(done));
        wait.recv().unwrap_or_else(|_| Err(StoreError::ReplayFirst { shard: self.shard, replay_from: self.position() }))
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            self.shared.fail("the writing thread has ended".to_owned());
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let (closed, _) = sync_channel(0);
        self.orders = closed; // ends the thread's queue
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(shard = self.shard, "the writing thread panicked");
        }
    }
}

impl Shared {
    fn fail(&self, reason: String) {
        self.cutting.store(false, Ordering::Release);
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(Outcome::Failed(reason));
    }
}

/// Bytes that are handed over and not yet written.
#[derive(Debug, Default)]
struct Budget {
    used: Mutex<usize>,
    freed: Condvar,
}

impl Budget {
    /// Waits until there is room, or nothing else is in the queue, or nobody will ever empty it.
    fn take(&self, bytes: usize, is_emptied: impl Fn() -> bool) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while *used > 0 && *used + bytes > QUEUE_BYTES && is_emptied() {
            let waited = self.freed.wait_timeout(used, LOOK_UP);
            used = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *used += bytes;
    }

    fn give_back(&self, bytes: usize) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.freed.notify_one();
    }
}

/// What the rows take in memory; columns that nobody wrote share one run of nulls.
fn bytes_of(batch: &RecordBatch) -> usize {
    let written = batch.columns().iter().filter(|column| column.null_count() < column.len());
    written.map(|column| column.get_buffer_memory_size()).sum()
}

/// Puts the calling thread behind those of the same process that receive.
fn be_nicer() {
    let process = rustix::process::getpriority_process(None);
    let lowered = process.and_then(|now| rustix::process::setpriority_process(None, (now + NICER).min(19)));
    if let Err(error) = lowered {
        tracing::debug!(%error, "the writing thread keeps its priority");
    }
}

struct Worker {
    writer: ShardWriter,
    journal: SyncHandle,
    shared: Arc<Shared>,
    failed: bool,
    done: SyncSender<(Table, RecordBatch)>,
}

impl Worker {
    fn run(mut self, queue: &Receiver<Order>) {
        while let Ok(order) = queue.recv() {
            match order {
                Order::Write { table, batch, bytes } => {
                    self.write(table, batch);
                    self.shared.waiting.give_back(bytes);
                }
                Order::Cut { position, state } => self.cut(position, state),
                // The asker may have given up; there is nobody else to tell.
                Order::Resume(done) => drop(done.send(self.resume())),
                Order::Settle(done) => drop(done.send(())),
            }
        }
    }

    fn write(&mut self, table: Table, batch: RecordBatch) {
        if self.failed {
            return;
        }
        let written = batch.clone();
        if let Err(error) = self.writer.write(table, batch) {
            self.fail(&error);
        }
        // What finds no room is freed.
        let _ = self.done.try_send((table, written));
    }

    fn cut(&mut self, position: u64, state: Option<(u64, Vec<u8>)>) {
        if self.failed {
            self.shared.cutting.store(false, Ordering::Release);
            return;
        }
        let journal = &self.journal;
        let sync_journal = || sync_before(journal, position);
        match self.writer.cut(Cut { position, state, sync_journal }) {
            Ok(Committed { position, needed_from, .. }) => {
                self.shared.stored.store(position, Ordering::Release);
                self.shared.cutting.store(false, Ordering::Release);
                let committed = Some(Outcome::Committed { needed_from });
                *self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner) = committed;
            }
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, error: &StoreError) {
        self.failed = true;
        self.shared.fail(error.to_string());
    }

    fn resume(&mut self) -> Result<ShardWriterState, StoreError> {
        self.writer.resume()?;
        let state = self.writer.saved_state()?;
        self.failed = false;
        Ok(ShardWriterState { state, position: self.writer.position() })
    }
}

/// Everything before `position` is durable in the journal when this returns.
fn sync_before(journal: &SyncHandle, position: u64) -> std::io::Result<()> {
    let synced = if journal.progress().synced + 1 >= position {
        return Ok(());
    } else {
        journal.sync().map_err(std::io::Error::other)?
    };
    if synced + 1 >= position {
        return Ok(());
    }
    Err(std::io::Error::other(format!("the journal is durable through position {synced} only")))
}
