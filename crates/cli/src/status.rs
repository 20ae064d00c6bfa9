//! `finderscope status`: a person's view of a running server.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use finderscope_flow::text::human;
use finderscope_intake::{Ledger, Reasons};
use finderscope_server::status::{ExporterView, Status, StoreView};
use finderscope_store::Snapshot;

use crate::exit::Exit;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const DEFAULT_HTTP: &str = "127.0.0.1:8008";

/// Show exporters, balances, store and listeners of a running server, and what is wrong
///
/// Without a server it shows what the data folder holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  finderscope status\n  finderscope status --http 127.0.0.1:9008 --format json")]
pub struct Args {
    /// The server's address
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// File with the token for a server that wants one
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The data folder, to look at without a server
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Times in UTC instead of local time
    #[arg(long)]
    utc: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// As the server gives it
    Json,
}

/// Asks the server; or reads the folder where nobody answers.
pub fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    if args.data.is_some() && args.http.is_none() {
        return of_folder(args, out);
    }
    let address = args.http.or_else(told).map_or_else(|| DEFAULT_HTTP.to_owned(), |address| address.to_string());
    match ask(&address, args.token_file.as_deref()) {
        Ok(body) if args.format == Format::Json => {
            writeln!(out, "{body}")?;
            Ok(Exit::Done)
        }
        Ok(body) => {
            let status: Status = serde_json::from_str(&body).context("the server's status cannot be read")?;
            show(&status, args.utc, out)?;
            Ok(Exit::Done)
        }
        Err(Asked::Nobody(error)) if args.http.is_none() => {
            crate::say(format_args!(
                "no server answers on {address} ({error}); hint: start one with `finderscope serve`"
            ));
            of_folder(args, out)?;
            Ok(Exit::Failed)
        }
        Err(Asked::Nobody(error)) => bail!("no server answers on {address}: {error}"),
        Err(Asked::Refused(error)) => Err(error),
    }
}

/// Where the server of the usual data folder says that it is.
fn told() -> Option<SocketAddr> {
    finderscope_server::contact::of_folder(&finderscope_server::config::default_data_folder().ok()?)
}

/// The status of the server at `http`, if one answers there.
pub fn of_server(http: SocketAddr) -> Option<Status> {
    let body = ask(&http.to_string(), None).ok()?;
    serde_json::from_str(&body).ok()
}

enum Asked {
    Nobody(Box<ureq::Error>),
    Refused(anyhow::Error),
}

fn ask(address: &str, token_file: Option<&Path>) -> Result<String, Asked> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(ANSWER_WITHIN)).http_status_as_error(false).build().into();
    let mut request = agent.get(format!("http://{address}/api/v1/status"));
    if let Some(path) = token_file {
        let token =
            std::fs::read_to_string(path).with_context(|| path.display().to_string()).map_err(Asked::Refused)?;
        request = request.header("authorization", format!("Bearer {}", token.trim()));
    }
    let mut answer = request.call().map_err(nobody)?;
    let body = answer.body_mut().read_to_string().map_err(nobody)?;
    if answer.status().is_success() {
        return Ok(body);
    }
    Err(Asked::Refused(anyhow::anyhow!("http://{address} says {}: {}", answer.status(), body.trim())))
}

fn nobody(error: ureq::Error) -> Asked {
    Asked::Nobody(Box::new(error))
}

fn of_folder(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    let folder = match &args.data {
        Some(folder) => folder.clone(),
        None => finderscope_server::config::default_data_folder()?,
    };
    let snapshot = Snapshot::read(&folder).with_context(|| folder.display().to_string())?;
    let store = StoreView::of(&snapshot.stats());
    if args.format == Format::Json {
        serde_json::to_writer(&mut *out, &serde_json::json!({ "data": folder, "store": store }))?;
        writeln!(out)?;
        return Ok(Exit::Done);
    }
    writeln!(out, "data      {} (no server)", folder.display())?;
    show_store(&store, args.utc, out)?;
    for problem in snapshot.problems() {
        writeln!(out, "problem   {problem}")?;
    }
    Ok(Exit::Done)
}

