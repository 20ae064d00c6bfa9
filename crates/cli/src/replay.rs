//! `finderscope replay`: the datagrams of a capture, sent to a collector.

mod load;
mod pace;
mod patch;
mod rewrite;

use std::io::{ErrorKind, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use finderscope_transport::endpoint::{self, Endpoint, Scheme};
use finderscope_transport::udp::{Aliases, Outgoing, Sender, SenderError, Tally};

use self::load::Recording;
use self::pace::Pace;
use crate::exit::Exit;
use crate::progress;

/// The usual port of flow telemetry, where the URL has none.
const DEFAULT_PORT: u16 = 2055;
const EXPORTERS_MAX: usize = 65_536;
/// Datagrams handed to the sender at once.
const BATCH: usize = 256;

/// Send the datagrams of a capture to a collector, each exporter from an address of its own
///
/// Towards loopback an exporter 10.0.3.7 sends from 127.1.3.7, so that the collector sees separate exporters.
/// From the second loop on sequence numbers and times go on as if the exporters went on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  finderscope replay flows.pcap --to udp://127.0.0.1:2055\n  \
                        finderscope replay flows.pcap --to :2055 --rate 20000 --loops 10 --shift-time\n  \
                        finderscope replay flows.pcap --to :2055 --seconds 60")]
pub struct Args {
    /// The capture (pcap or pcapng) or IPFIX file; `-` is standard input
    capture: String,
    /// Where to send to: udp://HOST:PORT
    #[arg(long, value_name = "URL")]
    to: Endpoint,
    /// Datagrams a second; as fast as possible without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "speed")]
    rate: Option<u64>,
    /// Times the capture's own speed
    #[arg(long, value_name = "X", value_parser = positive)]
    speed: Option<f64>,
    /// How many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    loops: u64,
    /// Go on for so many seconds, as often round as that takes
    #[arg(long, value_name = "S", value_parser = positive, conflicts_with = "loops")]
    seconds: Option<f64>,
    /// Move the times in the datagrams so that the capture begins now
    #[arg(long)]
    shift_time: bool,
    /// Change nothing: later loops repeat the first, and a collector sees duplicates
    #[arg(long, conflicts_with = "shift_time")]
    verbatim: bool,
    /// Print which exporter sends from which address
    #[arg(long)]
    map: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| format!("'{text}' is no number"))?;
    if speed.is_finite() && speed > 0.0 { Ok(speed) } else { Err("must be more than 0".to_owned()) }
}

/// Sends everything and says how much that was.
pub fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    let destination = destination(&args.to)?;
    let mut recording = Recording::load(&file(&args.capture))?;
    if recording.is_empty() {
        bail!("{}: no UDP datagrams in it", args.capture);
    }
    let mut sender = Sender::new(destination, EXPORTERS_MAX);
    let sources = sources(&recording, destination, &mut sender)?;
    if args.map {
        for (exporter, source) in &sources.pairs {
            writeln!(out, "{exporter} {source}")?;
        }
    }
    if args.shift_time {
        recording.shift_to(crate::time::parse("now")?);
    }
    let began = Instant::now();
    let tally = send(args, &mut recording, &sources, &mut sender);
    report(args, out, tally, began.elapsed(), recording.problem.as_ref())
}

fn send(args: &Args, recording: &mut Recording, sources: &Sources, sender: &mut Sender) -> Tally {
    let loops = if args.seconds.is_some() { u64::MAX } else { args.loops };
    let bar = progress::bar((recording.len() as u64).saturating_mul(loops), "datagrams");
    let mut pace = Pace::new(args.rate, args.speed);
    let is_over = |pace: &Pace| args.seconds.is_some_and(|seconds| pace.elapsed().as_secs_f64() >= seconds);
    let mut turn = 0;
    while turn < loops && !is_over(&pace) {
        if turn > 0 && !args.verbatim {
            recording.advance();
        }
        let span_ns = recording.span_ns().saturating_mul(turn as i64);
        let mut batch: Vec<Outgoing<'_>> = Vec::with_capacity(BATCH);
        let mut sent = 0;
        while sent < recording.len() && !is_over(&pace) {
            let due = pace.due(BATCH.min(recording.len() - sent), |ahead| recording.elapsed_ns(sent + ahead) + span_ns);
            batch.clear();
            batch.extend((sent..sent + due).map(|at| {
                let (source, bytes) = recording.datagram(at);
                Outgoing { exporter: sources.exporters[source], bytes }
            }));
            sender.send(&batch);
            sent += due;
            bar.inc(due as u64);
        }
        turn += 1;
    }
    bar.finish_and_clear();
    sender.tally()
}

