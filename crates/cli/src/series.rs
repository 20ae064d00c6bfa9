//! `finderscope series`: how much over time.

mod age;
mod bins;
mod chart;

use std::io::Write;
use std::sync::Arc;

use anyhow::bail;
use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampNanosecondType};
use finderscope_flow::text::Nulls;
use finderscope_query::{Key, SeriesQuestion, UserColumn, columns_by_alias};

use self::age::Completeness;
use self::bins::Every;
use crate::ask::{self, Asker, SourceArgs, WhenArgs};
use crate::exit::Exit;
use crate::output::{Format, OutputArgs, Sink};
use crate::top::By;

/// Show how much there was over time
///
/// Bytes and packets are spread over the time that a flow took, and count the sampling rate in; the flow itself counts in
/// the bin of its end. Bins of which flows may still come, or lie outside of the window, are marked incomplete.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  finderscope series --last 1h\n  \
    finderscope series --every 5m --by packets --filter 'port 53' --since 2026-01-31 --until 2026-02-01\n  \
    finderscope series --every 5m --column in_if_name --last 6h\n  \
    finderscope series --every 1h --column src_as --format json")]
pub struct Args {
    /// What the chart shows
    #[arg(long, value_enum, default_value_t, value_name = "MEASURE")]
    by: By,
    /// How long a bin is: 10s, 1m, 5m, 1h; auto makes about sixty of them
    #[arg(long, visible_alias = "bin", default_value = "auto", value_name = "SPAN")]
    every: String,
    /// One line for each value of a column
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Only flows that pass: the short filter language, such as 'dst port 443 and bytes > 1M'
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// At most so many lines
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

/// Asks, and writes the bins.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (window, every) = match args.when.window().and_then(|window| Ok((window, bins::every(&args.every)?))) {
        Ok(asked) => asked,
        Err(error) => return Ok(Exit::misused(&error)),
    };
    if let Some(misuse) = args.output.misuse() {
        return Ok(Exit::misused(misuse));
    }
    let declared = args.source.columns()?;
    let by = args.column.as_deref().map(|name| column(name, &declared)).transpose()?;
    let filter = ask::filter(args.filter.as_deref(), &declared)?;
    let asker = Asker::start(&args.source, &args.output)?;
    let bin = match every {
        Every::Bin(bin) => bin,
        Every::Auto => bins::fitting(&window, asker.span()),
    };
    let question = SeriesQuestion { bin, by, filter, window };
    if args.explain {
        return ask::explain(out, &asker.wait(asker.database().series(&question))?.reading());
    }
    let completeness = Completeness::of(&asker, &window, bin)?;
    let mut answer = asker.wait(asker.database().series(&question))?;
    let schema = with_mark(answer.schema());
    let mut left = args.limit.unwrap_or(usize::MAX);
    let mut marked = |batch: &RecordBatch| -> anyhow::Result<RecordBatch> {
        let rows = batch.num_rows().min(left);
        left -= rows;
        mark(&batch.slice(0, rows), &schema, &completeness)
    };
    let exit = if args.output.format == Format::Table {
        let mut batches = Vec::new();
        let exit = asker.rows(&mut answer, false, &mut |batch| {
            batches.push(marked(batch)?);
            Ok(true)
        })?;
        let rows = arrow::compute::concat_batches(&schema, &batches)?;
        chart::write(args.output.writer(out)?, &rows, &question, args.by.into(), &args.output.zone())?;
        exit
    } else {
        let mut sink = Sink::open(&args.output, &schema, Nulls::Write, out)?;
        let on_terminal = args.output.is_on_terminal();
        let exit = asker.rows(&mut answer, on_terminal, &mut |batch| sink.write(&marked(batch)?).map(|()| true))?;
        sink.finish()?;
        exit
    };
    Ok(exit.and(asker.exit()))
}

fn column(name: &str, declared: &[UserColumn]) -> anyhow::Result<Key> {
    match columns_by_alias(name, declared)?.as_slice() {
        [column] => Ok(column.clone()),
        _ => bail!("'{name}' is more than one column"),
    }
}

/// The answer's columns, and whether the bin is incomplete.
fn with_mark(schema: &Schema) -> SchemaRef {
    let mark = Arc::new(Field::new("incomplete", DataType::Boolean, false));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([mark]).collect::<Vec<_>>()))
}

fn mark(batch: &RecordBatch, schema: &SchemaRef, completeness: &Completeness) -> anyhow::Result<RecordBatch> {
    let times = batch.column(0).as_primitive::<TimestampNanosecondType>();
    let marks: BooleanArray =
        times.iter().map(|time| Some(time.is_none_or(|time| completeness.is_incomplete(time)))).collect();
    let columns: Vec<ArrayRef> = batch.columns().iter().cloned().chain([Arc::new(marks) as ArrayRef]).collect();
    Ok(RecordBatch::try_new(SchemaRef::clone(schema), columns)?)
}
