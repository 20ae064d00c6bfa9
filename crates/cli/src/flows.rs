//! `finderscope flows`: flows themselves, as lines that nfdump's users know.

mod line;

use std::io::Write;

use anyhow::bail;
use finderscope_flow::text::Nulls;
use finderscope_query::{Filter, FlowsQuestion, Order, UserColumn, columns_by_alias};

use self::line::Lines;
use crate::ask::{self, Asker, SourceArgs, WhenArgs};
use crate::exit::Exit;
use crate::output::{Format, OutputArgs, Sink, Table};

/// List flows
///
/// The table has one line for each flow, with bytes and packets as the exporter said and the sampling rate beside them;
/// JSON has every column that a flow has, CSV and Parquet have all columns.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  finderscope flows --last 15m 'src net 10.0.0.0/8 and dst port 443 and bytes > 1M'\n  \
    finderscope flows -r capture.pcap --format json -n 10\n  \
    finderscope flows --last 15m --columns src_addr,dst_addr,in_if_name,out_if_name 'in_if_name = \"Gi0/1\"'\n  \
    finderscope flows --sort=-bytes_scaled -n 20 --columns src_addr,dst_addr,bytes_scaled proto udp"
)]
pub struct Args {
    /// Which flows: the short filter language, such as `src net 10.0.0.0/8 and dst port 443`
    #[arg(value_name = "FILTER")]
    words: Vec<String>,
    /// The same as an option
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// At most so many
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    /// In the order of a column; with a minus before its name the largest first (--sort=-bytes_scaled)
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Only these columns
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    columns: Vec<String>,
    #[command(flatten)]
    when: WhenArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Lists them.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let window = match args.when.window() {
        Ok(window) => window,
        Err(error) => return Ok(Exit::misused(&error)),
    };
    if let Some(misuse) = args.output.misuse() {
        return Ok(Exit::misused(misuse));
    }
    let declared = args.source.columns()?;
    let in_lines = args.output.format == Format::Table && args.columns.is_empty();
    let columns = match in_lines {
        true => line::COLUMNS.map(|column| column.name().to_owned()).to_vec(),
        false => names(&args.columns, &declared)?,
    };
    let filter = filter(&args.words.join(" "), args.filter.as_deref(), &declared)?;
    let order = order(args.sort.as_deref(), &declared)?;
    let question = FlowsQuestion { filter, window, order, limit: args.limit, columns };
    let asker = Asker::start(&args.source, &args.output)?;
    let mut answer = args.output.suited(asker.wait(asker.database().flows(&question))?);
    let on_terminal = args.output.is_on_terminal();
    let exit = if in_lines {
        let lines = Lines::new(args.output.zone());
        let mut table = Table::new(args.output.writer(out)?, lines.columns());
        let exit = asker.rows(&mut answer, on_terminal, &mut |batch| {
            lines.rows(batch)?.into_iter().try_for_each(|row| table.push(row))?;
            Ok(true)
        })?;
        drop(table.finish()?);
        exit
    } else {
        let mut sink = Sink::open(&args.output, answer.schema(), Nulls::Omit, out)?;
        let exit = asker.rows(&mut answer, on_terminal, &mut |batch| sink.write(batch).map(|()| true))?;
        sink.finish()?;
        exit
    };
    Ok(exit.and(asker.exit()))
}

/// Both filters, where there are two.
fn filter(words: &str, option: Option<&str>, declared: &[UserColumn]) -> anyhow::Result<Option<Filter>> {
    let words = Some(words).filter(|words| !words.trim().is_empty());
    match (ask::filter(words, declared)?, ask::filter(option, declared)?) {
        (Some(one), Some(other)) => ask::filter(Some(&format!("({one}) and ({other})")), declared),
        (one, other) => Ok(one.or(other)),
    }
}

fn names(columns: &[String], declared: &[UserColumn]) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for column in columns {
        names.extend(known(column.trim(), declared)?);
    }
    Ok(names)
}

fn order(sort: Option<&str>, declared: &[UserColumn]) -> anyhow::Result<Order> {
    let Some(sort) = sort else { return Ok(Order::None) };
    let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
    match known(name, declared)?.as_slice() {
        [column] => Ok(Order::By { column: column.clone(), descending }),
        _ => bail!("'{name}' is more than one column"),
    }
}

/// A column's name in the table, also where it is computed.
fn known(name: &str, declared: &[UserColumn]) -> anyhow::Result<Vec<String>> {
    if finderscope_query::COMPUTED.iter().any(|(computed, _)| *computed == name) {
        return Ok(vec![name.to_owned()]);
    }
    Ok(columns_by_alias(name, declared)?.iter().map(|column| column.name().to_owned()).collect())
}
