//! Exit statuses, the same for every command (semantics of commands).

use std::fmt;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Done, even where there was nothing to show.
    Done,
    /// Failed.
    Failed,
    /// Wrong use.
    Usage,
    /// Some inputs were bad; which, is on stderr.
    Partly,
    /// Ended early because the terminal is gone: 128 and the signal's number, as shells have it.
    HungUp,
    /// Ended early by Ctrl-C.
    Interrupted,
    /// Ended early because someone asked the process to end.
    Terminated,
    /// As a tool that was run for somebody ended, where that was not well.
    Tool(u8),
}

impl Exit {
    /// Says what was wrong with how a command was called.
    pub fn misused(problem: impl fmt::Display) -> Self {
        // A chain of causes in one line, where there is one.
        crate::say(format_args!("error: {problem:#}"));
        Self::Usage
    }

    /// Done only where both are; else what was not.
    pub fn and(self, other: Self) -> Self {
        if self == Self::Done { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partly => 3,
            Exit::HungUp => 129,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
            Exit::Tool(status) => status,
        })
    }
}
