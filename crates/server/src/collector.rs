//! Everything that `serve` runs: opened in the order that loses nothing, and closed in the reverse one.

mod listen;
mod sync;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use finderscope_intake as intake;
use finderscope_journal::{self as journal, Journal};
use finderscope_store::{self as store, Recovery, ShardRecovery, Store, StoreError};
use finderscope_transport::endpoint::Endpoint;
use finderscope_transport::udp::{BindError, Passed, UdpSocket, Waker};

pub use crate::recover::RecoverError;

pub use self::listen::{Listening, check_listen};
use self::sync::Syncer;
use crate::board::{Board, Seat};
use crate::config::{Config, ConfigError, ForwardTo};
use crate::declared;
use crate::forward::{ForwardError, Forwards, Target};
use crate::http::connections::Connections;
use crate::keeper::{self, Desk, KeeperThread};
use crate::recover::{self, Recovered};
use crate::shard::Shard;
use crate::tap::{Spout, Tap};
use crate::writer::{ShardWriterState, Writer};

/// What each journal's released files may keep of the disk until they are written over: some seconds of a full gigabit.
const SPARE_BYTES_MAX: u64 = 512 << 20;

/// Why a collector did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder.
    #[error("{}: {error}", folder.display())]
    Store {
        /// Which.
        folder: PathBuf,
        /// What is wrong with it.
        error: StoreError,
    },
    /// An endpoint that cannot be listened on (yet).
    #[error("cannot listen on {0}: only udp:// endpoints can be listened on")]
    Endpoint(Box<Endpoint>),
    /// A port.
    #[error("{endpoint}: {error}")]
    Bind {
        /// Which.
        endpoint: Box<Endpoint>,
        /// What is wrong.
        error: Box<BindError>,
    },
    /// A target of the configuration.
    #[error("forward.to ({name}): {error}")]
    Forward {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        error: ForwardError,
    },
    /// Going on where the last life ended.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// A thread or an event could not be had.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// A running collector.
pub struct Collector {
    board: Arc<Board>,
    shards: Vec<JoinHandle<()>>,
    syncer: Syncer,
    keeper: KeeperThread,
    listening: Vec<Listening>,
}

impl Collector {
    /// Takes the folder, replays what the last life left, takes the ports, and begins to receive.
    ///
    /// The ports come last: what the kernel queues from then on is taken.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        config.check()?;
        let data = config.data_folder()?;
        let mut passed = Passed::from_environment()?;
        let shards = listen::shards(config, &passed)?;
        let intake = config.intake();
        let (store, recovery) = open_store(&data, config, shards, &intake)?;
        let journals = journal_options(config, shards);
        let ready: Vec<Ready> = recovery
            .shards
            .into_iter()
            .map(|shard| bring_back(&store, shard, journals, &intake))
            .collect::<Result<_, _>>()?;
        let (sockets, listening) = listen::bind(config, shards, &mut passed)?;
        declared::write(&data, &config.declared()?)?;
        warn_of(config);
        let syncer = Syncer::start(ready.iter().map(|ready| ready.journal.sync_handle()).collect())?;
        let (wakers, seats) = seats(shards, &intake)?;
        let desk = Arc::new(Desk::default());
        let keeper = KeeperThread::start(store.clone(), keeper::rules(&config.store), Arc::clone(&desk))?;
        let (http, started, clock) = (OnceLock::new(), SystemTime::now(), Instant::now());
        let tap = Tap::new(config.live.limits());
        let forwards = forwards(config, &tap, &listening)?;
        let connections = Connections::new(config.http.limits());
        let board = Board { seats, store, desk, tap, connections, forwards, data, http, started, clock };
        let mut collector = Self { board: Arc::new(board), shards: Vec::new(), syncer, keeper, listening };
        for ((ready, sockets), waker) in ready.into_iter().zip(sockets).zip(wakers) {
            collector.spawn(ready, sockets, waker, Duration::from_secs(config.store.cut_seconds))?;
        }
        Ok(collector)
    }

    fn spawn(
        &mut self,
        ready: Ready,
        sockets: Vec<UdpSocket>,
        waker: Waker,
        cut_every: Duration,
    ) -> Result<(), StartError> {
        let Ready { mut journal, writer, recovered: Recovered { intake, tables } } = ready;
        journal.reuse_files(SPARE_BYTES_MAX);
        journal.write_beside(self.syncer.writer().clone());
        let seat = Arc::clone(&self.board.seats[writer.shard() as usize]);
        let name = format!("shard-{}", seat.shard);
        let spout = Spout::new(Arc::clone(&self.board.tap));
        let shard = Shard { sockets, waker, journal, intake, tables, writer, seat, spout, cut_every };
        self.shards.push(std::thread::Builder::new().name(name).spawn(move || shard.run())?);
        Ok(())
    }

    /// What it tells about itself.
    pub const fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Notes where HTTP came to listen.
    pub fn set_http(&self, address: SocketAddr) {
        self.board.set_http(address);
    }

    /// Its listeners.
    pub fn listening(&self) -> &[Listening] {
        &self.listening
    }

    /// Takes over what can change while running. What cannot is named in the result.
    pub fn reload(&self, old: &Config, new: &Config) -> Vec<&'static str> {
        // Those who ask must know of a column before rows have it.
        let declared = new.declared().unwrap_or_default();
        if let Err(error) = declared::write(&self.board.data, &declared) {
            tracing::error!("columns.json cannot be written: {error}");
        }
        warn_of(new);
        for seat in &self.board.seats {
            seat.reconfigure(new.intake());
        }
        self.board.desk.set_rules(keeper::rules(&new.store));
        self.board.connections.set_limits(new.http.limits());
        self.board.tap.set_limits(new.live.limits());
        self.reload_forwards(new);
        let fixed = [
            ("data", old.data == new.data),
            ("listen", old.listen == new.listen),
            ("shards", old.shards == new.shards),
            ("http.listen", old.http.listen == new.http.listen),
            ("http.open", old.http.open == new.http.open),
            ("http.tokens", old.http.tokens == new.http.tokens),
            ("http.hosts", old.http.hosts == new.http.hosts),
            ("udp", old.udp == new.udp),
            ("journal", old.journal == new.journal),
            ("store.cut_seconds", old.store.cut_seconds == new.store.cut_seconds),
        ];
        fixed.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }

    fn reload_forwards(&self, config: &Config) {
        match targets(config) {
            Ok(targets) => {
                for (name, error) in self.board.forwards.reload(config.forward.allow.clone(), targets) {
                    tracing::error!(name, %error, "a target of the configuration cannot be had");
                }
            }
            Err(error) => tracing::error!("the targets stay as they are: {error}"),
        }
    }

    /// Reads the sockets until they are empty, seals everything into parts, and ends.
    pub fn stop(self) {
        self.keeper.ask_to_stop();
        for seat in &self.board.seats {
            seat.stop();
        }
        for shard in self.shards {
            if shard.join().is_err() {
                tracing::error!("a shard panicked");
            }
        }
        self.board.tap.close(); // whoever looks on has been sent the last datagram
        self.board.forwards.finish();
        self.syncer.stop();
        self.keeper.stop();
    }
}

