//! The tap: live deliveries and packets, for whoever looks on while the server works.
//!
//! ```text
//! shard ─▶ Spout ─▶ Parcel ─┬─▶ queue ─▶ a subscriber's own thread ─▶ its connection
//!          one a batch      └─▶ queue ─▶ …
//! ```
//!
//! While nobody listens, a shard reads one number a batch. Otherwise it writes the batch into one parcel of frames, which all
//! subscribers share, and puts it into each one's queue: it never waits, and what a queue has no room for is that
//! subscriber's loss, counted and told to it, and nobody else's. Filters and formats are the work of the subscriber's thread.

mod parcel;
mod spout;
mod subscriber;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub(crate) use self::parcel::Parcel;
pub(crate) use self::spout::Spout;
use self::subscriber::Subscriber;
pub(crate) use self::subscriber::{Mailbox, Seat};

/// What the tap may take of the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limits {
    /// How many may look on at once.
    pub(crate) subscribers: usize,
    /// What may wait for each of them.
    pub(crate) queue_bytes: usize,
}

/// What a subscriber is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    /// Datagrams alone.
    Deliveries,
    /// Datagrams, and the packets in those that cannot be read without the shard's templates.
    Packets,
}

/// Who looks on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Who {
    /// Somebody over HTTP, of whom there may be a limited number.
    Guest {
        /// From where.
        peer: SocketAddr,
        /// What the program calls itself.
        agent: String,
        /// What it reads.
        stream: &'static str,
    },
    /// The server itself.
    Own,
}

/// Why somebody cannot look on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Refused {
    /// There are too many already.
    #[error("{0} others look on already; hint: live.subscribers")]
    Full(usize),
    /// The server is about to end.
    #[error("the server is stopping")]
    Stopping,
}

/// Where shards meet subscribers.
#[derive(Debug)]
pub(crate) struct Tap {
    /// Changes with the members; all that a shard looks at while there are none.
    version: AtomicU64,
    members: Mutex<Members>,
}

#[derive(Debug)]
struct Members {
    limits: Limits,
    list: Arc<[Arc<Subscriber>]>,
    next_id: u64,
    is_closed: bool,
    refused: u64,
    /// What those were sent, and lost, who have left.
    left: Sent,
}

/// Datagrams of one subscriber, or of several.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sent {
    /// Put into its queue.
    pub(crate) datagrams: u64,
    /// Found no room there.
    pub(crate) lost: u64,
}

/// The tap at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// Guests, in the order in which they came.
    pub(crate) guests: Vec<GuestFigures>,
    /// How many there may be.
    pub(crate) limit: usize,
    /// Those who found no place.
    pub(crate) refused: u64,
    /// Of all guests that ever were.
    pub(crate) total: Sent,
}

/// A guest.
#[derive(Clone, Debug)]
pub(crate) struct GuestFigures {
    /// From where.
    pub(crate) peer: SocketAddr,
    /// What the program calls itself.
    pub(crate) agent: String,
    /// What it reads.
    pub(crate) stream: &'static str,
    /// Since when.
    pub(crate) since: SystemTime,
    /// What it got.
    pub(crate) sent: Sent,
    /// Bytes that wait for it.
    pub(crate) queued_bytes: usize,
}

impl Tap {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let members =
            Members { limits, list: Arc::default(), next_id: 0, is_closed: false, refused: 0, left: Sent::default() };
        Arc::new(Self { version: AtomicU64::new(0), members: Mutex::new(members) })
    }

    /// Changes what holds for the subscribers to come.
    pub(crate) fn set_limits(&self, limits: Limits) {
        self.lock().limits = limits;
    }

    /// Begins to send to somebody: the mailbox is for its thread; it is sent to until the seat is dropped.
    pub(crate) fn subscribe(self: &Arc<Self>, wanted: Wanted, who: Who) -> Result<(Mailbox, Seat), Refused> {
        let mut members = self.lock();
        if members.is_closed {
            return Err(Refused::Stopping);
        }
        let guests = members.list.iter().filter(|member| member.is_guest()).count();
        let limits = members.limits;
        if matches!(who, Who::Guest { .. }) && guests >= limits.subscribers {
            members.refused += 1;
            return Err(Refused::Full(limits.subscribers));
        }
        members.next_id += 1;
        let (subscriber, mailbox) = Subscriber::new(members.next_id, wanted, who, limits.queue_bytes);
        let list = members.list.iter().chain([&subscriber]).cloned().collect();
        self.replace(&mut members, list);
        Ok((mailbox, Seat::new(Arc::clone(self), subscriber)))
    }

    fn leave(&self, subscriber: &Subscriber) {
        let mut members = self.lock();
        let before = members.list.len();
        let list: Arc<[_]> = members.list.iter().filter(|member| member.id() != subscriber.id()).cloned().collect();
        if list.len() < before && subscriber.is_guest() {
            members.left.add(subscriber.sent());
        }
        self.replace(&mut members, list);
        drop(members);
        subscriber.end();
    }

    /// Ends every stream behind what was put into its queue, and takes no more subscribers.
    pub(crate) fn close(&self) {
        let mut members = self.lock();
        members.is_closed = true;
        let list = Arc::clone(&members.list);
        drop(members);
        list.iter().for_each(|subscriber| subscriber.end());
    }

    pub(crate) fn figures(&self) -> Figures {
        let members = self.lock();
        let mut total = members.left;
        members.list.iter().filter(|member| member.is_guest()).for_each(|guest| total.add(guest.sent()));
        let guests = members.list.iter().filter_map(|member| member.figures()).collect();
        Figures { guests, limit: members.limits.subscribers, refused: members.refused, total }
    }

    fn replace(&self, members: &mut Members, list: Arc<[Arc<Subscriber>]>) {
        members.list = list;
        // Within the lock, by which whoever sees the new number sees the new list.
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sent {
    const fn add(&mut self, other: Self) {
        self.datagrams += other.datagrams;
        self.lost += other.lost;
    }
}
