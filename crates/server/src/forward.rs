//! Forwarding: sFlow datagrams sent on, unaltered, to other collectors.
//!
//! Each target has a thread, which reads from the tap like any other subscriber: a target that cannot keep up
//! loses its own datagrams. Targets of the configuration stay; those of `/forwarding/NAME/json` last as long as the process, as
//! sFlow-RT's do.
//!
//! The datagrams leave from this machine's own address. Nothing is sent to our own listeners, since it would come back for
//! ever; two collectors that forward to each other cannot be told from here.

mod target;

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use finderscope_packets::is_sflow;
use finderscope_transport::udp::{Outgoing, Sender};

pub use self::target::{DEFAULT_PORT, Target, TargetError};
use crate::config::Network;
use crate::tap::{Mailbox, Parcel, Seat, Tap, Wanted, Who};

/// How many targets there may be: each has a thread and a socket.
pub const TARGETS_MAX: usize = 32;
/// How long the last datagrams may take at the end. A device that takes nothing is not waited for.
const FINISH_MAX: Duration = Duration::from_secs(2);
const FINISH_LOOK: Duration = Duration::from_millis(5);
/// How long a name may be.
pub const NAME_CHARS_MAX: usize = 100;

/// Why a target cannot be had, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// It would come back.
    #[error("{0} is this server's own listener: what is sent there would come back for ever")]
    Loop(SocketAddr),
    /// There are too many.
    #[error("there are {TARGETS_MAX} targets already")]
    Full,
    /// A name that nobody could type.
    #[error("a name has 1 to {NAME_CHARS_MAX} characters, and no control characters")]
    Name,
    /// The configuration has it.
    #[error("{0} is in the configuration, and is changed there")]
    Configured(String),
    /// Nobody knows it.
    #[error("there is no target {0}")]
    Unknown(String),
    /// The machine.
    #[error("cannot send to {target}: {reason}")]
    System {
        /// Where to.
        target: SocketAddr,
        /// What the system said.
        reason: String,
    },
}

/// All targets.
#[derive(Debug)]
pub struct Forwards {
    tap: Arc<Tap>,
    /// Where nothing may be sent.
    listeners: Vec<SocketAddr>,
    /// To where somebody without a token may have datagrams sent.
    allow: Mutex<Vec<Network>>,
    targets: Mutex<BTreeMap<String, Forward>>,
}

#[derive(Debug)]
struct Forward {
    target: Target,
    is_configured: bool,
    tally: Arc<Mutex<Tally>>,
    seat: Seat,
    thread: JoinHandle<()>,
}

/// What became of a target's datagrams.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// sFlow datagrams that the system took.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Those that it did not take.
    pub failed: u64,
    /// How often it said that nobody listens there.
    pub refused: u64,
    /// Datagrams, of any protocol, that came too fast for the target.
    pub lost: u64,
}

/// A target, and what became of its datagrams.
#[derive(Clone, Debug)]
pub struct ForwardFigures {
    /// What it is called.
    pub name: String,
    /// Where it is, and what it gets.
    pub target: Target,
    /// Whether the configuration has it.
    pub is_configured: bool,
    /// What was sent.
    pub tally: Tally,
}

impl Forwards {
    pub(crate) const fn new(tap: Arc<Tap>, listeners: Vec<SocketAddr>, allow: Vec<Network>) -> Self {
        Self { tap, listeners, allow: Mutex::new(allow), targets: Mutex::new(BTreeMap::new()) }
    }

    /// Whether datagrams may be sent to `target` by somebody who has no token.
    pub fn allows(&self, target: &Target) -> bool {
        lock(&self.allow).iter().any(|network| network.contains(target.to.ip()))
    }