fn show(status: &Status, utc: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let up = human::duration(status.uptime_seconds as i64 * 1_000_000_000);
    writeln!(out, "finderscope {}, process {}, up {up}, {} shards", status.version, status.pid, status.shards)?;
    writeln!(out, "data      {}", status.data.display())?;
    show_store(&status.store, utc, out)?;
    for listener in &status.listeners {
        writeln!(
            out,
            "listener  {:28} {} sockets, buffer {} each, queued {}, kernel drops {}",
            listener.url,
            listener.sockets,
            human::bytes(listener.buffer_granted_bytes as u64),
            human::bytes(listener.queued_bytes),
            listener.kernel_drops
        )?;
    }
    for journal in &status.journals {
        writeln!(
            out,
            "journal   shard {}: {}, {} datagrams not in parts yet, {} refused",
            journal.shard,
            human::bytes(journal.bytes),
            journal.next.saturating_sub(journal.stored.max(1)),
            journal.refused
        )?;
    }
    show_readers(status, utc, out)?;
    show_balances(&status.totals, out)?;
    show_exporters(&status.exporters, utc, out)?;
    show_problems(status, out)
}

/// Who looks on, and to whom is forwarded.
fn show_readers(status: &Status, utc: bool, out: &mut impl Write) -> anyhow::Result<()> {
    for reader in &status.live.subscribers {
        writeln!(
            out,
            "reader    {} {} ({}) since {}: {} datagrams, {} lost by it",
            reader.address,
            reader.stream,
            reader.program,
            time(&reader.since, utc),
            reader.sent,
            reader.lost
        )?;
    }
    for target in &status.forwarding {
        writeln!(
            out,
            "forward   {} to {}: {} datagrams sent, {} failed, {} lost",
            target.name.escape_debug(),
            target.address,
            target.sent,
            target.failed,
            target.lost
        )?;
    }
    Ok(())
}

fn show_store(store: &StoreView, utc: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let span = match (&store.from, &store.to) {
        (Some(from), Some(to)) => format!(", {} to {}", time(from, utc), time(to, utc)),
        _ => String::new(),
    };
    writeln!(out, "store     {} rows in {} parts, {}{span}", store.rows, store.parts, human::bytes(store.bytes))?;
    for (name, table) in store.tables.iter().filter(|(_, table)| table.parts > 0) {
        writeln!(
            out,
            "          {name:9} {:>12} rows {:>6} parts {:>9}",
            table.rows,
            table.parts,
            human::bytes(table.bytes)
        )?;
    }
    show_keeping(store, utc, out)
}

fn show_keeping(store: &StoreView, utc: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let totals = &store.totals;
    if let (Some(from), Some(to)) = (&totals.from, &totals.to) {
        let (files, size) = (totals.files, human::bytes(totals.bytes));
        writeln!(out, "          totals    {files} files, {size}, {} to {}", time(from, utc), time(to, utc))?;
    }
    let Some(keeping) = &store.keeping else { return Ok(()) };
    let last = keeping.last_merge.as_ref().map_or_else(|| "never".to_owned(), |last| time(last, utc));
    writeln!(
        out,
        "merging   {} parts wait; {} rows merged since the start in {:.1} s of a processor, last {last}",
        store.unmerged_parts, keeping.merged_rows, keeping.cpu_seconds
    )?;
    for (cause, removed) in &keeping.removed {
        writeln!(out, "removed   {} rows for their {cause}, {}", removed.rows, human::bytes(removed.bytes))?;
    }
    Ok(())
}

