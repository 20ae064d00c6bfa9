//! `finderscope query`: SQL over everything that is stored.

use std::io::Write;

use finderscope_flow::text::Nulls;

use crate::ask::{self, Asker, SourceArgs, WhenArgs};
use crate::exit::Exit;
use crate::output::{OutputArgs, Sink};

/// Answer a question in SQL
///
/// Tables: flows, counters, drops, events, options, interfaces, samplers, vrfs, applications; SHOW TABLES and DESCRIBE
/// flows tell more. Names that exporters told are columns of flows where they are asked for: in_if_name, app_name, ….
/// Addresses are compared with text (src_addr = '10.1.2.3') and with networks (src_addr <<= '10.0.0.0/8').
/// sum(bytes_scaled) and sum(packets_scaled) count the sampling rate in.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    finderscope query \"select src_addr, sum(bytes_scaled) as bytes from flows group by 1 order by 2 desc limit 10\"\n  \
    finderscope query --last 1h \"select in_if_name, sum(bytes_scaled) from flows group by 1 order by 2 desc\"\n  \
    finderscope query \"select * from interfaces order by exporter_address, if_index\"\n  \
    finderscope query --last 1h --format json \"select * from flows where dst_addr <<= '10.0.0.0/8' and dst_port = 53\"\n  \
    finderscope query -o day.parquet --format parquet --since 2026-01-31 --until 2026-02-01 \"select * from flows\"")]
pub struct Args {
    /// The question
    #[arg(value_name = "SQL")]
    sql: String,
    /// Only flows that pass: the short filter language, such as 'dst port 443 and bytes > 1M'
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// At most so many rows
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
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

/// Asks, and writes the answer.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let window = match args.when.window() {
        Ok(window) => window,
        Err(error) => return Ok(Exit::misused(&error)),
    };
    if let Some(misuse) = args.output.misuse() {
        return Ok(Exit::misused(misuse));
    }
    let filter = ask::filter(args.filter.as_deref(), &args.source.columns()?)?;
    let asker = Asker::start(&args.source, &args.output)?;
    let answer = asker.wait(asker.database().sql_filtered(&args.sql, &window, filter.as_ref()))?;
    if args.explain {
        return ask::explain(out, &answer.reading());
    }
    let mut answer = args.output.suited(answer);
    let mut sink = Sink::open(&args.output, answer.schema(), Nulls::Write, out)?;
    let mut left = args.limit.unwrap_or(usize::MAX);
    let exit = asker.rows(&mut answer, args.output.is_on_terminal(), &mut |batch| {
        let rows = batch.num_rows().min(left);
        left -= rows;
        sink.write(&batch.slice(0, rows))?;
        Ok(left > 0)
    })?;
    sink.finish()?;
    Ok(exit.and(asker.exit()))
}
