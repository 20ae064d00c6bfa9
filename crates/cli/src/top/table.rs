//! A ranking for people: shares of the total, scaled numbers, and what it all adds up to.

use std::io::Write;

use anyhow::Context;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{UInt8Type, UInt16Type, UInt64Type};
use finderscope_flow::Column;
use finderscope_flow::text::human;
use finderscope_query::{Measure, Summary, Top, TopQuestion, Warning, Window};

use crate::ask;
use crate::exit::Exit;
use crate::output::{self, Cells, Table, Zone};

/// The measures of a ranking, in the order of its columns.
const MEASURES: [Measure; 3] = [Measure::Flows, Measure::Packets, Measure::Bytes];
/// Windows under ten seconds are told with the digits of a second.
const SHORT_NS: i64 = 10_000_000_000;

/// Writes the ranking and the lines below it. What is no more than a note stands there; what the answer lacks, and
/// all else that must be said, is on stderr.
pub(super) fn write<'w>(
    out: Box<dyn Write + 'w>,
    question: &TopQuestion,
    top: &Top,
    zone: &Zone,
) -> anyhow::Result<Exit> {
    let mut cells = Cells::new(&top.rows.schema(), zone.clone());
    let grouped = question.columns.len();
    let mut columns: Vec<output::Column> = cells.columns(&top.rows.schema()).into_iter().take(grouped).collect();
    for measure in MEASURES {
        columns.push(output::Column::right(name(measure)));
        columns.push(output::Column::right("%"));
    }
    columns.push(output::Column::right("bit/s"));
    let mut table = Table::new(out, columns);
    for (at, mut row) in cells.rows(&top.rows)?.into_iter().enumerate() {
        row.truncate(grouped);
        for (cell, (column, array)) in row.iter_mut().zip(question.columns.iter().zip(top.rows.columns())) {
            if let Some(word) = column.column().and_then(|column| word(column, array.as_ref(), at)) {
                *cell = word;
            }
        }
        row.extend(measured(&top.rows, at, &top.summary)?);
        table.push(row)?;
    }
    let mut out = table.finish()?;
    write_summary(&mut out, &top.summary, &question.window, zone)?;
    out.flush()?;
    let (notes, rest): (Vec<_>, Vec<_>) =
        top.warnings.iter().cloned().partition(|warning| matches!(warning, Warning::NotDeduplicated { .. }));
    notes.iter().try_for_each(|note| writeln!(out, "Note: {note}"))?;
    out.flush()?;
    Ok(ask::warn(&rest))
}

const fn name(measure: Measure) -> &'static str {
    match measure {
        Measure::Flows => "flows",
        Measure::Packets => "packets",
        Measure::Bytes => "bytes",
    }
}

/// What people call the number of a cell, where they do.
pub fn word(column: Column, array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    match column {
        Column::Proto => Some(output::protocol(array.as_primitive_opt::<UInt8Type>()?.value(row))),
        Column::TcpFlags => Some(output::flags(array.as_primitive_opt::<UInt16Type>()?.value(row))),
        _ => None,
    }
}

fn measured(rows: &RecordBatch, row: usize, summary: &Summary) -> anyhow::Result<Vec<String>> {
    let mut cells = Vec::with_capacity(7);
    for measure in MEASURES {
        let value = number(rows, measure.column(), row)?;
        let total = match measure {
            Measure::Flows => summary.flows,
            Measure::Packets => summary.packets_scaled,
            Measure::Bytes => summary.bytes_scaled,
        };
        cells.push(human::count(value).to_string());
        cells.push(share(value, total));
    }
    let bytes = number(rows, Measure::Bytes.column(), row)?;
    cells.push(match summary.span_ns {
        0 => "-".to_owned(),
        span => human::quantity(bytes as f64 * 8e9 / span as f64, "").to_string(),
    });
    Ok(cells)
}

/// A measure of a row; nothing where no flow of it said how much.
pub fn number(rows: &RecordBatch, name: &str, row: usize) -> anyhow::Result<u64> {
    let column = rows.column_by_name(name).with_context(|| format!("the answer lacks {name}"))?;
    let numbers =
        column.as_primitive_opt::<UInt64Type>().with_context(|| format!("{name} is {}", column.data_type()))?;
    Ok(if numbers.is_valid(row) { numbers.value(row) } else { 0 })
}

fn share(value: u64, total: u64) -> String {
    if total == 0 { "-".to_owned() } else { format!("{:.1}", value as f64 * 100.0 / total as f64) }
}

