//! Totals of flows while they go by.

use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use finderscope_flow::{Column, SamplingSource};

use super::bins::{Bins, Groups};
use super::cells::Cells;
use super::dimension::{Dimension, Level, SAMPLERS};
use super::key::{Addresses, Key, Keys, Numbers, Order};
use super::measures::Measures;
use super::spread::Span;
use super::write::{Description, Extra, Row, TotalsFile, Writer};
use crate::{DiskError, split};

/// Groups of one dimension at most: addresses take some 80 bytes each. A dimension that has more is left out.
const GROUPS_MAX: usize = 1 << 18;
/// So many are always kept.
const GROUPS_MIN: usize = 1 << 16;
/// Where there are more, a group must stand for so many rows on the average: else it is not much less to keep and read.
const ROWS_A_GROUP: u64 = 8;

/// What flows add up to, by each dimension and by minute.
#[derive(Debug)]
pub struct TotalsBuilder {
    description: Description,
    exporters: Addresses,
    extras: Vec<Extra>,
    interfaces: [Keys<u64>; 2],
    lost_interfaces: [bool; 2],
    bins: Bins,
    /// The dimensions that are not kept by time; none where there were too many groups.
    others: Vec<(Dimension, Option<(Groupings, Cells)>)>,
    numbers: Vec<u32>,
    /// Groups that an address dimension, or one of numbers, may have.
    groups_max: usize,
    /// Whether some row's sampler is not its exporter.
    samplers_differ: bool,
    /// Whether no file can be made.
    given_up: bool,
}

/// How a dimension numbers its groups.
#[derive(Debug)]
enum Groupings {
    Addresses(Addresses),
    /// A port's number is its group's less one; null is the first.
    Ports,
    Numbers(Numbers),
}

/// The groups of ports, or of protocols, with null.
const PORTS: usize = 65_537;
const PROTOCOLS: usize = 257;

impl Default for TotalsBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TotalsBuilder {
    /// Totals of nothing yet.
    pub fn new() -> Self {
        let others = Dimension::ALL.into_iter().filter(|dimension| !Dimension::TIMED.contains(dimension));
        Self {
            description: Description::new(),
            exporters: Addresses::new(),
            extras: Vec::new(),
            interfaces: [Keys::new(), Keys::new()],
            lost_interfaces: [false; 2],
            bins: Bins::new(),
            others: others.map(|dimension| (dimension, Some((Groupings::of(dimension), Cells::default())))).collect(),
            numbers: Vec::new(),
            groups_max: GROUPS_MAX,
            samplers_differ: false,
            given_up: false,
        }
    }

    /// Totals of so many rows to come: dimensions that have too many groups for them are left out.
    pub fn of_rows(rows: u64) -> Self {
        let groups = usize::try_from(rows / ROWS_A_GROUP).unwrap_or(GROUPS_MAX);
        Self { groups_max: groups.clamp(GROUPS_MIN, GROUPS_MAX), ..Self::new() }
    }

    /// Adds flows, in any order. Columns that the batch lacks are null.
    pub fn add(&mut self, batch: &RecordBatch) {
        let received = split::received(batch);
        if received.is_empty() || self.given_up {
            return;
        }
        let (first, last) = split::span(received);
        self.description.rows += batch.num_rows() as u64;
        self.description.min_received_ns = self.description.min_received_ns.min(first);
        self.description.max_received_ns = self.description.max_received_ns.max(last);
        let [exporter, sampler] =
            [Column::ExporterAddress, Column::SamplerAddress].map(|column| batch.column_by_name(column.name()));
        self.samplers_differ |= exporter != sampler;
        let measures = Measures::of(batch);
        let exporters = self.exporters(batch);
        if measures.overflowed || self.exporters.strange || self.exporters.len() > GROUPS_MAX {
            *self = Self { given_up: true, ..Self::new() };
            return;
        }
        self.add_extras(batch, &exporters, &measures);
        self.add_timed(batch, &exporters, &measures);
        for (dimension, state) in &mut self.others {
            add_other(state, &mut self.numbers, *dimension, batch, &measures, self.groups_max);
        }
    }

