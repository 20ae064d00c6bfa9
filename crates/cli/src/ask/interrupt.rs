//! What ends a question early: signals, and the end of whoever was to read the answer.

use std::{fmt, io, thread};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::live;

/// Hears Ctrl-C, a request to end, and a terminal that is gone; also those that come while nobody waits.
#[derive(Debug)]
pub(super) struct Interrupt {
    signals: [Signal; 3],
    /// Whether nobody reads standard output any more, where the answer goes there.
    is_unread: Option<watch::Receiver<bool>>,
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
    /// Listens from now on, and looks after the program that reads standard output where one is to have the answer; needs a runtime
    /// around it.
    pub(super) fn listen(for_a_program: bool) -> io::Result<Self> {
        let signals =
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
        Ok(Self { signals, is_unread: for_a_program.then(watch_reader).transpose()? })
    }

    /// Waits for one of them.
    pub(super) async fn comes(&mut self) -> anyhow::Error {
        let Self { signals: [interrupt, terminate, hangup], is_unread } = self;
        tokio::select! {
            _ = interrupt.recv() => Interrupted(Exit::Interrupted).into(),
            _ = terminate.recv() => Interrupted(Exit::Terminated).into(),
            _ = hangup.recv() => Interrupted(Exit::HungUp).into(),
            () = unread(is_unread) => io::Error::from(io::ErrorKind::BrokenPipe).into(),
        }
    }
}

/// Tells when nobody reads standard output any more: else that would be noticed when the answer is written, and it may be long until
/// there is one.
fn watch_reader() -> io::Result<watch::Receiver<bool>> {
    let (tell, is_unread) = watch::channel(false);
    // It ends with the process: nothing depends on it.
    thread::Builder::new().name("reader's end".to_owned()).spawn(move || {
        if live::wait_until_unread(&io::stdout()).is_ok() {
            tell.send_replace(true);
        }
    })?;
    Ok(is_unread)
}

/// Waits for that; for ever where it cannot be known.
async fn unread(is_unread: &mut Option<watch::Receiver<bool>>) {
    if let Some(told) = is_unread
        && told.wait_for(|it| *it).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
