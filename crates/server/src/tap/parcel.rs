//! What one receive batch brought, as frames, for all subscribers together.

use finderscope_packets::Packet;
use finderscope_packets::live::Frame;
use finderscope_wire::delivery::Delivery;

/// Counted for a parcel beside its bytes: its place in a queue and its allocation.
const OVERHEAD_BYTES: usize = 128;
/// The length before each frame.
const LENGTH_BYTES: usize = 4;

/// Frames: datagrams in the order of their arrival, each followed by the packets that only the shard could read.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    bytes: Vec<u8>,
    datagrams: u64,
    /// Where the last datagram begins.
    last: usize,
    has_packets: bool,
}

impl Parcel {
    /// An empty one that uses the memory of another.
    pub(super) fn reusing(other: Self) -> Self {
        let mut bytes = other.bytes;
        bytes.clear();
        Self { bytes, ..Self::default() }
    }

    /// An empty one with room for as much as another has.
    pub(super) fn as_large_as(other: &Self) -> Self {
        Self { bytes: Vec::with_capacity(other.bytes.len()), ..Self::default() }
    }

    /// Appends a datagram. One that is too long for a frame cannot come from a socket.
    pub(super) fn add(&mut self, delivery: &Delivery<'_>) {
        let last = self.bytes.len();
        if Frame::Delivery(*delivery).encode(&mut self.bytes).is_ok() {
            self.last = last;
            self.datagrams += 1;
        }
    }

    /// Takes the last datagram back, behind which there is no packet yet.
    pub(super) fn take_back(&mut self) {
        self.bytes.truncate(self.last);
        self.datagrams = self.datagrams.saturating_sub(1);
    }

    /// Appends a packet that was read out of the last datagram, or of one that waited for it.
    pub(super) fn add_packet(&mut self, packet: &Packet<'_>) {
        // Only datagrams can be too long.
        self.has_packets |= Frame::Packet(*packet).encode(&mut self.bytes).is_ok();
    }

    /// How many datagrams there are.
    pub(crate) const fn datagrams(&self) -> u64 {
        self.datagrams
    }

    /// Whether there are datagrams and nothing else.
    pub(crate) const fn is_plain(&self) -> bool {
        !self.has_packets
    }

    /// The frames, as they go over a connection.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it takes of a queue.
    pub(super) const fn weight(&self) -> usize {
        self.bytes.len() + OVERHEAD_BYTES
    }

    /// What it takes of memory.
    pub(super) const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The frames, each by itself.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            let (length, behind) = rest.split_first_chunk::<LENGTH_BYTES>()?;
            let (frame, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = behind;
            // Written above, so that it can be read.
            Frame::decode(frame).ok().flatten()
        })
    }

    /// The datagrams, each by itself.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = Delivery<'_>> {
        self.frames().filter_map(|frame| match frame {
            Frame::Delivery(delivery) => Some(delivery),
            _ => None,
        })
    }
}
