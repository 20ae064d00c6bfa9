//! `finderscope compact`: merging and removing for a folder that no server runs on.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use finderscope_flow::text::human;
use finderscope_server::config::{Age, Config, Size, default_data_folder};
use finderscope_server::keeper::{self, KeeperFigures};
use finderscope_store::{Options, Store};

use crate::exit::Exit;
use crate::progress;

/// Merge a folder's small parts, and remove what is not to be kept
///
/// A running server does this by itself, so the server must be stopped meanwhile. Without --keep, --max-size or a
/// configuration that says so nothing is removed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  finderscope compact\n  finderscope compact --data /srv/flows --keep 30d")]
pub struct Args {
    /// The data folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration file, for what its [store] says
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Remove rows received longer ago than this: 12h, 30d, 8w, 2y
    #[arg(long, value_name = "AGE")]
    keep: Option<Age>,
    /// Remove the oldest hours until parts, indexes and totals are no larger than this: 500GB
    #[arg(long, value_name = "SIZE")]
    max_size: Option<Size>,
}

/// Does all there is to do.
pub fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    let mut config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    config.store.keep = args.keep.or(config.store.keep);
    config.store.max_size = args.max_size.or(config.store.max_size);
    config.check()?;
    let folder = match args.data.clone().or_else(|| config.data.clone()) {
        Some(folder) => folder,
        None => default_data_folder()?,
    };
    anyhow::ensure!(folder.join("manifest").exists(), "{} holds no store", folder.display());
    let command = finderscope_server::command::line();
    let opened = Store::open(&folder, Options { shards: 1, command, ..Options::default() });
    let (store, recovery) = opened.with_context(|| folder.display().to_string())?;
    let spinner = progress::spinner("merging");
    let figures = keeper::compact(&store, keeper::rules(&config.store), &mut |rows| spinner.set_position(rows));
    spinner.finish_and_clear();
    let figures = figures?;
    for problem in recovery.problems.iter().chain(&figures.problems) {
        crate::say(format_args!("{problem}"));
    }
    report(&figures, out)?;
    Ok(if recovery.problems.is_empty() && figures.problems.is_empty() { Exit::Done } else { Exit::Partly })
}

fn report(figures: &KeeperFigures, out: &mut impl Write) -> anyhow::Result<()> {
    let (before, after) = figures.merged_bytes;
    writeln!(
        out,
        "{} parts with {} rows merged, {} before and {} after, in {:.1} s of a processor",
        figures.merged_parts,
        figures.merged_rows,
        human::bytes(before),
        human::bytes(after),
        figures.cpu.as_secs_f64()
    )?;
    for (cause, removed) in &figures.removed {
        writeln!(out, "{} rows removed for their {cause}, {}", removed.rows, human::bytes(removed.bytes))?;
    }
    Ok(())
}
