//! The sampling rate of each record.

use finderscope_flow::{Builder, Column, SamplingSource};
use finderscope_wire::ipfix;

use super::RateFields;
use crate::cells::Records;
use crate::config::ExporterConfig;
use crate::sampling::{Rate, Samplers, overridden};

/// Writes `sampling_rate` and `sampling_source`. What holds for all records of a set is found once.
pub(super) fn write(
    fields: &RateFields,
    records: &Records<'_>,
    samplers: &Samplers,
    config: Option<&ExporterConfig>,
    builder: &mut Builder,
) {
    let own = fields.interval.is_some() || fields.selector.is_some();
    if !own || overridden(config).is_some() {
        return write_run(builder, samplers.general(config), records.len());
    }
    let rows = records.len();
    let mut last = (None, samplers.general(config));
    let rates = |row| {
        let interval = fields.interval.and_then(|field| ipfix::unsigned(records.cell(row, field)));
        // An interval of 0 says nothing of this record: others may know.
        if let Some(interval @ 1..) = interval {
            return Some((interval, SamplingSource::Record));
        }
        let selector = fields.selector.and_then(|field| ipfix::unsigned(records.cell(row, field)));
        if selector != last.0 {
            last = (selector, selector.map_or_else(|| samplers.general(config), |id| samplers.of(id, config)));
        }
        last.1
    };
    let rates: Vec<Rate> = (0..rows).map(rates).collect();
    let cells = builder.u64(Column::SamplingRate);
    for rate in &rates {
        cells.push_option(rate.map(|(rate, _)| rate));
    }
    let cells = builder.word(Column::SamplingSource);
    for rate in &rates {
        cells.push_option(rate.map(|(_, source)| source as i32));
    }
}

/// The same rate for all rows. A rate that is not known leaves the cells to be nulls.
pub(crate) fn write_run(builder: &mut Builder, rate: Rate, rows: usize) {
    if let Some((rate, source)) = rate {
        builder.u64(Column::SamplingRate).push_run(rate, rows);
        builder.word(Column::SamplingSource).push_run(source as i32, rows);
    }
}