/// Sends on what the configuration says.
fn forwards(config: &Config, tap: &Arc<Tap>, listening: &[Listening]) -> Result<Forwards, StartError> {
    let listeners = listening.iter().map(|listening| listening.address).collect();
    let forwards = Forwards::new(Arc::clone(tap), listeners, config.forward.allow.clone());
    for (name, target) in targets(config)? {
        forwards.put(&name, target, true).map_err(|error| StartError::Forward { name: name.clone(), error })?;
    }
    Ok(forwards)
}

/// The targets of the configuration, by name.
fn targets(config: &Config) -> Result<Vec<(String, Target)>, ConfigError> {
    let read = |to: &ForwardTo| match to.target() {
        Ok(target) => Ok((to.name.clone(), target)),
        Err(error) => Err(ConfigError::Unsound(format!("forward.to ({}): {error}", to.name))),
    };
    config.forward.to.iter().map(read).collect()
}

/// A shard that only lacks its sockets.
struct Ready {
    journal: Journal,
    writer: Writer,
    recovered: Recovered,
}

/// Opens the folder, with as many shards as are wanted.
fn open_store(
    data: &Path,
    config: &Config,
    shards: usize,
    intake: &intake::Config,
) -> Result<(Store, Recovery), StartError> {
    let failed = |error| StartError::Store { folder: data.to_owned(), error };
    let open = || {
        let command = crate::command::line();
        let options = store::Options { shards: shards as u32, command, ..store::Options::default() };
        Store::open(data, options).map_err(failed)
    };
    let (store, recovery) = open()?;
    for problem in &recovery.problems {
        tracing::warn!(%problem, "the store is not as it should be");
    }
    if !recovery.needs_reshard() {
        return Ok((store, recovery));
    }
    let options = journal_options(config, recovery.shards.len());
    recover::reshard(&store, recovery.shards, shards, intake, options)?;
    drop(store); // lets go of the lock
    open()
}

/// The shards share what all journals may take.
fn journal_options(config: &Config, shards: usize) -> journal::Options {
    let limit_bytes = config.journal.limit.0 / shards.max(1) as u64;
    journal::Options { segment_bytes: config.journal.segment.0, limit_bytes }
}

fn bring_back(
    store: &Store,
    recovery: ShardRecovery,
    journals: journal::Options,
    intake: &intake::Config,
) -> Result<Ready, StartError> {
    let shard = recovery.shard;
    let journal = recover::open_journal(store.dir(), &recovery, journals)?;
    let writer = store.writer(shard).map_err(RecoverError::from)?;
    let writer = Writer::start(writer, journal.sync_handle())?;
    let from = ShardWriterState { state: recovery.state, position: recovery.position };
    let recovered = recover::replay_from(&journal, &writer, intake.clone(), from)?;
    Ok(Ready { journal, writer, recovered })
}

fn seats(shards: usize, intake: &intake::Config) -> Result<(Vec<Waker>, Vec<Arc<Seat>>), StartError> {
    let wakers = (0..shards).map(|_| Waker::new()).collect::<std::io::Result<Vec<_>>>()?;
    let seats = (0..).zip(&wakers).map(|(shard, waker)| Arc::new(Seat::new(shard, waker.clone(), intake.clone())));
    let seats = seats.collect();
    Ok((wakers, seats))
}

/// What the configuration says that changes nothing.
fn warn_of(config: &Config) {
    for warning in &config.mapped.warnings {
        tracing::warn!("{warning}");
    }
}
