//! When to stop: at a signal, or when nobody reads what is written any more.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use finderscope_transport::udp::Waker;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A signal that came just before a wait is noticed after this long.
const LOOK_UP: Duration = Duration::from_millis(200);

/// A reason to stop, which may come at any time. Clones are the same.
#[derive(Clone, Debug)]
pub struct Stop {
    signalled: Arc<AtomicBool>,
    closed: Arc<AtomicBool>,
    waker: Waker,
}

impl Stop {
    /// Watches for Ctrl-C and SIGTERM from now on; they no longer end the process.
    pub fn at_signals() -> anyhow::Result<Self> {
        let stop = Self::by_hand()?;
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // Whoever asks twice does not want to wait.
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop.signalled))
                .context("cannot watch for signals")?;
            signal_hook::flag::register(signal, Arc::clone(&stop.signalled)).context("cannot watch for signals")?;
        }
        Ok(stop)
    }

    /// Comes when the caller says so, and at no signal.
    pub fn by_hand() -> io::Result<Self> {
        Ok(Self { signalled: Arc::default(), closed: Arc::default(), waker: Waker::new()? })
    }

    /// There is a reason, from now on.
    pub fn now(&self) {
        self.signalled.store(true, Ordering::Relaxed);
        // Where this fails, the flag is seen at the next look.
        let _ = self.waker.wake();
    }

    /// Watches for the end of whoever reads `pipe`, too: a program that has seen enough, as `tcpdump -c 10`, must not
    /// wait for a next packet that may never come. Where `pipe` is no pipe and no socket, that never happens.
    pub fn when_unread(&self, pipe: impl AsFd + Send + 'static) -> io::Result<()> {
        let stop = self.clone();
        // It ends with the process: nothing depends on it.
        thread::Builder::new().name("reader's end".to_owned()).spawn(move || {
            if wait_until_unread(&pipe).is_err() {
                return;
            }
            stop.closed.store(true, Ordering::Relaxed);
            // Where this fails, the flag is seen at the next look.
            let _ = stop.waker.wake();
        })?;
        Ok(())
    }

    /// Whether there is a reason.
    pub fn is_set(&self) -> bool {
        self.is_signalled() || self.is_unread()
    }

    /// Whether somebody has asked for it.
    pub fn is_signalled(&self) -> bool {
        self.signalled.load(Ordering::Relaxed)
    }

    /// Whether the reason is that nobody reads.
    pub fn is_unread(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Wakes a wait when there is a reason; a signal ends the wait itself.
    pub(super) const fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Whether a file has something now, or has ended.
    pub(super) fn has_input(&self, file: BorrowedFd<'_>) -> io::Result<bool> {
        self.input(file, Duration::ZERO)
    }

    /// Waits until a file has something or has ended; false where there is a reason to stop instead.
    pub(super) fn wait_for_input(&self, file: BorrowedFd<'_>) -> io::Result<bool> {
        while !self.is_set() {
            if self.input(file, LOOK_UP)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn input(&self, file: BorrowedFd<'_>, timeout: Duration) -> io::Result<bool> {
        let mut watched = [PollFd::new(&file, PollFlags::IN), PollFd::new(&self.waker, PollFlags::IN)];
        let timeout = Timespec::try_from(timeout).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut watched, Some(&timeout)) {
            Ok(_) => Ok(!watched[0].revents().is_empty()),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Waits until nobody reads what is written into a pipe or socket; for ever where it is neither.
pub fn wait_until_unread(pipe: &impl AsFd) -> io::Result<()> {
    loop {
        // Errors and hang-ups are told without being asked for.
        let mut watched = [PollFd::new(pipe, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) if watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
