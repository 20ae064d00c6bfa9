//! The shard's end of the tap.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use finderscope_intake::{ErrorEvent, PacketSection, SENDER_NOT_LISTED, Trouble, Watch};
use finderscope_packets::Packet;
use finderscope_wire::delivery::Delivery;

use super::subscriber::Subscriber;
use super::{Parcel, Tap};

/// Parcels whose memory may be used again, when all subscribers are done with them.
const RECENT_MAX: usize = 16;
/// A larger one is an exception and not worth keeping.
const RECENT_BYTES_MAX: usize = 256 << 10;

/// Fills parcels and gives them to whoever listens. A shard has it for itself.
#[derive(Debug)]
pub(crate) struct Spout {
    tap: Arc<Tap>,
    seen: u64,
    members: Arc<[Arc<Subscriber>]>,
    wants_packets: bool,
    parcel: Parcel,
    recent: VecDeque<Arc<Parcel>>,
}

impl Spout {
    pub(crate) fn new(tap: Arc<Tap>) -> Self {
        Self {
            tap,
            seen: 0,
            members: Arc::default(),
            wants_packets: false,
            parcel: Parcel::default(),
            recent: VecDeque::new(),
        }
    }

    /// Whether anybody listens. To be asked once a batch: what it costs while nobody does.
    #[inline]
    pub(crate) fn is_wanted(&mut self) -> bool {
        let version = self.tap.version.load(Ordering::Relaxed);
        if version != self.seen {
            self.look(version);
        }
        !self.members.is_empty()
    }

    #[cold]
    fn look(&mut self, version: u64) {
        self.members = Arc::clone(&self.tap.lock().list);
        self.wants_packets = self.members.iter().any(|subscriber| subscriber.wants_packets());
        self.seen = version;
        if self.members.is_empty() {
            self.recent.clear();
            self.parcel = Parcel::default();
        }
    }

    /// Takes a datagram, before it is decoded: what that brings belongs behind it.
    pub(crate) fn add(&mut self, delivery: &Delivery<'_>) {
        self.parcel.add(delivery);
    }

    /// Gives the batch to everybody who listens.
    pub(crate) fn hand_over(&mut self) {
        if self.parcel.datagrams() == 0 {
            return;
        }
        let next = self.empty();
        let parcel = Arc::new(std::mem::replace(&mut self.parcel, next));
        for subscriber in &*self.members {
            subscriber.offer(&parcel);
        }
        if parcel.capacity() <= RECENT_BYTES_MAX {
            self.recent.push_back(parcel);
        }
    }

    /// The memory of the oldest parcel, if all are done with it; else new memory.
    fn empty(&mut self) -> Parcel {
        let oldest = self.recent.front_mut().is_some_and(|oldest| Arc::get_mut(oldest).is_some());
        if (oldest || self.recent.len() >= RECENT_MAX)
            && let Some(parcel) = self.recent.pop_front().and_then(Arc::into_inner)
        {
            return Parcel::reusing(parcel);
        }
        Parcel::as_large_as(&self.parcel)
    }
}

/// What the decoder tells while somebody listens.
impl Watch for Spout {
    fn wants_packets(&self) -> bool {
        self.wants_packets
    }

    fn packet(&mut self, section: &PacketSection<'_>) {
        self.parcel.add_packet(&Packet::of_section(section));
    }

    fn error(&mut self, event: &ErrorEvent) {
        // A sender that is refused is not heard by anybody.
        if event.error == Trouble::Reason(SENDER_NOT_LISTED) {
            self.parcel.take_back();
        }
    }
}
