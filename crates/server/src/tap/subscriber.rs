//! One who looks on: its queue, and what became of what it was to be sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{GuestFigures, Parcel, Sent, Tap, Wanted, Who};

/// What shards and the tap know of a subscriber.
#[derive(Debug)]
pub(super) struct Subscriber {
    id: u64,
    wanted: Wanted,
    who: Who,
    since: SystemTime,
    /// Without a bound of its own, since sending to it must never wait; `queued_bytes` bounds it.
    queue: UnboundedSender<Mail>,
    queued_bytes: AtomicUsize,
    queue_bytes_max: usize,
    sent: AtomicU64,
    lost: AtomicU64,
    has_ended: AtomicBool,
}

#[derive(Debug)]
enum Mail {
    Parcel(Arc<Parcel>),
    End,
}

/// Where a subscriber's thread finds what was sent to it.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: UnboundedReceiver<Mail>,
    subscriber: Arc<Subscriber>,
    has_ended: bool,
}

/// A subscriber's place at the tap. Dropping it ends its stream and frees its queue.
#[derive(Debug)]
pub(crate) struct Seat {
    tap: Arc<Tap>,
    subscriber: Arc<Subscriber>,
}

impl Subscriber {
    pub(super) fn new(id: u64, wanted: Wanted, who: Who, queue_bytes_max: usize) -> (Arc<Self>, Mailbox) {
        let (sender, receiver) = unbounded_channel();
        let subscriber = Arc::new(Self {
            id,
            wanted,
            who,
            since: SystemTime::now(),
            queue: sender,
            queued_bytes: AtomicUsize::new(0),
            queue_bytes_max,
            sent: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            has_ended: AtomicBool::new(false),
        });
        let mailbox = Mailbox { queue: receiver, subscriber: Arc::clone(&subscriber), has_ended: false };
        (subscriber, mailbox)
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    pub(super) const fn is_guest(&self) -> bool {
        matches!(self.who, Who::Guest { .. })
    }

    pub(super) fn wants_packets(&self) -> bool {
        self.wanted == Wanted::Packets
    }

    /// Puts a parcel into the queue, or counts it as lost where there is no room. Never waits.
    pub(super) fn offer(&self, parcel: &Arc<Parcel>) {
        let weight = parcel.weight();
        let queued = self.queued_bytes.fetch_add(weight, Ordering::Relaxed);
        let has_room = queued + weight <= self.queue_bytes_max || queued == 0;
        if has_room && self.queue.send(Mail::Parcel(Arc::clone(parcel))).is_ok() {
            self.sent.fetch_add(parcel.datagrams(), Ordering::Relaxed);
        } else {
            self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
            self.lost.fetch_add(parcel.datagrams(), Ordering::Relaxed);
        }
    }

    /// Ends the stream behind what is queued.
    pub(super) fn end(&self) {
        if !self.has_ended.swap(true, Ordering::Relaxed) {
            // An error means that nobody reads any more.
            drop(self.queue.send(Mail::End));
        }
    }

    pub(super) fn sent(&self) -> Sent {
        Sent { datagrams: self.sent.load(Ordering::Relaxed), lost: self.lost.load(Ordering::Relaxed) }
    }

    /// A guest's figures; the server's own subscribers tell theirs in another place.
    pub(super) fn figures(&self) -> Option<GuestFigures> {
        let Who::Guest { peer, agent, stream } = &self.who else { return None };
        Some(GuestFigures {
            peer: *peer,
            agent: agent.clone(),
            stream,
            since: self.since,
            sent: self.sent(),
            queued_bytes: self.queued_bytes.load(Ordering::Relaxed),
        })
    }
}

impl Mailbox {
    /// Waits for the next parcel; none at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<Arc<Parcel>> {
        if self.has_ended {
            return None;
        }
        let mail = self.queue.blocking_recv();
        self.open(mail)
    }

    /// The next parcel, if it is here.
    pub(crate) fn next_if_here(&mut self) -> Option<Arc<Parcel>> {
        if self.has_ended {
            return None;
        }
        let mail = self.queue.try_recv().ok()?;
        self.open(Some(mail))
    }

    fn open(&mut self, mail: Option<Mail>) -> Option<Arc<Parcel>> {
        match mail {
            Some(Mail::Parcel(parcel)) => Some(parcel),
            Some(Mail::End) | None => {
                self.has_ended = true;
                None
            }
        }
    }

    /// Says that a parcel has been passed on: only then there is room for another.
    pub(crate) fn passed_on(&self, parcel: &Parcel) {
        self.subscriber.queued_bytes.fetch_sub(parcel.weight(), Ordering::Relaxed);
    }

    /// What the subscriber was sent, and lost, so far.
    pub(crate) fn sent(&self) -> Sent {
        self.subscriber.sent()
    }
}

impl Seat {
    pub(super) const fn new(tap: Arc<Tap>, subscriber: Arc<Subscriber>) -> Self {
        Self { tap, subscriber }
    }

    /// What it was sent, and lost, so far.
    pub(crate) fn sent(&self) -> Sent {
        self.subscriber.sent()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.tap.leave(&self.subscriber);
    }
}