    fn exporters(&mut self, batch: &RecordBatch) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(batch.num_rows());
        number_addresses(
            &mut self.exporters,
            batch.column_by_name(Column::ExporterAddress.name()),
            batch,
            &mut numbers,
        );
        self.extras.resize(self.exporters.len(), Extra { bytes_assumed: 0, first_ns: i64::MAX, last_ns: i64::MIN });
        numbers
    }

    fn add_extras(&mut self, batch: &RecordBatch, exporters: &[u32], of: &Measures) {
        for (exporter, &received) in exporters.iter().zip(split::received(batch)) {
            let extra = &mut self.extras[*exporter as usize];
            extra.first_ns = extra.first_ns.min(received);
            extra.last_ns = extra.last_ns.max(received);
        }
        let Some(assumed) = assumed(batch) else { return };
        let bytes = of.scaled.as_ref().map_or(&of.bytes, |scaled| &scaled.bytes);
        for ((exporter, assumed), bytes) in exporters.iter().zip(assumed).zip(bytes) {
            if assumed {
                let sum = &mut self.extras[*exporter as usize].bytes_assumed;
                // Never more than the sum of all bytes, where it is checked.
                *sum = sum.wrapping_add(*bytes);
            }
        }
    }

    fn add_timed(&mut self, batch: &RecordBatch, exporters: &[u32], of: &Measures) {
        let [in_if, out_if] = [(Column::InIf, 0), (Column::OutIf, 1)].map(|(column, at)| {
            let keys = &mut self.interfaces[at];
            if self.lost_interfaces[at] {
                return vec![0; exporters.len()];
            }
            let column = batch.column_by_name(column.name()).and_then(|cells| cells.as_primitive_opt::<UInt32Type>());
            let key = |(row, &exporter): (usize, &u32)| {
                let cell = column.filter(|column| column.is_valid(row)).map(|column| column.value(row));
                let interface = cell.map_or(0, |cell| 1 << 32 | u64::from(cell));
                keys.number(u64::from(exporter) << 33 | interface)
            };
            exporters.iter().enumerate().map(key).collect::<Vec<u32>>()
        });
        let proto = batch.column_by_name(Column::Proto.name()).and_then(|cells| cells.as_primitive_opt::<UInt8Type>());
        let proto: Vec<u32> = match proto {
            Some(cells) => cells.iter().map(|cell| cell.map_or(0, |proto| u32::from(proto) + 1)).collect(),
            None => vec![0; batch.num_rows()],
        };
        for (at, keys) in self.interfaces.iter_mut().enumerate() {
            if keys.len() > GROUPS_MAX {
                *keys = Keys::new();
                self.lost_interfaces[at] = true;
                self.bins.lose(1 + at);
            }
        }
        let groups: Groups<'_> = [
            (exporters, self.exporters.len()),
            (&in_if, self.interfaces[0].len()),
            (&out_if, self.interfaces[1].len()),
            (&proto, PROTOCOLS),
        ];
        self.bins.add(&spans(batch), &groups, of);
    }

    /// Writes the file and syncs it. None where there is nothing to write, or it cannot be told in 64 bits.
    pub fn finish(mut self, path: &Path) -> Result<Option<TotalsFile>, DiskError> {
        if self.description.rows == 0 || self.given_up {
            return Ok(None);
        }
        let mut writer = Writer::create(path)?;
        self.bins.sort();
        for (at, dimension) in Dimension::TIMED.into_iter().enumerate() {
            self.write_timed(&mut writer, at, dimension)?;
        }
        for (dimension, state) in std::mem::take(&mut self.others) {
            match state.filter(|(groupings, cells)| !cells.overflowed && !groupings.is_strange()) {
                Some((groupings, cells)) => {
                    let keys = groupings.keys();
                    let rows = sorted(&keys, &cells).map(|group| row(keys[group], &cells, group, None));
                    self.write(&mut writer, Level::Part, dimension, rows)?;
                }
                None => self.description.lacks.push(dimension.at(Level::Part)),
            }
        }
        if self.samplers_differ {
            self.description.lacks.push(SAMPLERS.to_owned());
        }
        writer.close(self.description).map(Some)
    }

    fn write_timed(&mut self, writer: &mut Writer, at: usize, dimension: Dimension) -> Result<(), DiskError> {
        let has_minutes = self.bins.has_minutes(at);
        let Some(cells) = self.bins.over_all(at).filter(|cells| !cells.overflowed) else {
            self.description.lacks.extend(Level::ALL.map(|level| dimension.at(level)));
            return Ok(());
        };
        let keys = self.timed_keys(dimension);
        let order: Vec<usize> = sorted(&keys, &cells).collect();
        let extra = |group: usize| (dimension == Dimension::All).then(|| self.extras[group]);
        let rows: Vec<Row> = order.iter().map(|&group| row(keys[group], &cells, group, extra(group))).collect();
        self.write(writer, Level::Part, dimension, rows.into_iter())?;
        for level in [Level::Minute, Level::Hour, Level::Day] {
            let Some(level_ns) = level.ns().filter(|_| has_minutes) else {
                self.description.lacks.push(dimension.at(level));
                continue;
            };
            for &group in &order {
                for (time_ns, sums) in self.bins.of_group(at, group, level_ns) {
                    let row = Row { key: keys[group], time_ns: Some(time_ns), sums, extra: None };
                    writer.push(level, dimension, row)?;
                }
            }
            self.write(writer, level, dimension, std::iter::empty())?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        writer: &mut Writer,
        level: Level,
        dimension: Dimension,
        rows: impl Iterator<Item = Row>,
    ) -> Result<(), DiskError> {
        for row in rows {
            writer.push(level, dimension, row)?;
        }
        let before: usize = self.description.row_groups.iter().map(|(_, count)| count).sum();
        let count = writer.end(level, dimension)? - before;
        self.description.row_groups.push((dimension.at(level), count));
        Ok(())
    }

    fn timed_keys(&self, dimension: Dimension) -> Vec<Key> {
        let exporters = self.exporters.keys();
        let interface = |key: &u64| Key {
            address: exporters[(key >> 33) as usize],
            // The lower half is the interface's number.
            number: (key >> 32 & 1 == 1).then_some(*key as u32),
        };
        match dimension {
            Dimension::InIf => self.interfaces[0].keys().iter().map(interface).collect(),
            Dimension::OutIf => self.interfaces[1].keys().iter().map(interface).collect(),
            Dimension::Proto => numbered(PROTOCOLS),
            _ => exporters.iter().map(|&address| Key { address, number: None }).collect(),
        }
    }
}

