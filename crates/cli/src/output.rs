//! Answers on their way out: as a table, JSON lines, CSV or Parquet, on stdout or into a file.

mod cells;
mod lines;
mod local;
mod sink;
mod table;
mod words;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use anyhow::Context;
use finderscope_query::Answer;

pub use self::cells::Cells;
pub use self::local::{Zone, digits};
pub use self::sink::Sink;
pub use self::table::{Column, Table};
pub use self::words::{flags, icmp, protocol};

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns for people, in local time; also called text
    #[default]
    #[value(alias = "text")]
    Table,
    /// One JSON object a line
    Json,
    /// Comma-separated, with a header
    Csv,
    /// One Parquet file
    Parquet,
}

/// How and where an answer is written.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct OutputArgs {
    /// How to write the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Times in UTC; JSON, CSV and Parquet have them so anyway
    #[arg(long)]
    pub utc: bool,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl OutputArgs {
    /// What is wrong with them, if anything is.
    pub fn misuse(&self) -> Option<&'static str> {
        let binary_on_terminal = self.format == Format::Parquet && self.is_on_terminal();
        binary_on_terminal.then_some("Parquet is no text for a terminal; name a file with -o FILE, or redirect")
    }

    /// Whether the answer goes to a terminal.
    pub fn is_on_terminal(&self) -> bool {
        self.output.is_none() && io::stdout().is_terminal()
    }

    /// Whether another program reads the answer, as far as we know.
    pub fn is_for_a_program(&self) -> bool {
        self.output.is_none() && !io::stdout().is_terminal()
    }

    /// The zone that tables have their times in.
    pub fn zone(&self) -> Zone {
        if self.utc { Zone::utc() } else { Zone::local() }
    }

    /// The answer in the types that its format is written from with the least work.
    pub fn suited(&self, answer: Answer) -> Answer {
        match self.format {
            Format::Json | Format::Csv => answer.into_views(),
            // A file's types are the answer's own, and a table is short.
            Format::Parquet | Format::Table => answer,
        }
    }

    /// Where text goes: the file, else `out`.
    pub fn writer<'w>(&self, out: &'w mut dyn Write) -> anyhow::Result<Box<dyn Write + 'w>> {
        Ok(match &self.output {
            Some(_) => Box::new(BufWriter::with_capacity(1 << 18, self.file()?)),
            None => Box::new(out),
        })
    }

    /// The file, else standard output as one.
    pub fn file(&self) -> anyhow::Result<File> {
        match &self.output {
            Some(path) => File::create(path).with_context(|| format!("cannot write {}", path.display())),
            None => {
                Ok(File::from(io::stdout().as_fd().try_clone_to_owned().context("cannot write to standard output")?))
            }
        }
    }
}
