//! Asking the store, or a capture as if it were one: what `query`, `flows`, `top` and `series` share.
//!
//! [`Asker`] has the database and the threads that work on answers. While it waits it shows how far the answer is, and at
//! its end it says what must be said about it on stderr.

mod interrupt;
mod limits;
mod source;

use std::cell::RefCell;
use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use arrow::array::RecordBatch;
use finderscope_query::{Answer, Database, Error, Filter, TimeBy, UserColumn, Warning, Window};
use indicatif::ProgressBar;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use self::interrupt::Interrupt;
pub use self::interrupt::Interrupted;
pub use self::source::{Source, SourceArgs};
use crate::exit::Exit;
use crate::output::OutputArgs;
use crate::time::WindowArgs;
use crate::{progress, say};

/// How often the bar learns how far the answer is.
const LOOK: Duration = Duration::from_millis(200);

/// Which rows a question is about.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct WhenArgs {
    #[command(flatten)]
    window: WindowArgs,
    /// Which time the window is about: when rows were received, or when flows were under way
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    time: Which,
}

/// Which of a row's times a window is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
enum Which {
    #[default]
    Received,
    Flow,
}

impl WhenArgs {
    /// The window that was asked for.
    pub fn window(&self) -> anyhow::Result<Window> {
        let window = self.window.window()?;
        let by = match self.time {
            Which::Received => TimeBy::Received,
            Which::Flow => TimeBy::Flow,
        };
        Ok(Window { since_ns: window.since_ns, until_ns: window.until_ns, by })
    }
}

/// A filter out of what was typed; none where nothing was.
pub fn filter(text: Option<&str>, declared: &[UserColumn]) -> anyhow::Result<Option<Filter>> {
    Ok(text.map(|text| Filter::parse_with(text, declared)).transpose()?)
}

/// Someone to put questions to.
#[derive(Debug)]
pub struct Asker {
    runtime: Runtime,
    source: Source,
    interrupt: RefCell<Interrupt>,
}

impl Asker {
    /// Opens what the questions are about, whose answers go to `output`.
    pub fn start(source: &SourceArgs, output: &OutputArgs) -> anyhow::Result<Self> {
        let source = source.open()?;
        let threads = source.database.options().threads.max(1);
        let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build();
        let runtime = runtime.context("cannot start threads")?;
        let interrupt = runtime
            .block_on(async { Interrupt::listen(output.is_for_a_program()) })
            .context("cannot watch for signals")?;
        Ok(Self { runtime, source, interrupt: RefCell::new(interrupt) })
    }

    /// What is asked.
    pub const fn database(&self) -> &Database {
        &self.source.database
    }

    /// The first and the last receive time that there are.
    pub const fn span(&self) -> Option<(i64, i64)> {
        self.source.span
    }

    /// How opening went.
    pub const fn exit(&self) -> Exit {
        self.source.exit
    }

    /// Waits for what has no progress to show.
    pub fn wait<T>(&self, work: impl Future<Output = Result<T, Error>>) -> anyhow::Result<T> {
        self.work(&progress::spinner("asking the store"), async { Ok(work.await?) })
    }

    /// Hands all rows of an answer to `take`, and says what must be said about them.
    ///
    /// `take` says false when it has enough. Where it writes to a terminal (`on_terminal`) the bar makes way for it.
    pub fn rows(
        &self,
        answer: &mut Answer,
        on_terminal: bool,
        take: &mut dyn FnMut(&RecordBatch) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Exit> {
        let bar = progress::bar(0, "parts");
        self.work(&bar, async {
            loop {
                // Giving up on a batch that is not there yet loses nothing: it stays with the answer.
                let Ok(batch) = timeout(LOOK, answer.next()).await else {
                    show(&bar, answer);
                    continue;
                };
                let Some(batch) = batch else { return Ok(()) };
                show(&bar, answer);
                if on_terminal {
                    bar.finish_and_clear();
                }
                if !take(&batch?)? {
                    return Ok(());
                }
            }
        })?;
        Ok(warn(&answer.warnings()))
    }

    /// Works until it is done or someone says that it is enough: temporary files are then cleared away as usual.
    fn work<T>(&self, bar: &ProgressBar, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let mut interrupt = self.interrupt.borrow_mut();
        let done = self.runtime.block_on(async {
            tokio::select! {
                biased;
                reason = interrupt.comes() => Err(reason),
                done = work => done,
            }
        });
        bar.finish_and_clear();
        done
    }
}

fn show(bar: &ProgressBar, answer: &Answer) {
    let progress = answer.progress();
    if progress.parts == 0 {
        return; // a capture, whose rows are in memory
    }
    bar.set_length(progress.parts);
    bar.set_position(progress.parts_opened);
}

/// Writes what would be read for an answer, a line each.
pub fn explain(out: &mut dyn Write, reading: &[String]) -> anyhow::Result<Exit> {
    match reading {
        [] => writeln!(out, "nothing is read")?,
        lines => lines.iter().try_for_each(|line| writeln!(out, "{line}"))?,
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Says what must be said about an answer, and what that means for the exit status.
pub fn warn(warnings: &[Warning]) -> Exit {
    for warning in warnings {
        say(format_args!("warning: {warning}"));
    }
    if warnings.iter().any(Warning::is_partial) { Exit::Partly } else { Exit::Done }
}
