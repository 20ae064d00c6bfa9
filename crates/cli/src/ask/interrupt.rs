//! The signals that end a question early.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears Ctrl-C, a request to end, and a terminal that is gone; also those that come while nobody waits.
#[derive(Debug)]
pub(super) struct Interrupt {
    signals: [Signal; 3],
}

impl Interrupt {
    /// Listens from now on; needs a runtime around it.
    pub(super) fn listen() -> io::Result<Self> {
        let signals =
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
        Ok(Self { signals })
    }

    /// Waits for one of them.
    pub(super) async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
