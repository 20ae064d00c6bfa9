//! Where received datagrams lie until they are journaled and decoded.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fmt, io};

use crate::sys::{self, MESSAGES_MAX, Meta};

/// The longest UDP payload there is without jumbograms, rounded up.
const SLOT_BYTES: usize = 65_536;

/// Slots are moved by some cache lines against each other: at a stride that is a power of two, the heads of all
/// datagrams would compete for the same few lines of the first-level cache.
const STAGGER_BYTES: usize = 192;

/// Room for the datagrams of one system call; made once and used again and again.
///
/// Each slot takes any datagram whole. Pages that no datagram ever reached cost address space, not memory.
pub struct Batch {
    buffer: Vec<u8>,
    stride: usize,
    slot_bytes: usize,
    metas: Vec<Meta>,
    filled: usize,
    /// For the datagram without a kernel time, which should not be.
    fallback_ns: i64,
}

/// One datagram of a [`Batch`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received<'a> {
    /// When the kernel took it from the network, in nanoseconds since 1970 UTC.
    pub received_ns: i64,
    /// Who sent it, un-mapped.
    pub source: SocketAddr,
    /// The payload.
    pub bytes: &'a [u8],
    /// Whether it was longer than its slot, so that its end is missing.
    pub truncated: bool,
}

impl Batch {
    /// Room for `datagrams` (1 to 64) datagrams of any size.
    pub fn new(datagrams: usize) -> Self {
        Self::with_slots(datagrams, SLOT_BYTES)
    }

    /// Room for `datagrams` (1 to 64) datagrams of up to `slot_bytes`; the rest of longer ones is cut off.
    pub fn with_slots(datagrams: usize, slot_bytes: usize) -> Self {
        let datagrams = datagrams.clamp(1, MESSAGES_MAX);
        let slot_bytes = slot_bytes.clamp(1, SLOT_BYTES);
        let stride = slot_bytes + STAGGER_BYTES;
        Self {
            buffer: vec![0; datagrams * stride],
            stride,
            slot_bytes,
            metas: vec![Meta::EMPTY; datagrams],
            filled: 0,
            fallback_ns: 0,
        }
    }

    /// How many datagrams are in it.
    pub const fn len(&self) -> usize {
        self.filled
    }

    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Whether the last call filled it, so that more is likely to be queued.
    pub const fn is_full(&self) -> bool {
        self.filled == self.metas.len()
    }

    /// The datagrams in the order of their arrival.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Received<'_>> {
        let metas = self.metas[..self.filled].iter();
        metas.zip(self.buffer.chunks_exact(self.stride)).map(|(meta, slot)| Received {
            received_ns: meta.received_ns.unwrap_or(self.fallback_ns),
            source: meta.source,
            bytes: &slot[..meta.length],
            truncated: meta.truncated,
        })
    }

    pub(super) fn fill(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.filled = 0;
        self.filled = sys::receive_many(socket, &mut self.buffer, self.stride, self.slot_bytes, &mut self.metas)?;
        if self.metas[..self.filled].iter().any(|meta| meta.received_ns.is_none()) {
            self.fallback_ns = now_ns();
        }
        Ok(self.filled)
    }

    /// The latest drop counter that came with a datagram.
    pub(super) fn drops(&self) -> Option<u32> {
        self.metas[..self.filled].iter().rev().find_map(|meta| meta.drops)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
