//! What questions are about: a store's folder, or a capture file.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use arrow::array::AsArray;
use arrow::compute::{max, min};
use arrow::datatypes::TimestampNanosecondType;
use finderscope_flow::{Column, Table};
use finderscope_query::{Database, Error, Options, UserColumn};
use finderscope_server::config::default_data_folder;
use finderscope_server::declared;
use finderscope_store::{Snapshot, StoreError};

use super::limits::LimitArgs;
use crate::exit::Exit;
use crate::map::MapArgs;
use crate::{capture, map};

/// Where the rows are that a question is about.
#[derive(Clone, Debug, clap::Args)]
pub struct SourceArgs {
    /// The store's folder [default: $STATE_DIRECTORY, for root /var/lib/finderscope, else ~/.local/share/finderscope]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Ask a capture file instead of the store; - is standard input
    #[arg(short, long, value_name = "FILE", conflicts_with = "data")]
    read: Option<String>,
    #[command(flatten)]
    map: MapArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// What was opened.
#[derive(Debug)]
pub struct Source {
    /// To be asked.
    pub database: Database,
    /// The first and the last receive time in it.
    pub span: Option<(i64, i64)>,
    /// Whether all of a capture could be read.
    pub exit: Exit,
}

impl SourceArgs {
    /// Opens the folder or reads the file.
    pub fn open(&self) -> anyhow::Result<Source> {
        match (&self.read, &self.data) {
            (Some(file), _) => self.read_capture(file),
            (None, Some(folder)) => self.open_store(folder),
            (None, None) => self.open_store(&default_data_folder()?),
        }
    }

    /// The columns that were declared beyond the tables' own.
    pub fn columns(&self) -> anyhow::Result<Vec<UserColumn>> {
        match (&self.read, &self.data) {
            (Some(_), _) => map::columns(&self.map.rules()?),
            _ if self.map.is_given() => {
                bail!("--map is for captures (--read FILE); a store's columns are its server's")
            }
            (None, Some(folder)) => noted(folder),
            (None, None) => noted(&default_data_folder()?),
        }
    }

    fn options(&self) -> Options {
        self.limits.options()
    }

    fn open_store(&self, folder: &Path) -> anyhow::Result<Source> {
        let database = match Database::open(folder, self.options()) {
            Err(Error::Store(StoreError::NoStore { dir })) => bail!(
                "no store in {}; hint: name its folder with --data DIR, or start `finderscope serve`",
                dir.display()
            ),
            database => database?,
        };
        let database = database.with_columns(noted(folder)?);
        let snapshot = Snapshot::read(folder)?;
        let rows = snapshot.parts(Table::Flows).map(|part| (part.min_received_ns, part.max_received_ns));
        // Totals may be kept longer than the rows.
        let totals = snapshot.totals().map(|totals| (totals.min_received_ns, totals.max_received_ns));
        let span = rows.chain(totals).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        Ok(Source { database, span, exit: Exit::Done })
    }

    fn read_capture(&self, file: &str) -> anyhow::Result<Source> {
        let rules = self.map.rules()?;
        let columns = map::columns(&rules)?;
        let capture::Read { batches, exit } = capture::read(file, rules)?;
        let times = batches.iter().filter(|(table, _)| *table == Table::Flows).filter_map(|(_, batch)| {
            let times = batch.column_by_name(Column::TimeReceivedNs.name())?;
            let times = times.as_primitive_opt::<TimestampNanosecondType>()?;
            min(times).zip(max(times))
        });
        let span = times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        // One thread leaves the rows in the order of the file.
        let options = Options { threads: 1, ..self.options() };
        Ok(Source { database: Database::in_memory(batches, options)?.with_columns(columns), span, exit })
    }
}

/// What was declared when the store was last served.
fn noted(folder: &Path) -> anyhow::Result<Vec<UserColumn>> {
    let declared = declared::read(folder).with_context(|| format!("{}: columns.json", folder.display()))?;
    Ok(declared.into_iter().map(map::column).collect())
}
