//! Merging and retention beside a running server: one thread of low priority, one job at a time.
//!
//! A job that fails changes nothing; it is tried again after a pause that grows. One that is under way when the
//! server stops is dropped, and the next start plans it again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use finderscope_store::keeper::{Done, Job, KeepError, Keeper, Now, Rules, Steadiness};
use finderscope_store::{Cause, Problem, Store};

use crate::config;

/// How often it looks whether there is something to do.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The first pause after a failure, and the longest.
const PAUSE: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Its share of a busy processor is small; the kernel derives the priority of reads and writes from this, too.
const NICE: i32 = 15;

/// What it has done since the start.
#[derive(Clone, Debug, Default)]
pub struct KeeperFigures {
    /// Rows that were written again into merged parts.
    pub merged_rows: u64,
    /// Parts and files of totals that were replaced.
    pub merged_parts: u64,
    /// Their size, and that of what took their place.
    pub merged_bytes: (u64, u64),
    /// When something was last merged.
    pub last_merge: Option<SystemTime>,
    /// What was removed, by cause.
    pub removed: BTreeMap<&'static str, Removed>,
    /// The thread's time on a processor.
    pub cpu: Duration,
    /// Why nothing is merged now.
    pub waits_for: Option<String>,
    /// What was found damaged, and what could not be moved into place.
    pub problems: Vec<Problem>,
}

/// What was removed for one reason.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Removed {
    /// Parts and files of totals.
    pub files: u64,
    /// Rows of these parts.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What the thread and the rest of the program share.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    stopping: AtomicBool,
    figures: Mutex<KeeperFigures>,
    rules: Mutex<Option<Rules>>,
}

impl Desk {
    pub(crate) fn figures(&self) -> KeeperFigures {
        lock(&self.figures).clone()
    }

    /// From the next look on these count.
    pub(crate) fn set_rules(&self, rules: Rules) {
        *lock(&self.rules) = Some(rules);
    }
}

/// What the configuration says.
pub fn rules(config: &config::Store) -> Rules {
    Rules {
        gather_parts: config.merge_parts,
        keep_ns: config.keep.map(|age| age.ns),
        keep_totals_ns: config.keep_totals.map(|age| age.ns),
        max_bytes: config.max_size.map(|size| size.0),
        ..Rules::default()
    }
}

/// Does all there is to do for a store that nobody else writes to, telling `progress` how many rows were merged so far.
///
/// Whoever asks for this knows what time it is: ages are counted by the clock.
pub fn compact(store: &Store, rules: Rules, progress: &mut dyn FnMut(u64)) -> Result<KeeperFigures, KeepError> {
    let mut keeper = Keeper::new(store.clone(), rules.at_rest());
    let mut figures = KeeperFigures::default();
    let begun = cpu();
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let now = Now { wall_ns: i64::try_from(wall).unwrap_or(i64::MAX), is_steady: true };
    while let Some(job) = keeper.plan(now) {
        match keeper.run(&job, &AtomicBool::new(false)) {
            Ok(done) => figures.add(&job, done),
            Err(KeepError::Damaged(_)) => {} // the next plan is without it
            Err(error) => return Err(error),
        }
        progress(figures.merged_rows);
    }
    figures.problems = keeper.settle();
    figures.problems.extend_from_slice(keeper.problems());
    figures.cpu = cpu().saturating_sub(begun);
    Ok(figures)
}

/// The thread.
pub(crate) struct KeeperThread {
    desk: Arc<Desk>,
    thread: JoinHandle<()>,
}

impl KeeperThread {
    pub(crate) fn start(store: Store, rules: Rules, desk: Arc<Desk>) -> std::io::Result<Self> {
        let worker = Worker {
            keeper: Keeper::new(store, rules),
            desk: Arc::clone(&desk),
            counted: Instant::now(),
            steadiness: Steadiness::default(),
            failures: Failures::default(),
        };
        let thread = std::thread::Builder::new().name("keep".to_owned()).spawn(move || worker.run())?;
        Ok(Self { desk, thread })
    }