    /// Begins to forward under a name, in the place of what had it. What is there already goes on without a gap.
    pub fn put(&self, name: &str, target: Target, is_configured: bool) -> Result<(), ForwardError> {
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(ForwardError::Name);
        }
        if self.listeners.iter().any(|ours| is_same_place(*ours, target.to)) {
            return Err(ForwardError::Loop(target.to));
        }
        let mut targets = self.lock();
        let is_full = targets.len() >= TARGETS_MAX;
        match targets.get_mut(name) {
            Some(known) if known.is_configured && !is_configured => {
                return Err(ForwardError::Configured(name.to_owned()));
            }
            Some(known) if known.target == target => {
                known.is_configured = is_configured;
                return Ok(());
            }
            None if is_full => return Err(ForwardError::Full),
            _ => {}
        }
        let forward = self.start(target, is_configured)?;
        let before = targets.insert(name.to_owned(), forward);
        drop(targets);
        drop(before); // its thread ends by itself
        Ok(())
    }

    /// Takes over what the configuration says now; names what cannot be had.
    pub(crate) fn reload(&self, allow: Vec<Network>, wanted: Vec<(String, Target)>) -> Vec<(String, ForwardError)> {
        *lock(&self.allow) = allow;
        let mut targets = self.lock();
        let gone: Vec<String> = targets
            .iter()
            .filter(|(name, known)| known.is_configured && !wanted.iter().any(|(wanted, _)| wanted == *name))
            .map(|(name, _)| name.clone())
            .collect();
        let ended: Vec<_> = gone.iter().filter_map(|name| targets.remove(name)).collect();
        drop(targets);
        drop(ended); // their threads end by themselves
        let put = |(name, target): (String, Target)| self.put(&name, target, true).err().map(|error| (name, error));
        wanted.into_iter().filter_map(put).collect()
    }

    /// Ends a target's forwarding.
    pub fn remove(&self, name: &str) -> Result<(), ForwardError> {
        let mut targets = self.lock();
        match targets.get(name) {
            None => return Err(ForwardError::Unknown(name.to_owned())),
            Some(known) if known.is_configured => return Err(ForwardError::Configured(name.to_owned())),
            Some(_) => {}
        }
        let before = targets.remove(name);
        drop(targets);
        drop(before);
        Ok(())
    }

    /// The target of a name.
    pub fn get(&self, name: &str) -> Option<Target> {
        self.lock().get(name).map(|forward| forward.target.clone())
    }

    /// All targets, by name.
    pub fn figures(&self) -> Vec<ForwardFigures> {
        let targets = self.lock();
        let figures = targets.iter().map(|(name, forward)| ForwardFigures {
            name: name.clone(),
            target: forward.target.clone(),
            is_configured: forward.is_configured,
            tally: Tally { lost: forward.seat.sent().lost, ..*lock(&forward.tally) },
        });
        figures.collect()
    }

    /// Waits until everything was sent on that came before the tap was closed, but not for ever.
    pub(crate) fn finish(&self) {
        let targets = std::mem::take(&mut *self.lock());
        let deadline = Instant::now() + FINISH_MAX;
        for (name, forward) in targets {
            while !forward.thread.is_finished() && Instant::now() < deadline {
                std::thread::park_timeout(FINISH_LOOK);
            }
            if !forward.thread.is_finished() {
                tracing::warn!(name, target = %forward.target.to, "not everything could be sent on in time");
            } else if forward.thread.join().is_err() {
                tracing::error!(name, "the thread of a target panicked");
            }
        }
    }

    fn start(&self, target: Target, is_configured: bool) -> Result<Forward, ForwardError> {
        let system = |reason: String| ForwardError::System { target: target.to, reason };
        let mut sender = Sender::new(target.to, 1);
        let ours = sender.exporter(None).map_err(|error| system(error.to_string()))?;
        let (mailbox, seat) =
            self.tap.subscribe(Wanted::Deliveries, Who::Own).map_err(|error| system(error.to_string()))?;
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (told, to) = (Arc::clone(&tally), target.clone());
        let work = move || {
            work(mailbox, |parcel| {
                let wanted = parcel.deliveries().filter(|it| is_sflow(it.bytes) && to.agents.want(it));
                let datagrams: Vec<_> = wanted.map(|it| Outgoing { exporter: ours, bytes: it.bytes }).collect();
                sender.send(&datagrams);
                let so_far = sender.tally();
                let mut told = lock(&told);
                (told.sent, told.sent_bytes) = (so_far.sent, so_far.sent_bytes);
                (told.failed, told.refused) = (so_far.errors, so_far.refused);
            });
        };
        let thread = std::thread::Builder::new().name("forward".to_owned()).spawn(work);
        let thread = thread.map_err(|error| system(error.to_string()))?;
        Ok(Forward { target, is_configured, tally, seat, thread })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Forward>> {
        lock(&self.targets)
    }
}

/// A target's thread.
fn work(mut mailbox: Mailbox, mut send: impl FnMut(&Parcel)) {
    while let Some(parcel) = mailbox.next() {
        send(&parcel);
        mailbox.passed_on(&parcel);
    }
}

/// Whether what is sent to `target` arrives at `ours`.
fn is_same_place(ours: SocketAddr, target: SocketAddr) -> bool {
    let (ours_ip, ip) = (ours.ip().to_canonical(), target.ip().to_canonical());
    ours.port() == target.port() && (ours_ip == ip || (ours_ip.is_unspecified() && is_ours(ip)))
}

/// Whether this machine has the address: one that it can send from.
fn is_ours(ip: std::net::IpAddr) -> bool {
    ip.is_unspecified() || ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
