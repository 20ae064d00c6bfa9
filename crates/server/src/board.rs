//! What the shards tell about themselves, for status and metrics.
//!
//! Each shard has a seat here. Once a second it lays its figures down; those of its exporters, of which there may be
//! ten thousand, only when somebody asks, and now and then for the rates. The other way round the seat carries what
//! the program wants from the shard: its figures, to stop, or to take a new configuration.

mod rates;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use finderscope_intake::{Config, ExporterStatus, Intake, Ledger};
use finderscope_journal::Journal;
use finderscope_store::Store;
use finderscope_transport::udp::{UdpSocket, Waker};

pub use self::rates::Rate;
use self::rates::Rates;
use crate::forward::Forwards;
use crate::http::connections::Connections;
use crate::keeper::Desk;
use crate::status::Status;
use crate::tap::Tap;

/// Figures of exporters that are older are asked for again.
const FRESH: Duration = Duration::from_secs(1);
/// How long to wait for them; then the old ones must do.
const ANSWER_MAX: Duration = Duration::from_millis(500);
/// A shard that said nothing for so long hangs.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// All seats, and what does not change.
#[derive(Debug)]
pub struct Board {
    pub(crate) seats: Vec<Arc<Seat>>,
    pub(crate) store: Store,
    pub(crate) desk: Arc<Desk>,
    pub(crate) tap: Arc<Tap>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) forwards: Forwards,
    pub(crate) data: PathBuf,
    pub(crate) http: OnceLock<std::net::SocketAddr>,
    pub(crate) started: SystemTime,
    pub(crate) clock: Instant,
}

/// One shard's place.
#[derive(Debug)]
pub struct Seat {
    /// Its number.
    pub shard: u32,
    waker: Waker,
    stopping: AtomicBool,
    config_is_new: AtomicBool,
    config: Mutex<Config>,
    exporters_wanted: AtomicBool,
    figures: Mutex<Figures>,
    exporters_came: Condvar,
}

/// The figures of one shard.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// When they were laid down.
    pub at: Option<Instant>,
    /// When those of the exporters and their totals were.
    pub exporters_at: Option<Instant>,
    /// How it is.
    pub health: Health,
    /// Its sockets.
    pub sockets: Vec<SocketFigures>,
    /// Its exporters.
    pub exporters: Vec<(ExporterStatus, Rate)>,
    /// All that its exporters sent, with those that were forgotten.
    pub totals: Ledger,
    /// Its journal.
    pub journal: JournalFigures,
    rates: Rates,
}

/// How a shard is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Health {
    /// As it should be.
    #[default]
    Sound,
    /// Rows cannot be stored; why.
    Stalled(String),
}

/// One socket of a listener.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SocketFigures {
    /// Its address.
    pub address: std::net::SocketAddr,
    /// Datagrams that the kernel dropped.
    pub dropped: u64,
    /// Bytes queued.
    pub queued_bytes: u32,
    /// The receive buffer that was asked for.
    pub buffer_asked_bytes: usize,
    /// The one that was granted.
    pub buffer_granted_bytes: usize,
    /// What to do about it, where it is too small.
    pub hint: Option<String>,
}

/// A journal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct JournalFigures {
    /// Its size on disk.
    pub bytes: u64,
    /// The position that the next delivery gets.
    pub next: u64,
    /// The last position that is durable.
    pub synced: u64,
    /// Deliveries that it refused.
    pub refused: u64,
    /// Deliveries that were found missing at the start.
    pub lost: u64,
}

impl Seat {
    /// A seat for a shard that is woken by `waker`.
    pub fn new(shard: u32, waker: Waker, config: Config) -> Self {
        Self {
            shard,
            waker,
            stopping: AtomicBool::new(false),
            config_is_new: AtomicBool::new(false),
            config: Mutex::new(config),
            exporters_wanted: AtomicBool::new(false),
            figures: Mutex::default(),
            exporters_came: Condvar::new(),
        }
    }

    /// Tells the shard to read what is left and end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Gives the shard another configuration of its intake.
    pub fn reconfigure(&self, config: Config) {
        *lock(&self.config) = config;
        self.config_is_new.store(true, Ordering::Release);
        self.wake();
    }

    /// The configuration, if there is one that the shard has not seen.
    pub(crate) fn new_config(&self) -> Option<Config> {
        self.config_is_new.swap(false, Ordering::AcqRel).then(|| self.config())
    }