/// The three balances, each as an equation.
fn show_balances(ledger: &Ledger, out: &mut impl Write) -> anyhow::Result<()> {
    let Ledger { datagrams, sets, records, notes } = ledger;
    writeln!(out, "balances")?;
    let mut terms = vec![("decoded".to_owned(), datagrams.decoded)];
    add(&mut terms, "refused", &datagrams.refused);
    add(&mut terms, "malformed", &datagrams.malformed);
    terms.push(("duplicate".to_owned(), datagrams.duplicate));
    add(&mut terms, "dropped", &datagrams.dropped);
    equation(out, "datagrams", datagrams.received, &terms)?;
    let mut terms = vec![("decoded".to_owned(), sets.decoded), ("waiting".to_owned(), sets.waiting)];
    add(&mut terms, "expired", &sets.expired);
    add(&mut terms, "unknown", &sets.unknown);
    add(&mut terms, "malformed", &sets.malformed);
    equation(out, "sets", sets.received, &terms)?;
    let mut terms = vec![("stored".to_owned(), records.stored), ("in memory".to_owned(), records.in_memory)];
    add(&mut terms, "skipped", &records.skipped);
    add(&mut terms, "lost", &records.lost);
    equation(out, "records", records.received, &terms)?;
    for (note, count) in notes.iter() {
        writeln!(out, "  noted     {note}: {count}")?;
    }
    Ok(())
}

fn add(terms: &mut Vec<(String, u64)>, what: &str, reasons: &Reasons) {
    terms.extend(reasons.iter().map(|(reason, count)| (format!("{what} ({reason})"), count)));
}

fn equation(out: &mut impl Write, what: &str, received: u64, terms: &[(String, u64)]) -> anyhow::Result<()> {
    let terms: Vec<String> = terms
        .iter()
        .enumerate()
        .filter(|(at, (_, count))| *at == 0 || *count > 0)
        .map(|(_, (name, count))| format!("{count} {name}"))
        .collect();
    writeln!(out, "  {what:9} {received} = {}", terms.join(" + "))?;
    Ok(())
}

fn show_exporters(exporters: &[ExporterView], utc: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if exporters.is_empty() {
        writeln!(out, "exporters none yet; point exporters at the listeners above")?;
        return Ok(());
    }
    writeln!(
        out,
        "{:24} {:10} {:>9} {:>10} {:>9} {:>20} {:>8} {:>8}  last seen",
        "exporter", "protocol", "dgrams/s", "records/s", "templates", "sampling", "offset", "lost"
    )?;
    for exporter in exporters {
        let address = exporter.address.to_string();
        let name = exporter.name.as_deref().unwrap_or(&address);
        writeln!(
            out,
            "{name:24} {:10} {:>9.1} {:>10.1} {:>9} {:>20} {:>8} {:>8}  {}",
            exporter.protocols.join(","),
            exporter.datagrams_per_second,
            exporter.records_per_second,
            exporter.templates,
            sampling(exporter),
            offset(exporter),
            exporter.lost,
            time(&exporter.last_seen, utc)
        )?;
    }
    Ok(())
}

/// The exporter's rates and where they are known from; `unknown` where it says nothing.
fn sampling(exporter: &ExporterView) -> String {
    let mut rates: Vec<String> = Vec::new();
    for sampler in exporter.domains.iter().flat_map(|domain| &domain.sampling) {
        let text = match sampler.source.as_str() {
            "none" => "unsampled".to_owned(),
            source => format!("1:{} ({source})", sampler.rate),
        };
        if !rates.contains(&text) {
            rates.push(text);
        }
    }
    match rates.as_slice() {
        [] if exporter.protocols.iter().any(|protocol| protocol.starts_with("SFLOW")) => "per sample".to_owned(),
        [] => "unknown".to_owned(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} +{}", rest.len()),
    }
}

fn offset(exporter: &ExporterView) -> String {
    let offsets = exporter.domains.iter().filter_map(|domain| domain.clock_offset_seconds);
    match offsets.max_by(|a, b| a.abs().total_cmp(&b.abs())) {
        Some(offset) => format!("{offset:+.1} s"),
        None => "-".to_owned(),
    }
}

fn show_problems(status: &Status, out: &mut impl Write) -> anyhow::Result<()> {
    if status.problems.is_empty() {
        writeln!(out, "nothing is wrong")?;
    }
    for problem in &status.problems {
        writeln!(out, "problem   {}\n  remedy  {}", problem.what, problem.remedy)?;
    }
    Ok(())
}

/// A time as the person sees it; as it came where it is none.
fn time(text: &str, utc: bool) -> String {
    let Ok(instant) = text.parse::<jiff::Timestamp>() else { return text.to_owned() };
    let zone = if utc { jiff::tz::TimeZone::UTC } else { jiff::tz::TimeZone::system() };
    instant.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}