fn report(
    args: &Args,
    out: &mut impl Write,
    tally: Tally,
    took: Duration,
    problem: Option<&finderscope_transport::capture::CaptureError>,
) -> anyhow::Result<Exit> {
    let Tally { sent, sent_bytes, errors, .. } = tally;
    let rate = sent as f64 / took.as_secs_f64().max(1e-9);
    writeln!(
        out,
        "{sent} datagrams, {sent_bytes} bytes sent to {} in {:.3} s, {rate:.0} a second, {errors} errors",
        args.to,
        took.as_secs_f64()
    )?;
    if let Some(error) = tally.last_error {
        let error = std::io::Error::from_raw_os_error(error);
        crate::say(format_args!("{errors} datagrams could not be sent: {error}"));
        return Ok(if sent == 0 { Exit::Failed } else { Exit::Partly });
    }
    if tally.refused > 0 {
        crate::say(format_args!("nobody listens on {}: {} datagrams came back as unreachable", args.to, tally.refused));
    }
    if let Some(problem) = problem {
        crate::say(format_args!("error: {}: {problem}", args.capture));
        return Ok(Exit::Partly);
    }
    Ok(Exit::Done)
}

/// The file that an argument names.
pub fn file(name: &str) -> endpoint::File {
    match name.strip_prefix("pcap:").unwrap_or(name) {
        "-" => endpoint::File::Standard,
        path => endpoint::File::Path(path.into()),
    }
}

fn destination(to: &Endpoint) -> anyhow::Result<SocketAddr> {
    let Endpoint::Network(Scheme::Udp, host, _) = to else {
        bail!("--to {to}: replay sends datagrams, so it wants udp://HOST:PORT");
    };
    if host.host.is_none() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], host.port.unwrap_or(DEFAULT_PORT))));
    }
    if let Some(address) = host.address(DEFAULT_PORT) {
        // No address, or the unspecified one, means this machine.
        let local =
            if address.is_ipv6() { IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]) } else { IpAddr::from([127, 0, 0, 1]) };
        return Ok(if address.ip().is_unspecified() { SocketAddr::new(local, address.port()) } else { address });
    }
    let resolved = host.resolve(DEFAULT_PORT).with_context(|| format!("--to {to}"))?;
    resolved.first().copied().with_context(|| format!("--to {to}: the name has no address"))
}

/// The sockets that the recording's exporters send from.
struct Sources {
    exporters: Vec<finderscope_transport::udp::Exporter>,
    pairs: Vec<(IpAddr, String)>,
}

fn sources(recording: &Recording, destination: SocketAddr, sender: &mut Sender) -> anyhow::Result<Sources> {
    let alias_needed = destination.ip().is_loopback() && destination.is_ipv4();
    let mut aliases = Aliases::default();
    let mut sources = Sources { exporters: Vec::new(), pairs: Vec::new() };
    for &source in recording.sources() {
        let from = match alias_needed {
            true => {
                let alias = aliases.of(source.ip()).context("more exporters than 127.1.0.0/16 has addresses")?;
                Some(SocketAddr::from((alias, recording.port_of(source))))
            }
            false => None,
        };
        let exporter = match sender.exporter(from) {
            // The capture's port is nice to have; where somebody else has it, any will do.
            Err(SenderError::System(_, _, error)) if error.kind() == ErrorKind::AddrInUse => {
                sender.exporter(from.map(|from| SocketAddr::new(from.ip(), 0)))?
            }
            other => other?,
        };
        sources.exporters.push(exporter);
        let shown = from.map_or_else(|| "this machine's address".to_owned(), |from| from.ip().to_string());
        if !sources.pairs.iter().any(|(known, _)| *known == source.ip()) {
            sources.pairs.push((source.ip(), shown));
        }
    }
    Ok(sources)
}
