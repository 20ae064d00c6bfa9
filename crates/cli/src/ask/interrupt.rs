//! The signals that end a question early.

use std::{fmt, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// Hears Ctrl-C, a request to end, and a terminal that is gone; also those that come while nobody waits.
#[derive(Debug)]
pub(super) struct Interrupt {
    signals: [Signal; 3],
}

/// A question was ended by a signal.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted(Exit);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Interrupted {
    /// What the shell is told.
    pub const fn exit(self) -> Exit {
        self.0
    }
}

impl Interrupt {
    /// Listens from now on; needs a runtime around it.
    pub(super) fn listen() -> io::Result<Self> {
        let signals =
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
        Ok(Self { signals })
    }

    /// Waits for one of them.
    pub(super) async fn comes(&mut self) -> Interrupted {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => Interrupted(Exit::Interrupted),
            _ = terminate.recv() => Interrupted(Exit::Terminated),
            _ = hangup.recv() => Interrupted(Exit::HungUp),
        }
    }
}