    pub(crate) fn config(&self) -> Config {
        lock(&self.config).clone()
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            // It looks by itself, some milliseconds later.
            tracing::debug!(%error, shard = self.shard, "cannot wake the shard");
        }
    }

    /// Lays the shard's figures down, but for those of its exporters.
    pub(crate) fn publish(&self, sockets: &mut [UdpSocket], journal: &Journal, health: Health) {
        let sockets = sockets.iter_mut().map(socket_figures).collect::<Vec<_>>();
        let mut figures = lock(&self.figures);
        figures.at = Some(Instant::now());
        figures.health = health;
        if !sockets.is_empty() {
            figures.sockets = sockets; // closed sockets leave their last figures behind
        }
        figures.journal = JournalFigures {
            bytes: journal.bytes(),
            next: journal.next_position(),
            synced: journal.progress().synced,
            refused: journal.refused(),
            lost: journal.opened().lost(),
        };
    }

    /// Whether somebody waits for [`Self::publish_exporters`].
    pub(crate) fn are_exporters_wanted(&self) -> bool {
        self.exporters_wanted.load(Ordering::Acquire)
    }

    /// Lays the figures of the shard's exporters down.
    pub(crate) fn publish_exporters(&self, intake: &Intake) {
        self.exporters_wanted.store(false, Ordering::Release);
        let now = Instant::now();
        let exporters: Vec<ExporterStatus> = intake.ledger().collect();
        let totals = intake.totals();
        let mut figures = lock(&self.figures);
        let rates = figures.rates.update(now, &exporters);
        let before = std::mem::replace(&mut figures.exporters, exporters.into_iter().zip(rates).collect());
        figures.totals = totals;
        figures.exporters_at = Some(now);
        drop(figures);
        self.exporters_came.notify_all();
        drop(before); // many small pieces, and nobody has to wait for it
    }

    /// Asks the shard for the figures of its exporters, where the last ones are not fresh.
    pub(crate) fn ask(&self) {
        if !self.are_exporters_fresh(&lock(&self.figures)) {
            self.exporters_wanted.store(true, Ordering::Release);
            self.wake();
        }
    }

    /// The last figures, after those that were asked for came, or take too long.
    pub fn figures(&self) -> Figures {
        let figures = lock(&self.figures);
        let waiting = |figures: &mut Figures| !self.are_exporters_fresh(figures);
        let waited = self.exporters_came.wait_timeout_while(figures, ANSWER_MAX, waiting);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// A shard that is stopping lays its last figures down by itself; before it began it has none.
    fn are_exporters_fresh(&self, figures: &Figures) -> bool {
        self.is_stopping() || figures.exporters_at.is_none_or(|at| at.elapsed() < FRESH)
    }
}

fn socket_figures(socket: &mut UdpSocket) -> SocketFigures {
    let queued_bytes = match socket.queue() {
        Ok(queue) => queue.used_bytes,
        Err(error) => {
            tracing::warn!(%error, "cannot ask a socket for its queue");
            0
        }
    };
    let buffer = socket.receive_buffer();
    SocketFigures {
        address: socket.local_address(),
        dropped: socket.dropped(),
        queued_bytes,
        buffer_asked_bytes: buffer.asked_bytes,
        buffer_granted_bytes: buffer.granted_bytes,
        hint: buffer.hint(),
    }
}

impl Board {
    /// Notes where HTTP is; the first answer counts.
    pub(crate) fn set_http(&self, address: std::net::SocketAddr) {
        self.http.get_or_init(|| address);
    }

    /// Everything, now.
    pub fn status(&self) -> Status {
        Status::of(self)
    }

    /// Which shards do not do their work, and why; empty while all is well.
    pub fn ailing(&self) -> Vec<String> {
        let now = Instant::now();
        self.seats.iter().filter_map(|seat| ailment(seat, now)).collect()
    }
}

fn ailment(seat: &Seat, now: Instant) -> Option<String> {
    let figures = lock(&seat.figures);
    let shard = seat.shard;
    match (&figures.health, figures.at) {
        (Health::Stalled(reason), _) => Some(format!("shard {shard} cannot store rows: {reason}")),
        (Health::Sound, Some(at)) if now.saturating_duration_since(at) > SILENCE_MAX => {
            Some(format!("shard {shard} has not been heard of for {} s", now.saturating_duration_since(at).as_secs()))
        }
        _ => None,
    }
}

/// A panic elsewhere does not make figures unreadable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
