//! `finderscope top`: who has the most.

mod table;

use std::io::Write;

use anyhow::bail;
use finderscope_flow::text::Nulls;
use finderscope_query::{Key, Measure, Top, TopQuestion, UserColumn, ranking};

pub use self::table::{number, word};
use crate::ask::{self, Asker, SourceArgs, WhenArgs};
use crate::exit::Exit;
use crate::output::{Format, OutputArgs, Sink};

/// Show who has the most bytes, packets or flows
///
/// Bytes and packets count the sampling rate in. The table has scaled numbers (12.3 M), and ends with totals of all
/// flows that passed the filter; JSON, CSV and Parquet have plain integers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  finderscope top src_addr --last 1h\n  \
    finderscope top dst_addr,dst_port --by flows -n 20 --filter 'src net 10.0.0.0/8 and proto tcp'\n  \
    finderscope top exporter_address,in_if_name --last 1h\n  \
    finderscope top src_as,dst_as --since 2026-01-31T08:00 --until 2026-01-31T09:00 --format json")]
pub struct Args {
    /// What to group by: one or more columns, by their names or nfdump's (srcip, dstport, record), or names that exporters
    /// told (in_if_name, app_name); the number stands in where nobody told one
    #[arg(value_name = "COLUMN[,COLUMN…]", required_unless_present = "statistic")]
    columns: Option<String>,
    /// nfdump's way to say it: srcip/bytes
    #[arg(short = 's', value_name = "COLUMN[/ORDER]", hide = true, conflicts_with = "columns")]
    statistic: Option<String>,
    /// What to rank by
    #[arg(long, value_enum, value_name = "MEASURE")]
    by: Option<By>,
    /// How many
    #[arg(short = 'n', long, visible_alias = "count", value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Only flows that pass: the short filter language, such as 'dst port 443 and bytes > 1M'
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Say what would be read, and answer nothing
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    when: WhenArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// A measure as it is typed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum By {
    /// Bytes, times the sampling rate
    #[default]
    Bytes,
    /// Packets, times the sampling rate
    Packets,
    /// Flows
    Flows,
}

impl From<By> for Measure {
    fn from(by: By) -> Self {
        match by {
            By::Bytes => Self::Bytes,
            By::Packets => Self::Packets,
            By::Flows => Self::Flows,
        }
    }
}

/// Asks, and writes the ranking.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let window = match args.when.window() {
        Ok(window) => window,
        Err(error) => return Ok(Exit::misused(&error)),
    };
    if let Some(misuse) = args.output.misuse() {
        return Ok(Exit::misused(misuse));
    }
    let declared = args.source.columns()?;
    let (columns, by) = args.grouping(&declared)?;
    let filter = ask::filter(args.filter.as_deref(), &declared)?;
    let question = TopQuestion { columns, by, count: args.limit, filter, window };
    let asker = Asker::start(&args.source, &args.output)?;
    if args.explain {
        return ask::explain(out, &asker.wait(asker.database().explain_top(&question))?);
    }
    let top = asker.wait(asker.database().top(&question))?;
    let exit = match args.output.format {
        Format::Table => table::write(args.output.writer(out)?, &question, &top, &args.output.zone())?,
        _ => {
            plain(args, &top, out)?;
            ask::warn(&top.warnings)
        }
    };
    Ok(exit.and(asker.exit()))
}

impl Args {
    fn grouping(&self, declared: &[UserColumn]) -> anyhow::Result<(Vec<Key>, Measure)> {
        let text = self.statistic.as_deref().or(self.columns.as_deref()).unwrap_or_default();
        let (columns, said) = ranking(text, declared)?;
        let by = self.by.map(Measure::from);
        if let (Some(said), Some(by)) = (said, by)
            && said != by
        {
            bail!("'{text}' and --by name two different measures");
        }
        Ok((columns, said.or(by).unwrap_or_default()))
    }
}

fn plain(args: &Args, top: &Top, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut sink = Sink::open(&args.output, top.rows.schema_ref(), Nulls::Write, out)?;
    sink.write(&top.rows)?;
    sink.finish()
}
