//! The run of a tool, from the first packet to its exit status.

use std::ffi::{OsString, c_int};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use anyhow::Context;
use finderscope_packets::Item;
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Ours;
use super::pipe::{Left, Pipe};
use super::plan::{Input, Plan, Tool};
use super::process::{self, Group, Process};
use super::user::{self, Circumstances, User};
use crate::exit::Exit;
use crate::live::{Seen, Stop};
use crate::packets::{Rules, Stream, Tally, report};

/// What shells say of a command that is not there.
const NOT_FOUND: u8 = 127;

/// Runs a tool with our packets, and passes on how it ended.
pub(super) fn run(tool: Tool, ours: &Ours, typed: &[OsString]) -> anyhow::Result<Exit> {
    let plan = match Plan::new(tool, typed) {
        Ok(plan) => plan,
        Err(problem) => return Ok(Exit::misused(problem)),
    };
    let user = match as_whom(ours, &plan) {
        Ok(user) => user,
        Err(problem) => return Ok(Exit::misused(problem)),
    };
    let (source, rules) = match (ours.from.source(), ours.rules()) {
        (Ok(source), Ok(rules)) => (source, rules),
        (Err(error), _) | (_, Err(error)) => return Ok(Exit::misused(error)),
    };
    let Some(program) = process::find(tool.name(), std::env::var_os("PATH").as_deref()) else {
        crate::say(format_args!("error: {} is not installed; hint: {}", tool.name(), tool.remedy()));
        return Ok(Exit::Tool(NOT_FOUND));
    };
    if plan.input == Input::None {
        let (process, _) = Process::start(&program, &plan, user.as_ref())?;
        return Ok(Exit::Tool(process::code(process.wait()?)));
    }
    let stop = Stop::by_hand()?;
    let target = Target::default();
    let signalled = watch_signals(&stop, &target).context("cannot watch for signals")?;
    let mut run = Run::Ready(Box::new(Start { program, plan, user, rules, stop: stop.clone(), target }));
    let mut seen = Seen::default();
    let mut read = source.packets(&stop, &mut seen, &mut |item| run.take(item));
    if read.is_ok() && !stop.is_set() {
        // An empty capture is one, too.
        read = run.take(None).map(drop);
    }
    let Run::Running(running) = run else { return read.map(|()| ended_by(signalled.get().copied())) };
    running.end(|tally| report::end(&source, &seen, tally, Some(tool.name()), read))
}

/// Whom to become, of what this process is and was told.
fn as_whom(ours: &Ours, plan: &Plan) -> Result<Option<User>, String> {
    let (id, group) = (std::env::var("SUDO_UID").ok(), std::env::var("SUDO_GID").ok());
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let root = rustix::process::geteuid().is_root();
    let circumstances = Circumstances { root, sudo: (id.as_deref(), group.as_deref()), passwd: &passwd };
    let named = plan.user.as_ref().map(|name| name.to_string_lossy().into_owned());
    user::choose(ours.user.as_deref().or(named.as_deref()), circumstances)
}

/// How we end at a signal that came before the tool was started.
const fn ended_by(signal: Option<c_int>) -> Exit {
    match signal {
        Some(SIGTERM) => Exit::Terminated,
        Some(SIGHUP) => Exit::HungUp,
        _ => Exit::Interrupted,
    }
}

/// The first signal, which is given back, ends the tool's input, the second one asks the tool to end, and any more make it.
fn watch_signals(stop: &Stop, target: &Target) -> io::Result<Arc<OnceLock<c_int>>> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let (stop, target) = (stop.clone(), target.clone());
    let first = Arc::new(OnceLock::new());
    let signalled = Arc::clone(&first);
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for (before, signal) in signals.forever().enumerate() {
            signalled.get_or_init(|| signal);
            let signal = match before {
                0 => None,
                1 => Some(Signal::TERM),
                _ => Some(Signal::KILL),
            };
            stop.now();
            if let (Some(signal), Some(group)) = (signal, &*target.group()) {
                group.kill(signal);
            }
        }
    })?;
    Ok(first)
}

/// Whom signals are for: nobody before the tool was started and after it has ended.
#[derive(Clone, Debug, Default)]
struct Target(Arc<Mutex<Option<Group>>>);

impl Target {
    fn group(&self) -> MutexGuard<'_, Option<Group>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tool's run. It starts when the source is open, which the first call of [`Run::take`] tells: where nothing can be read, nothing
/// is run.
enum Run {
    Ready(Box<Start>),
    /// It could not be started.
    Failed,
    Running(Box<Running>),
}

impl Run {
    /// Takes what the source gives; false when the tool wants no more.
    fn take(&mut self, item: Option<Item<'_>>) -> anyhow::Result<bool> {
        if let Self::Ready(_) = self
            && let Self::Ready(start) = std::mem::replace(self, Self::Failed)
        {
            *self = Self::Running(Box::new(start.run()?));
        }
        let Self::Running(running) = self else { return Ok(false) };
        running.take(item)
    }
}

/// All that a run needs.
struct Start {
    program: PathBuf,
    plan: Plan,
    user: Option<User>,
    rules: Rules,
    stop: Stop,
    target: Target,
}

impl Start {
    fn run(self: Box<Self>) -> anyhow::Result<Running> {
        let (process, input) = Process::start(&self.program, &self.plan, self.user.as_ref())?;
        let input = input.context("the tool has no input")?;
        let group = process.group();
        *self.target.group() = Some(group);
        let stop = self.stop.clone();
        thread::Builder::new().name("tool's end".to_owned()).spawn(move || {
            // Where waiting fails, the pipe's end is noticed at the next packet.
            if group.wait_for_end().is_ok() {
                stop.now();
            }
        })?;
        if self.plan.prints {
            // What nobody reads needs not be printed.
            self.stop.when_unread(io::stdout())?;
        }
        let pipe = Pipe::new(input, self.rules.capture.format, self.stop.clone())?;
        let left = pipe.left();
        let stream = match Stream::new(pipe, self.rules) {
            Ok(stream) => Some(stream),
            // It ended before it read anything; its status says why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Err(error) => return Err(error).context("cannot write to the tool"),
        };
        Ok(Running { process, stream, left, stop: self.stop, target: self.target })
    }
}

/// A tool that runs, or has ended and was not buried yet.
struct Running {
    process: Process,
    stream: Option<Stream<Pipe>>,
    left: Left,
    stop: Stop,
    target: Target,
}

impl Running {
    fn take(&mut self, item: Option<Item<'_>>) -> anyhow::Result<bool> {
        let Some(stream) = &mut self.stream else { return Ok(false) };
        match stream.take(item) {
            Ok(()) => Ok(!self.stop.is_set()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error).context("cannot write to the tool"),
        }
    }

    /// Ends the tool's input, waits for the tool, and tells what there was, below what the tool told.
    fn end(mut self, tell: impl FnOnce(&Tally) -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
        let flushed = self.take(None).map(drop);
        let mut tally = self.stream.as_ref().map(Stream::tally).unwrap_or_default();
        drop(self.stream.take());
        self.process.group().wait_for_end()?;
        // Its number may be another's once its status was taken.
        self.target.group().take();
        let status = process::code(self.process.wait()?);
        tally.written = tally.written.saturating_sub(self.left.packets());
        let told = flushed.and_then(|()| tell(&tally));
        if status == 0 {
            return told;
        }
        if let Err(error) = told {
            crate::say(format_args!("error: {}", crate::with_causes(&error)));
        }
        Ok(Exit::Tool(status))
    }
}
