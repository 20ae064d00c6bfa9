//! Waiting for datagrams on several sockets, or for somebody to say stop.
//!
//! A wake-up, a `poll` and a short `recvmmsg` for every few datagrams cost more than the datagrams themselves. So who
//! receives lets some gather first, as network cards do with their interrupts: after a round that brought anything it
//! sleeps for [`gathering`] before it waits again. A quiet listener is still woken by the first datagram.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use super::UdpSocket;

/// The longest time that datagrams lie in the kernel for others to join them.
const GATHERING_MAX: Duration = Duration::from_millis(1);
/// The fastest that a receive buffer is taken to fill: 64 Gbit/s, in bytes a nanosecond.
const FILLING_BYTES_PER_NS: u64 = 8;

/// Ends another thread's [`wait`]. Clones wake the same waiter; each waiting thread has its own.
#[derive(Clone, Debug)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// A waker that nobody has called yet.
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(event)))
    }

    /// Ends the current wait, or else the next one. Many calls before a wait are one.
    pub fn wake(&self) -> io::Result<()> {
        match rustix::io::write(&*self.0, &1_u64.to_ne_bytes()) {
            Ok(_) | Err(Errno::AGAIN) => Ok(()), // a full counter wakes too
            Err(error) => Err(error.into()),
        }
    }

    fn reset(&self) -> io::Result<()> {
        match rustix::io::read(&*self.0, &mut [0_u8; 8]) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// How long to sleep after a round that brought datagrams: a millisecond, or what a small receive buffer surely holds.
pub fn gathering(sockets: &[UdpSocket]) -> Duration {
    let smallest = sockets.iter().map(|socket| socket.receive_buffer().granted_bytes).min().unwrap_or(0);
    Duration::from_nanos(smallest as u64 / FILLING_BYTES_PER_NS).min(GATHERING_MAX)
}

/// Waits until a socket has datagrams, `waker` is called, or the time is over; true when it was the waker.
///
/// Afterwards [`UdpSocket::is_ready`] tells which sockets to receive from. A signal ends the wait early.
pub fn wait(sockets: &mut [UdpSocket], waker: &Waker, timeout: Duration) -> io::Result<bool> {
    let mut watched: Vec<PollFd<'_>> = Vec::with_capacity(sockets.len() + 1);
    watched.push(PollFd::new(waker, PollFlags::IN));
    watched.extend(sockets.iter().map(|socket| PollFd::new(socket, PollFlags::IN)));
    let timeout = Timespec::try_from(timeout).map_err(|_| io::ErrorKind::InvalidInput)?;
    match poll(&mut watched, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    // An error on a socket makes it ready too: receiving is what reports it.
    let ready: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
    for (socket, ready) in sockets.iter_mut().zip(&ready[1..]) {
        socket.ready = *ready;
    }
    if ready[0] {
        waker.reset()?;
    }
    Ok(ready[0])
}
