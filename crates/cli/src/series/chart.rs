//! A series for people: a bar beside each bin.

use std::io::Write;

use anyhow::Context;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampNanosecondType;
use finderscope_flow::text::human;
use finderscope_query::{Measure, SeriesQuestion};

use crate::output::{Cells, Column, Table, Zone, digits};
use crate::top::{number, word};

const BAR_WIDTH: usize = 30;
/// Eighths of a block, from one to all.
const BLOCKS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Bins without flows are shown as gaps up to so many in all; beyond, a stray time would make the chart endless.
const BINS_MAX: i64 = 2_000;
const INCOMPLETE: &str = " incomplete";

/// One bin, or one value of it.
struct Line {
    time_ns: i64,
    value: Option<String>,
    measures: [u64; 3],
    incomplete: bool,
}

/// Writes the chart of `rows`: the series' columns, and `incomplete`.
pub(super) fn write<'w>(
    out: Box<dyn Write + 'w>,
    rows: &RecordBatch,
    question: &SeriesQuestion,
    by: Measure,
    zone: &Zone,
) -> anyhow::Result<()> {
    let mut lines = lines(rows, question, zone)?;
    if question.by.is_none() {
        lines = with_gaps(lines, question.bin.ns());
    }
    let shown = |line: &Line| match by {
        Measure::Flows => line.measures[0],
        Measure::Packets => line.measures[1],
        Measure::Bytes => line.measures[2],
    };
    let most = lines.iter().map(shown).max().unwrap_or_default();
    let mut columns = vec![Column::left(format!("time ({})", zone.name()))];
    columns.extend(question.by.iter().map(|key| Column::left(key.name())));
    columns.extend(["flows", "packets", "bytes", "bit/s"].map(Column::right));
    columns.push(Column::left(format!("{by:?}").to_lowercase()));
    let mut table = Table::new(out, columns);
    let digits = digits(lines.iter().map(|line| line.time_ns));
    for line in &lines {
        let mut row = vec![zone.time(line.time_ns, digits)];
        row.extend(line.value.clone());
        row.extend(line.measures.map(|measure| human::count(measure).to_string()));
        row.push(human::quantity(line.measures[2] as f64 * 8e9 / question.bin.ns() as f64, "").to_string());
        row.push(bar(shown(line), most) + if line.incomplete { INCOMPLETE } else { "" });
        table.push(row)?;
    }
    table.finish()?.flush()?;
    Ok(())
}

fn lines(rows: &RecordBatch, question: &SeriesQuestion, zone: &Zone) -> anyhow::Result<Vec<Line>> {
    let cells = Cells::new(&rows.schema(), zone.clone()).rows(rows)?;
    let times = rows.column(0).as_primitive_opt::<TimestampNanosecondType>().context("a series has no times")?;
    let incomplete = rows.column(rows.num_columns() - 1).as_boolean_opt().context("a series is not marked")?;
    let line = |(row, cells): (usize, Vec<String>)| {
        let value = question.by.as_ref().map(|key| {
            let word = key.column().and_then(|column| word(column, rows.column(1).as_ref(), row));
            word.or_else(|| cells.get(1).cloned()).unwrap_or_default()
        });
        let [flows, packets, bytes] =
            [Measure::Flows, Measure::Packets, Measure::Bytes].map(|measure| number(rows, measure.column(), row));
        let measures = [flows?, packets?, bytes?];
        Ok(Line { time_ns: times.value(row), value, measures, incomplete: incomplete.value(row) })
    };
    cells.into_iter().enumerate().map(line).collect()
}

/// The bins, and empty ones between them: a gap in the traffic is a gap in the chart.
fn with_gaps(lines: Vec<Line>, bin_ns: i64) -> Vec<Line> {
    let span = lines.first().zip(lines.last()).map_or(0, |(first, last)| last.time_ns.saturating_sub(first.time_ns));
    if span / bin_ns >= BINS_MAX {
        return lines;
    }
    let mut all: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        while let Some(before) = all.last()
            && before.time_ns + bin_ns < line.time_ns
        {
            let (time_ns, incomplete) = (before.time_ns + bin_ns, before.incomplete);
            all.push(Line { time_ns, value: None, measures: [0; 3], incomplete });
        }
        all.push(line);
    }
    all
}

/// A bar in proportion; something where there is something.
fn bar(value: u64, most: u64) -> String {
    if value == 0 || most == 0 {
        return String::new();
    }
    let eighths = (value as f64 / most as f64 * (BAR_WIDTH * BLOCKS.len()) as f64).round().max(1.0) as usize;
    let (full, rest) = (eighths / BLOCKS.len(), eighths % BLOCKS.len());
    let mut bar = BLOCKS[BLOCKS.len() - 1].to_string().repeat(full);
    bar.extend(rest.checked_sub(1).and_then(|rest| BLOCKS.get(rest)));
    bar
}

#[cfg(test)]
mod tests {
    use super::{BAR_WIDTH, Line, bar, with_gaps};

    #[test]
    fn bars_are_in_proportion_and_never_vanish() {
        assert_eq!(bar(100, 100).chars().count(), BAR_WIDTH);
        assert_eq!(bar(50, 100), "█".repeat(BAR_WIDTH / 2));
        assert_eq!(bar(1, u64::MAX), "▏");
        assert_eq!(bar(0, 100), "");
        assert_eq!(bar(0, 0), "");
    }

    fn bins(times: &[i64]) -> Vec<(i64, u64)> {
        let line = |&time_ns: &i64| Line { time_ns, value: None, measures: [1; 3], incomplete: false };
        with_gaps(times.iter().map(line).collect(), 10).iter().map(|line| (line.time_ns, line.measures[0])).collect()
    }

    #[test]
    fn bins_without_flows_are_gaps_unless_a_stray_time_makes_them_endless() {
        assert_eq!(bins(&[0, 30, 40]), [(0, 1), (10, 0), (20, 0), (30, 1), (40, 1)]);
        assert_eq!(bins(&[0, i64::MAX]), [(0, 1), (i64::MAX, 1)]);
        assert_eq!(bins(&[]), []);
    }
}