    /// Asks it to end; what it is doing is dropped.
    pub(crate) fn ask_to_stop(&self) {
        self.desk.stopping.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }

    pub(crate) fn stop(self) {
        self.ask_to_stop();
        if self.thread.join().is_err() {
            tracing::error!("the keeping thread panicked");
        }
    }
}

struct Worker {
    keeper: Keeper,
    desk: Arc<Desk>,
    counted: Instant,
    steadiness: Steadiness,
    failures: Failures,
}

/// The pause after failures, and what was said of them.
#[derive(Default)]
struct Failures {
    in_a_row: u32,
    until: Option<Instant>,
}

impl Worker {
    fn run(mut self) {
        // Without it merging only takes more of a busy machine.
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "cannot lower the keeper's priority");
        }
        while !self.is_stopping() {
            std::thread::park_timeout(LOOK_EVERY);
            if self.is_stopping() {
                break;
            }
            self.look();
        }
    }

    fn is_stopping(&self) -> bool {
        self.desk.stopping.load(Ordering::Acquire)
    }

    fn now(&mut self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let counted = self.counted.elapsed().as_nanos();
        let [wall_ns, counted_ns] = [wall, counted].map(|ns| i64::try_from(ns).unwrap_or(i64::MAX));
        self.steadiness.observe(wall_ns, counted_ns)
    }

    /// Does what there is to do.
    fn look(&mut self) {
        if let Some(rules) = lock(&self.desk.rules).take() {
            self.keeper.set_rules(rules);
        }
        let mut now = self.now();
        let unplaced = self.keeper.settle();
        while !self.is_stopping() && self.failures.are_over() {
            let Some(job) = self.keeper.plan(now) else { break };
            let done = self.keeper.run(&job, &self.desk.stopping);
            self.note(&job, done);
            now = self.now();
        }
        let mut figures = lock(&self.desk.figures);
        figures.cpu = cpu();
        figures.problems = unplaced;
        figures.problems.extend_from_slice(self.keeper.problems());
    }

    fn note(&mut self, job: &Job, done: Result<Done, KeepError>) {
        match done {
            Ok(done) => {
                self.failures = Failures::default();
                let mut figures = lock(&self.desk.figures);
                figures.waits_for = None;
                figures.add(job, done);
                tell(job, done);
            }
            Err(KeepError::Stopped) => {}
            Err(KeepError::Damaged(problem)) => tracing::error!(%problem, "left out of merging"),
            Err(error) => {
                if self.failures.again() {
                    tracing::warn!(%error, "nothing is merged or removed for now");
                }
                lock(&self.desk.figures).waits_for = Some(error.to_string());
            }
        }
    }
}

impl Failures {
    fn are_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    /// Another failure; whether it is the first in a row, and worth a line.
    fn again(&mut self) -> bool {
        let pause = PAUSE.saturating_mul(1 << self.in_a_row.min(8)).min(PAUSE_MAX);
        self.until = Some(Instant::now() + pause);
        self.in_a_row += 1;
        self.in_a_row == 1
    }
}

impl KeeperFigures {
    fn add(&mut self, job: &Job, done: Done) {
        match job {
            Job::Remove { cause, .. } => {
                let removed = self.removed.entry(word(*cause)).or_default();
                removed.files += done.removed;
                removed.rows += done.rows;
                removed.bytes += done.bytes_before;
            }
            _ => {
                self.merged_rows += done.rows;
                self.merged_parts += done.removed;
                self.merged_bytes.0 += done.bytes_before;
                self.merged_bytes.1 += done.bytes_after;
                self.last_merge = Some(SystemTime::now());
            }
        }
    }
}

fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::Merge => "merge",
        Cause::Age => "age",
        Cause::Size => "size",
    }
}

fn tell(job: &Job, done: Done) {
    match job {
        Job::Remove { cause, .. } => {
            tracing::info!(cause = word(*cause), files = done.removed, rows = done.rows, "removed what is not kept");
        }
        _ => tracing::debug!(rows = done.rows, from = done.bytes_before, to = done.bytes_after, "merged"),
    }
}

/// This thread's time on a processor.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A panic elsewhere does not make figures unreadable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
