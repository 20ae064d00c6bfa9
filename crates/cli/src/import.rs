//! `finderscope import`: captures into the store.

use std::io::Write;
use std::path::PathBuf;

use finderscope_server::config::{Config, default_data_folder};
use finderscope_server::import::{ImportError, Imported, import};

use crate::exit::Exit;
use crate::progress;

/// Read captures and IPFIX files into the store, on their own clock
///
/// The decoder of an import is its own: what a server knows of its exporters stays untouched. The server must be
/// stopped meanwhile, since a folder has one writer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  finderscope import monday.pcap tuesday.pcapng yaf.ipfix --data /srv/flows")]
pub struct Args {
    /// Captures (pcap or pcapng) or IPFIX files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The data folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration file, for what it says of exporters and limits
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Imports all files at once: they all count in the end, or none does.
pub fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    let config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    let folder = match args.data.clone().or_else(|| config.data.clone()) {
        Some(folder) => folder,
        None => default_data_folder()?,
    };
    let files: Vec<_> = args.files.iter().map(|name| (name.clone(), crate::replay::file(name))).collect();
    let spinner = progress::spinner("datagrams");
    let imported = import(&config, &folder, &files, &mut |datagrams| spinner.set_position(datagrams));
    spinner.finish_and_clear();
    match imported {
        Ok(imported) => report(&imported, out),
        Err(ImportError::Store(error)) => Err(anyhow::Error::from(error).context(folder.display().to_string())),
        Err(error) => Err(error.into()),
    }
}

fn report(imported: &Imported, out: &mut impl Write) -> anyhow::Result<Exit> {
    let Imported { ledger, frames, rows, problems, unmerged } = imported;
    let (datagrams, sets) = (&ledger.datagrams, &ledger.sets);
    writeln!(out, "{} datagrams, {rows} rows imported", datagrams.received)?;
    for (name, counts) in frames {
        crate::capture::tell(name, counts);
    }
    for (count, what) in [
        (datagrams.malformed.total(), "datagrams were damaged or no telemetry"),
        (datagrams.duplicate, "datagrams were duplicates"),
        (sets.malformed.total(), "sets or samples were damaged"),
        (sets.unknown.total(), "sets or samples are of unknown kinds"),
        (sets.waiting + sets.expired.total(), "data sets found no template"),
    ] {
        if count > 0 {
            crate::say(format_args!("{count} {what}"));
        }
    }
    if let Some(error) = unmerged {
        crate::say(format_args!("the new parts are not merged: {error}; hint: `finderscope compact` later"));
    }
    for (name, error) in problems {
        crate::say(format_args!("{name}: {error}"));
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Partly })
}
