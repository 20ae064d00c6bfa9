//! Waiting for datagrams on several sockets, or for somebody to say stop.
//!
//! A wake-up, a `poll` and a short `recvmmsg` for every few datagrams cost more than the datagrams themselves. So who
//! receives lets some gather first, as network cards do with their interrupts: after a round that brought anything it
//! sleeps as [`Gathering`] says before it looks again. A quiet listener is still woken by the first datagram.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use super::UdpSocket;

/// The longest and the shortest time that datagrams lie in the kernel for others to join them.
const LONGEST: Duration = Duration::from_millis(10);
const SHORTEST: Duration = Duration::from_micros(50);
/// The fastest that a receive buffer is taken to fill, in granted bytes a nanosecond. The kernel allows twice what it grants and
/// counts its own overhead, so that this is 16 Gbit/s of what it counts, and 10 Gbit/s or so of datagrams.
const FILLING_BYTES_PER_NS: u64 = 1;
/// How many datagrams should lie there: somewhat less than one system call takes, so that the second, which finds nothing,
/// is spared. More would only leave the caches before they are read.
const ENOUGH: u32 = 48;

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

/// How long to sleep after a round that brought datagrams.
///
/// So long that some fifty come meanwhile, at most ten milliseconds, and never longer than a small receive buffer surely holds.
#[derive(Clone, Copy, Debug)]
pub struct Gathering {
    longest: Duration,
    now: Duration,
}

impl Gathering {
    /// For these sockets, before anything came.
    pub fn new(sockets: &[UdpSocket]) -> Self {
        Self::within(sockets.iter().map(|socket| socket.receive_buffer().granted_bytes).min().unwrap_or(0))
    }

    fn within(buffer_bytes: usize) -> Self {
        let longest = Duration::from_nanos(buffer_bytes as u64 / FILLING_BYTES_PER_NS).min(LONGEST);
        Self { longest, now: longest.min(SHORTEST) }
    }

    /// The time to sleep after a round of so many datagrams, most of which came during the last sleep.
    pub fn after(&mut self, datagrams: usize) -> Duration {
        let datagrams = u32::try_from(datagrams).unwrap_or(u32::MAX).max(1);
        let fitting = self.now * ENOUGH / datagrams;
        // Step by step: a round may be an exception.
        self.now = fitting.clamp(self.now / 2, self.now * 2).max(SHORTEST).min(self.longest);
        self.now
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The sleep that settles when datagrams come at a steady rate.
    fn settled(gathering: &mut Gathering, datagrams_a_second: u64) -> Duration {
        let came = |asleep: Duration| (asleep.as_nanos() as u64 * datagrams_a_second / 1_000_000_000) as usize;
        (0..50).fold(gathering.now, |asleep, _| gathering.after(came(asleep)))
    }

    #[test]
    fn some_fifty_datagrams_gather_whatever_the_rate() {
        let mut gathering = Gathering::within(32 << 20);
        for rate in [20_000, 200_000, 50_000, 13_000] {
            let came = settled(&mut gathering, rate).as_secs_f64() * rate as f64;
            assert!((40.0..60.0).contains(&came), "{came} at {rate}/s");
        }
    }

    #[test]
    fn few_datagrams_wait_ten_milliseconds_at_most() {
        let mut gathering = Gathering::within(32 << 20);
        assert_eq!(settled(&mut gathering, 100), LONGEST);
    }

    #[test]
    fn a_small_buffer_never_waits_longer_than_it_holds() {
        let mut gathering = Gathering::within(212_992);
        assert_eq!(settled(&mut gathering, 100), Duration::from_nanos(212_992));
        assert_eq!(settled(&mut Gathering::within(0), 100), Duration::ZERO);
    }
}
