//! The `finderscope` command: one file per subcommand, each a function from arguments to an exit status.
#![allow(unreachable_pub, reason = "a program has no outside: pub means for its other modules")]

mod ask;
mod capture;
mod compact;
mod decode;
mod demo;
mod exit;
mod extcap;
mod flood;
mod flows;
mod generate;
mod import;
mod live;
mod map;
mod output;
mod packets;
mod progress;
mod query;
mod replay;
mod series;
mod serve;
mod sflowtool;
mod status;
mod time;
mod tool;
mod top;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;

use crate::ask::Interrupted;
use crate::exit::Exit;

/// Network flow telemetry: receives sFlow, NetFlow and IPFIX, keeps every flow, answers questions
#[derive(Debug, Parser)]
#[command(name = "finderscope", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Serve(serve::Args),
    Status(status::Args),
    Decode(decode::Args),
    Packets(packets::Args),
    Tcpdump(tool::Tcpdump),
    Tshark(tool::Tshark),
    Extcap(extcap::Args),
    Query(query::Args),
    Flows(flows::Args),
    Top(top::Args),
    Series(series::Args),
    Import(import::Args),
    Compact(compact::Args),
    Generate(generate::Args),
    Replay(replay::Args),
    Demo(demo::Args),
    Sflowtool(sflowtool::Args),
}

fn main() -> ExitCode {
    let mut line: Vec<OsString> = std::env::args_os().collect();
    if extcap::is_called(&line) {
        line.insert(1, "extcap".into());
    }
    let cli = Cli::parse_from(line);
    let mut out = BufWriter::new(io::stdout().lock());
    let done = run(&cli.command, &mut out).and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    match done {
        Ok(exit) => exit.into(),
        // Whoever reads has had enough, as `head` does: that is no failure of ours.
        Err(error) if is_broken_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            speak(format_args!("error: {}", with_causes(&error)));
            error.downcast_ref::<Interrupted>().map_or(Exit::Failed, |interrupted| interrupted.exit()).into()
        }
    }
}

fn run(command: &Command, out: &mut impl Write) -> anyhow::Result<Exit> {
    match command {
        Command::Serve(args) => serve::run(args, out),
        Command::Status(args) => status::run(args, out),
        Command::Decode(args) => decode::run(args, out),
        Command::Packets(args) => packets::run(args, out),
        Command::Tcpdump(args) => tool::tcpdump(args),
        Command::Tshark(args) => tool::tshark(args),
        Command::Extcap(args) => extcap::run(args, out),
        Command::Import(args) => import::run(args, out),
        Command::Compact(args) => compact::run(args, out),
        Command::Query(args) => query::run(args, out),
        Command::Flows(args) => flows::run(args, out),
        Command::Top(args) => top::run(args, out),
        Command::Series(args) => series::run(args, out),
        Command::Generate(args) => generate::run(args),
        Command::Replay(args) => replay::run(args, out),
        Command::Demo(args) => demo::run(args, out),
        Command::Sflowtool(args) => sflowtool::run(args, out),
    }
}

/// Runs another command as if it were typed; what it prints goes to `out`, a reference of its own type so that commands may nest.
fn run_line(words: &[&str], out: &mut impl Write) -> anyhow::Result<Exit> {
    let words = std::iter::once("finderscope").chain(words.iter().copied());
    let cli = Cli::try_parse_from(words)?;
    run(&cli.command, &mut (out as &mut dyn Write))
}

/// The error with its causes; those that it already names are not named again.
fn with_causes(error: &anyhow::Error) -> String {
    error
        .chain()
        .skip(1)
        .map(ToString::to_string)
        .fold(error.to_string(), |line, cause| if line.contains(&cause) { line } else { format!("{line}: {cause}") })
}

/// The error of an input, which is named in it once.
fn named(input: &str, error: impl Into<anyhow::Error>) -> anyhow::Error {
    let error = error.into();
    if with_causes(&error).contains(input) { error } else { error.context(input.to_owned()) }
}

/// Says what is wrong with an input where that does not end the program: in the same form as what does.
fn tell_error(input: &str, error: impl Into<anyhow::Error>) {
    say(format_args!("error: {}", with_causes(&named(input, error))));
}

/// One line to the person at the terminal, unless nobody is to be bothered.
fn say(line: fmt::Arguments<'_>) {
    if !QUIET.load(Ordering::Relaxed) {
        speak(line);
    }
}

/// From now on only an error that ends the program is told.
fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

static QUIET: AtomicBool = AtomicBool::new(false);

/// There is nobody to tell when that fails.
fn speak(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "finderscope: {line}");
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.into_iter().any(|kind| kind == io::ErrorKind::BrokenPipe)
}