fn write_summary(out: &mut dyn Write, summary: &Summary, window: &Window, zone: &Zone) -> anyhow::Result<()> {
    writeln!(
        out,
        "\nSummary: {} flows, {}, {} packets",
        human::count(summary.flows),
        human::bytes(summary.bytes_scaled),
        human::count(summary.packets_scaled)
    )?;
    if summary.span_ns > 0 && summary.flows > 0 {
        writeln!(
            out,
            "Average: {}, {}, {}, {} byte/packet",
            rate(summary.bits_per_second(), "bit/s"),
            rate(summary.packets_per_second(), "packet/s"),
            rate(summary.flows_per_second(), "flow/s"),
            human::quantity(summary.bytes_per_packet(), ""),
        )?;
    }
    let since = window.since_ns.or(summary.first_ns);
    let until = window.until_ns.or(summary.last_ns);
    if let (Some(since), Some(until)) = (since, until) {
        let span_ns = until.saturating_sub(since);
        let digits = if span_ns < SHORT_NS { 3 } else { 0 };
        let (from, to) = (zone.time(since, digits), zone.time_after(until, since, digits));
        writeln!(out, "Window: {from} to {to} ({}), {}", zone.name(), human::duration(span_ns))?;
    }
    let assumed = summary.assumed_share();
    if assumed > 0.0 {
        writeln!(out, "Note: of {} of the bytes the sampling rate is not known; it is assumed", percent(assumed))?;
    }
    Ok(())
}

/// A rate, and never none where there is some.
fn rate(value: f64, unit: &'static str) -> String {
    if value <= 0.0 || value >= 0.1 {
        return human::quantity(value, unit).to_string();
    }
    // Two digits that count.
    let digits = (1.0 - value.log10().floor()).min(12.0) as usize;
    format!("{value:.digits$} {unit}")
}

/// A share in percent, and never none where there is some, nor all where some is missing.
fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent < 0.1 => "less than 0.1 %".to_owned(),
        percent if percent > 99.9 && share < 1.0 => "more than 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    fn summary() -> Summary {
        Summary {
            flows: 1_234_567,
            bytes_scaled: 8_000_000_000,
            packets_scaled: 10_000_000,
            bytes_assumed: 2_000_000_000,
            exporters: 1,
            first_ns: Some(0),
            last_ns: Some(100_000_000_000),
            span_ns: 100_000_000_000,
            ..Summary::default()
        }
    }

    fn lines(summary: &Summary, window: &Window) -> String {
        let mut out = Vec::new();
        write_summary(&mut out, summary, window, &Zone::utc()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_summary_has_totals_rates_window_and_what_was_assumed() {
        assert_eq!(
            lines(&summary(), &Window::ALL),
            "\nSummary: 1.2 M flows, 8.0 GB, 10.0 M packets\n\
             Average: 640.0 Mbit/s, 100.0 kpacket/s, 12.3 kflow/s, 800 byte/packet\n\
             Window: 1970-01-01 00:00:00 to 00:01:40 (UTC), 1 min 40 s\n\
             Note: of 25.0 % of the bytes the sampling rate is not known; it is assumed\n"
        );
    }

    #[test]
    fn a_short_window_has_the_digits_of_its_seconds() {
        let window = Window { since_ns: Some(0), until_ns: Some(198_000_000), ..Window::ALL };
        let text = lines(&summary(), &window);
        assert!(text.contains("Window: 1970-01-01 00:00:00.000 to 00:00:00.198 (UTC), 198 ms\n"), "{text}");
    }

    #[test]
    fn nothing_has_no_rates() {
        assert_eq!(lines(&Summary::default(), &Window::ALL), "\nSummary: 0 flows, 0 B, 0 packets\n");
    }

    #[test]
    fn shares_round_neither_to_nothing_nor_to_all() {
        assert_eq!(percent(0.000_01), "less than 0.1 %");
        assert_eq!(percent(0.999_99), "more than 99.9 %");
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(rate(0.001_11, "flow/s"), "0.0011 flow/s");
        assert_eq!(rate(0.099, "flow/s"), "0.099 flow/s");
        assert_eq!(rate(0.0, "flow/s"), "0 flow/s");
        assert_eq!(rate(1500.0, "flow/s"), "1.5 kflow/s");
        assert_eq!(share(1, 3), "33.3");
        assert_eq!(share(0, 0), "-");
    }
}