impl Groupings {
    fn of(dimension: Dimension) -> Self {
        match dimension {
            Dimension::SrcPort | Dimension::DstPort => Self::Ports,
            Dimension::SrcAs | Dimension::DstAs => Self::Numbers(Numbers::default()),
            _ => Self::Addresses(Addresses::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Addresses(addresses) => addresses.len(),
            Self::Ports => PORTS,
            Self::Numbers(keys) => keys.len(),
        }
    }

    const fn is_strange(&self) -> bool {
        matches!(self, Self::Addresses(addresses) if addresses.strange)
    }

    fn keys(&self) -> Vec<Key> {
        match self {
            Self::Addresses(addresses) => {
                addresses.keys().into_iter().map(|address| Key { address, number: None }).collect()
            }
            Self::Ports => numbered(PORTS),
            Self::Numbers(keys) => keys.keys().iter().map(|&number| Key { address: None, number }).collect(),
        }
    }

    fn number(&mut self, cells: Option<&ArrayRef>, batch: &RecordBatch, into: &mut Vec<u32>) {
        into.clear();
        match self {
            Self::Addresses(addresses) => number_addresses(addresses, cells, batch, into),
            Self::Ports => match cells.and_then(|cells| cells.as_primitive_opt::<UInt16Type>()) {
                Some(cells) if cells.null_count() == 0 => {
                    into.extend(cells.values().iter().map(|&port| u32::from(port) + 1))
                }
                Some(cells) => into.extend(cells.iter().map(|port| port.map_or(0, |port| u32::from(port) + 1))),
                None => into.resize(batch.num_rows(), 0),
            },
            Self::Numbers(keys) => match cells.and_then(|cells| cells.as_primitive_opt::<UInt32Type>()) {
                Some(cells) => into.extend(cells.iter().map(|number| keys.number(number))),
                None => into.resize(batch.num_rows(), keys.number(None)),
            },
        }
    }
}

fn add_other(
    state: &mut Option<(Groupings, Cells)>,
    numbers: &mut Vec<u32>,
    dimension: Dimension,
    batch: &RecordBatch,
    of: &Measures,
    groups_max: usize,
) {
    let Some((groupings, cells)) = state else { return };
    let column = dimension.columns().iter().find_map(|column| batch.column_by_name(column.name()));
    groupings.number(column, batch, numbers);
    match groupings.len() {
        // Ports are few whatever they are.
        count if count > groups_max && count != PORTS => *state = None,
        count => cells.add_rows(0..numbers.len(), numbers, count, of),
    }
}

fn number_addresses(addresses: &mut Addresses, cells: Option<&ArrayRef>, batch: &RecordBatch, into: &mut Vec<u32>) {
    let Some(cells) = cells.and_then(|cells| cells.as_binary_opt::<i32>()) else {
        let null = addresses.number(None);
        return into.resize(batch.num_rows(), null);
    };
    // The same address often follows itself: exporters' always do.
    let mut latest: Option<(Option<&[u8]>, u32)> = None;
    for cell in cells {
        let number = match latest {
            Some((address, number)) if address == cell => number,
            _ => addresses.number(cell),
        };
        latest = Some((cell, number));
        into.push(number);
    }
}

/// Keys that are their groups' numbers less one; null is the first.
fn numbered(count: usize) -> Vec<Key> {
    (0..count as u32).map(|group| Key { address: None, number: group.checked_sub(1) }).collect()
}

/// Groups with rows, by their keys.
fn sorted(keys: &[Key], cells: &Cells) -> impl Iterator<Item = usize> + use<> {
    let touched = (0..cells.len()).filter(|&group| cells.get(group).is_touched());
    let mut order: Vec<(Order, u32)> = touched.map(|group| (keys[group].order(), group as u32)).collect();
    if !order.is_sorted() {
        order.sort_unstable();
    }
    order.into_iter().map(|(_, group)| group as usize)
}

fn row(key: Key, cells: &Cells, group: usize, extra: Option<Extra>) -> Row {
    Row { key, time_ns: None, sums: cells.get(group), extra }
}

fn spans(batch: &RecordBatch) -> Vec<Span> {
    let times = |column: Column| {
        let cells = batch.column_by_name(column.name())?.as_primitive_opt::<TimestampNanosecondType>()?;
        Some(cells)
    };
    let (starts, ends) = (times(Column::TimeFlowStartNs), times(Column::TimeFlowEndNs));
    let cell = |cells: Option<&arrow::array::TimestampNanosecondArray>, row: usize| {
        cells.filter(|cells| cells.is_valid(row)).map(|cells| cells.value(row))
    };
    let span = |(row, &received): (usize, &i64)| Span::new(cell(starts, row), cell(ends, row), received);
    split::received(batch).iter().enumerate().map(span).collect()
}

/// Of which rows the sampling rate is unknown or assumed; none where that is none of them.
fn assumed(batch: &RecordBatch) -> Option<Vec<bool>> {
    let rates = batch.column_by_name(Column::SamplingRate.name());
    let rates = rates.and_then(|rates| rates.as_primitive_opt::<UInt64Type>());
    let mut assumed: Vec<bool> = match rates {
        Some(rates) => (0..batch.num_rows()).map(|row| rates.is_null(row)).collect(),
        None => vec![true; batch.num_rows()],
    };
    if let Some(sources) = batch.column_by_name(Column::SamplingSource.name()) {
        let words = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let sources = cast(sources, &words).ok()?;
        let sources = sources.as_dictionary_opt::<Int32Type>()?;
        let word = sources.values().as_string::<i32>();
        let is_assumed: Vec<bool> = word.iter().map(|word| word == Some(SamplingSource::Assumed.word())).collect();
        if is_assumed.contains(&true) {
            for (row, key) in sources.keys().iter().enumerate() {
                assumed[row] |= key.is_some_and(|key| is_assumed[key as usize]);
            }
        }
    }
    assumed.contains(&true).then_some(assumed)
}
