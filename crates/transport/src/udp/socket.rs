//! One shard's socket of a listener.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use super::Batch;
use crate::sys;

/// A bound socket: receives batches, and accounts for what the kernel dropped.
#[derive(Debug)]
pub struct UdpSocket {
    pub(super) socket: socket2::Socket,
    pub(super) local: SocketAddr,
    pub(super) shard: usize,
    pub(super) buffer: ReceiveBuffer,
    pub(super) drops: Drops,
    pub(super) ready: bool,
}

/// What the kernel's receive queue may hold, in the units of `SO_RCVBUF` (the kernel books twice that).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReceiveBuffer {
    /// What was asked for.
    pub asked_bytes: usize,
    /// What the system allowed.
    pub granted_bytes: usize,
}

impl ReceiveBuffer {
    /// What to do where the system allowed less than was asked for.
    pub fn hint(&self) -> Option<String> {
        let Self { asked_bytes, granted_bytes } = self;
        (granted_bytes < asked_bytes).then(|| {
            format!(
                "the receive buffer is {granted_bytes} bytes instead of {asked_bytes}, so bursts may be dropped; \
                 hint: sysctl -w net.core.rmem_max={asked_bytes}"
            )
        })
    }
}

/// How full the kernel's queue is, and what it dropped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Queue {
    /// Bytes queued now, with the kernel's overhead per datagram.
    pub used_bytes: u32,
    /// Bytes at which the kernel begins to drop.
    pub limit_bytes: u32,
    /// Datagrams dropped since the socket was bound.
    pub dropped: u64,
}

impl UdpSocket {
    /// Where it listens; the port is the real one where 0 was asked for.
    pub const fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Its place among the sockets of its listener, as [`shard_of`](super::shard_of) counts.
    pub const fn shard(&self) -> usize {
        self.shard
    }

    /// The receive buffer asked for and granted.
    pub const fn receive_buffer(&self) -> ReceiveBuffer {
        self.buffer
    }

    /// Whether the last [`wait`](super::wait) found something to receive.
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Fills the batch with what is queued, without waiting; 0 when nothing is.
    pub fn receive(&mut self, batch: &mut Batch) -> io::Result<usize> {
        let count = match batch.fill(self.socket.as_fd()) {
            Ok(count) => count,
            Err(error) if is_passing(&error) => 0,
            Err(error) => return Err(error),
        };
        if let Some(drops) = batch.drops() {
            self.drops.observe(drops);
        }
        Ok(count)
    }

    /// Datagrams that the kernel dropped since the socket was bound, as far as seen; see [`Self::queue`].
    pub const fn dropped(&self) -> u64 {
        self.drops.total
    }

    /// Asks the kernel for the queue's fill and its drops.
    ///
    /// The counters beside datagrams stay silent until the next one comes, so this is to be called each
    /// second and once more at the end.
    pub fn queue(&mut self) -> io::Result<Queue> {
        let memory = sys::memory(self.socket.as_fd())?;
        self.drops.observe(memory.drops);
        Ok(Queue { used_bytes: memory.queued_bytes, limit_bytes: memory.queue_bytes_max, dropped: self.drops.total })
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// One counter from two witnesses.
///
/// `SO_RXQ_OVFL` and `SO_MEMINFO` show the same 32-bit counter of the socket at different moments. What is
/// further on than the last reading, in circular order, is new; what is behind it is an old witness.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drops {
    last: u32,
    total: u64,
}

impl Drops {
    pub(super) const fn since(counter: u32) -> Self {
        Self { last: counter, total: 0 }
    }

    pub(super) fn observe(&mut self, counter: u32) {
        let ahead = counter.wrapping_sub(self.last);
        if ahead <= u32::MAX / 2 {
            self.total += u64::from(ahead);
            self.last = counter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_witnesses_of_one_counter_are_not_added_up() {
        let mut drops = Drops::since(10);
        for counter in [12, 11, 15, 10, 15] {
            drops.observe(counter);
        }
        assert_eq!(drops.total, 5);
    }

    #[test]
    fn the_counter_may_wrap() {
        let mut drops = Drops::since(u32::MAX - 1);
        drops.observe(3);
        drops.observe(u32::MAX);
        assert_eq!(drops.total, 5);
    }

    #[test]
    fn a_short_grant_comes_with_its_remedy() {
        let buffer = ReceiveBuffer { asked_bytes: 33_554_432, granted_bytes: 212_992 };
        assert!(buffer.hint().is_some_and(|hint| hint.ends_with("sysctl -w net.core.rmem_max=33554432")));
        assert_eq!(ReceiveBuffer { asked_bytes: 4096, granted_bytes: 4096 }.hint(), None);
    }
}
