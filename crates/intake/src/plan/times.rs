//! When a flow was: from whatever time elements its record has.
//!
//! Absolute times (150 to 157) come before deltas against the export time (158, 159), these before uptimes (21, 22).
//! Uptimes need the header's uptime (v9), or the boot time from the record or from options data (element 160); without
//! any of them the youngest flow of a set is assumed to have ended at its export. A record with only a start and a
//! duration has an end; one with a single observation time is a moment. What cannot be (before 2000, long before or
//! after its export, an end before its start) becomes the receive time, and is counted.

use finderscope_flow::{Builder, Column, TimeSource};
use finderscope_wire::{ipfix, netflow};

use super::key::Direction;
use super::slot::Slot;
use crate::cells::{Field, Records};
use crate::context::Context;

const NS_PER_MS: i64 = 1_000_000;
/// Ends and starts that were rounded differently may cross by this.
const CROSSED_MAX_NS: i64 = 1_000_000_000;
/// A flow that ended longer before its export than this has a time that was never set.
const PAST_MAX_NS: i64 = 366 * 86_400 * 1_000_000_000;
/// 2000-01-01: a flow that claims to be older has a time that was never set.
const SINCE_NS: i64 = 946_684_800 * 1_000_000_000;
/// How far ahead of its export a flow may claim to be.
const AHEAD_MAX_NS: i64 = 86_400 * 1_000_000_000;
/// Stands for a time that a record does not have.
const NONE: i64 = i64::MIN;

/// Which fields say when.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(super) start: Option<TimeField>,
    pub(super) end: Option<TimeField>,
    /// How long, where the end is not said.
    duration: Option<(Field, i64)>,
    /// When the exporter booted, for uptimes.
    boot: Option<Field>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TimeField {
    field: Field,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unit {
    Seconds,
    Millis,
    NtpMicros,
    NtpNanos,
    DeltaMicros,
    Uptime,
}

/// Elements in the order of preference.
const STARTS: [(u16, Unit); 6] = [
    (156, Unit::NtpNanos),
    (154, Unit::NtpMicros),
    (152, Unit::Millis),
    (150, Unit::Seconds),
    (158, Unit::DeltaMicros),
    (22, Unit::Uptime),
];
const ENDS: [(u16, Unit); 6] = [
    (157, Unit::NtpNanos),
    (155, Unit::NtpMicros),
    (153, Unit::Millis),
    (151, Unit::Seconds),
    (159, Unit::DeltaMicros),
    (21, Unit::Uptime),
];
const MOMENTS: [(u16, Unit); 4] =
    [(325, Unit::NtpNanos), (324, Unit::NtpMicros), (323, Unit::Millis), (322, Unit::Seconds)];
const DURATIONS: [(u16, i64); 2] = [(161, NS_PER_MS), (162, 1_000)];
const BOOT: u16 = 160;

/// Whether an element is read here.
pub(super) fn is_time(element: u16) -> bool {
    let listed = STARTS.iter().chain(&ENDS).chain(&MOMENTS).any(|&(number, _)| number == element);
    listed || element == BOOT || DURATIONS.iter().any(|&(number, _)| number == element)
}

/// The times among the fields of one direction.
pub(super) fn of(slots: &[Slot], direction: Direction) -> Times {
    let find = |element| slots.iter().find(|slot| slot.element() == Some((element, direction))).map(|slot| slot.field);
    let first = |elements: &[(u16, Unit)]| {
        elements.iter().find_map(|&(element, unit)| Some(TimeField { field: find(element)?, unit }))
    };
    let (mut start, mut end) = (first(&STARTS), first(&ENDS));
    let duration = DURATIONS.into_iter().find_map(|(element, unit)| Some((find(element)?, unit)));
    let duration = duration.filter(|_| start.is_some() != end.is_some());
    if duration.is_none() && end.is_none() {
        // A single observation: the end, or both.
        end = first(&MOMENTS);
        start = start.or(end);
    }
    let uptimes = [start, end].into_iter().flatten().any(|time| time.unit == Unit::Uptime);
    let boot = if uptimes { find(BOOT) } else { None };
    Times { start, end, duration, boot }
}

/// What a set's times are told by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) received_ns: i64,
    pub(crate) export_ns: i64,
    pub(crate) uptime_ms: Option<u32>,
    pub(crate) boot_ns: Option<i64>,
    /// What has to be added to the exporter's clock.
    pub(crate) shift_ns: i64,
}

impl Frame {
    pub(crate) fn new(context: &Context, boot_ns: Option<i64>, shift_ns: i64) -> Self {
        let received_ns = context.received_ns;
        let export_ns = context.export_ns.unwrap_or(received_ns);
        Self { received_ns, export_ns, uptime_ms: context.uptime_ms, boot_ns, shift_ns }
    }

    const fn knows_uptime(&self) -> bool {
        self.uptime_ms.is_some() || self.boot_ns.is_some()
    }
}

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub(crate) struct TimeBuffers {
    starts: Vec<i64>,
    ends: Vec<i64>,
    assumed: Vec<usize>,
    firsts: Vec<u32>,
    lasts: Vec<u32>,
}

impl TimeBuffers {
    /// Empty buffers for the uptimes of each record's first and last packet.
    pub(crate) fn uptimes(&mut self) -> (&mut Vec<u32>, &mut Vec<u32>) {
        self.firsts.clear();
        self.lasts.clear();
        (&mut self.firsts, &mut self.lasts)
    }
}

impl Times {
    /// Whether a field is used for a time, and so for nothing else. Times that lost to better ones are not kept.
    pub(super) fn uses(&self, field: Field) -> bool {
        let times = [self.start, self.end].into_iter().flatten().map(|time| time.field);
        times.chain(self.boot).chain(self.duration.map(|(field, _)| field)).any(|used| used == field)
    }

    /// Writes the three columns of time. Says how many records had times that cannot be.
    pub(crate) fn write(
        &self,
        records: &Records<'_>,
        frame: &Frame,
        builder: &mut Builder,
        buffers: &mut TimeBuffers,
    ) -> u64 {
        let rows = records.len();
        if self.start.is_none() && self.end.is_none() {
            write_run(builder, frame.received_ns, TimeSource::Assumed, rows);
            return 0;
        }
        let source = if frame.shift_ns == 0 { TimeSource::Uptime } else { TimeSource::Corrected };
        if frame.uptime_ms.is_some() && self.reads_uptimes(records, buffers) {
            return write_uptimes(frame, source, builder, buffers);
        }
        let of_uptimes = [self.start, self.end].into_iter().flatten().any(|time| time.unit == Unit::Uptime);
        let nobody_knows_uptime = of_uptimes && !frame.knows_uptime() && self.boot.is_none();
        let frame = if nobody_knows_uptime { &self.ending_at_export(records, frame) } else { frame };
        if nobody_knows_uptime && self.reads_uptimes(records, buffers) {
            write_uptimes(frame, TimeSource::Assumed, builder, buffers);
            return rows as u64;
        }
        self.read(records, frame, buffers);
        settle(frame, buffers);
        let said = match (nobody_knows_uptime, frame.shift_ns, of_uptimes) {
            (true, ..) => TimeSource::Assumed,
            (_, 0, true) => TimeSource::Uptime,
            (_, 0, false) => TimeSource::Absolute,
            _ => TimeSource::Corrected,
        };
        let impossible = write_columns(builder, said, buffers);
        if nobody_knows_uptime { rows as u64 } else { impossible }
    }

    /// Reads uptimes, where that is all that the records have, and each of four bytes.
    fn reads_uptimes(&self, records: &Records<'_>, buffers: &mut TimeBuffers) -> bool {
        let (Some(start), Some(end)) = (self.start, self.end) else { return false };
        if start.unit != Unit::Uptime || end.unit != Unit::Uptime {
            return false;
        }
        let (Some(starts), Some(ends)) = (records.arrays(start.field), records.arrays(end.field)) else { return false };
        let (firsts, lasts) = buffers.uptimes();
        firsts.extend(starts.map(u32::from_be_bytes));
        lasts.extend(ends.map(u32::from_be_bytes));
        true
    }

    /// Where nobody says what the uptime is now, the youngest flow of the set ended when it was exported: durations
    /// and the distances between flows stay true.
    fn ending_at_export(&self, records: &Records<'_>, frame: &Frame) -> Frame {
        let fields = [self.end, self.start].into_iter().flatten().filter(|time| time.unit == Unit::Uptime);
        let latest = fields.filter_map(|time| match records.arrays(time.field) {
            Some(cells) => cells.map(u32::from_be_bytes).max(),
            None => {
                let cells = records.cells(time.field).filter_map(ipfix::unsigned);
                cells.filter_map(|at_ms| u32::try_from(at_ms).ok()).max()
            }
        });
        Frame { uptime_ms: latest.max(), ..*frame }
    }

    fn read(&self, records: &Records<'_>, frame: &Frame, buffers: &mut TimeBuffers) {
        let TimeBuffers { starts, ends, .. } = buffers;
        starts.clear();
        ends.clear();
        match (self.start, self.end) {
            (Some(start), Some(end)) => {
                self.read_one(start, records, frame, starts);
                self.read_one(end, records, frame, ends);
            }
            (Some(start), None) => {
                self.read_one(start, records, frame, starts);
                ends.extend_from_slice(starts);
            }
            (None, Some(end)) => {
                self.read_one(end, records, frame, ends);
                starts.extend_from_slice(ends);
            }
            (None, None) => {}
        }
        if let Some((field, unit_ns)) = self.duration {
            let from_start = self.start.is_some();
            for (row, (start, end)) in starts.iter_mut().zip(ends.iter_mut()).enumerate() {
                let units = ipfix::unsigned(records.cell(row, field)).and_then(|units| i64::try_from(units).ok());
                let lasted_ns = units.unwrap_or(0).saturating_mul(unit_ns);
                if *start == NONE {
                    continue;
                }
                if from_start {
                    *end = start.saturating_add(lasted_ns);
                } else {
                    *start = end.saturating_sub(lasted_ns);
                }
            }
        }
    }

    fn read_one(&self, time: TimeField, records: &Records<'_>, frame: &Frame, out: &mut Vec<i64>) {
        match time.unit {
            Unit::Seconds => absolute(time.field, records, out, ipfix::seconds_to_ns),
            Unit::Millis => absolute(time.field, records, out, ipfix::millis_to_ns),
            Unit::NtpMicros => absolute(time.field, records, out, ipfix::ntp_micros_to_ns),
            Unit::NtpNanos => absolute(time.field, records, out, ipfix::ntp_to_ns),
            Unit::DeltaMicros => absolute(time.field, records, out, |micros| {
                let micros = u32::try_from(micros).ok()?;
                Some(ipfix::export_delta_to_ns(frame.export_ns, micros))
            }),
            Unit::Uptime => self.uptimes(time.field, records, frame, out),
        }
    }

    /// Uptimes, in the order of who knows the exporter's uptime: the header, the record, options data.
    fn uptimes(&self, field: Field, records: &Records<'_>, frame: &Frame, out: &mut Vec<i64>) {
        let export_ns = frame.export_ns;
        for row in 0..records.len() {
            let at_ms = ipfix::unsigned(records.cell(row, field)).and_then(|at| u32::try_from(at).ok());
            let boot_ns = self
                .boot
                .and_then(|boot| ipfix::millis_to_ns(ipfix::unsigned(records.cell(row, boot))?))
                .or(frame.boot_ns);
            let since_boot = |boot_ns: i64| (export_ns.saturating_sub(boot_ns) / NS_PER_MS) as u32;
            let uptime_ms = frame.uptime_ms.or_else(|| boot_ns.map(since_boot));
            out.push(at_ms.zip(uptime_ms).map_or(NONE, |(at_ms, uptime_ms)| uptime(export_ns, uptime_ms, at_ms)));
        }
    }
}

/// An uptime of zero is one that was never set: no packet is older than its router.
fn uptime(export_ns: i64, uptime_ms: u32, at_ms: u32) -> i64 {
    if at_ms == 0 { NONE } else { netflow::uptime_to_ns(export_ns, uptime_ms, at_ms) }
}

/// Writes the three columns of time from the uptimes in `buffers` and the header's. Says how many times are assumed.
pub(crate) fn write_uptimes(
    frame: &Frame,
    source: TimeSource,
    builder: &mut Builder,
    buffers: &mut TimeBuffers,
) -> u64 {
    let (export_ns, uptime_ms) = (frame.export_ns, frame.uptime_ms.unwrap_or(0));
    let TimeBuffers { starts, ends, firsts, lasts, .. } = buffers;
    if let Some(zero) = netflow::UptimeZero::new(export_ns, uptime_ms, frame.shift_ns)
        && zero.earliest_ns() >= SINCE_NS
        && zero.are_in_order(firsts, lasts)
    {
        builder.time(Column::TimeFlowStartNs).extend(firsts.iter().map(|&at_ms| zero.ns(at_ms)));
        builder.time(Column::TimeFlowEndNs).extend(lasts.iter().map(|&at_ms| zero.ns(at_ms)));
        builder.word(Column::TimeSource).push_run(source as i32, firsts.len());
        return 0;
    }
    starts.clear();
    ends.clear();
    starts.extend(firsts.iter().map(|&at_ms| uptime(export_ns, uptime_ms, at_ms)));
    ends.extend(lasts.iter().map(|&at_ms| uptime(export_ns, uptime_ms, at_ms)));
    settle(frame, buffers);
    write_columns(builder, source, buffers)
}

fn absolute(field: Field, records: &Records<'_>, out: &mut Vec<i64>, convert: impl Fn(u64) -> Option<i64>) {
    let convert = |value: u64| if value == 0 { NONE } else { convert(value).unwrap_or(NONE) };
    if let Some(cells) = records.arrays::<8>(field) {
        out.extend(cells.map(|cell| convert(u64::from_be_bytes(cell))));
    } else if let Some(cells) = records.arrays::<4>(field) {
        out.extend(cells.map(|cell| convert(u32::from_be_bytes(cell).into())));
    } else {
        out.extend(records.cells(field).map(|cell| ipfix::unsigned(cell).map_or(NONE, convert)));
    }
}

/// Shifts what a wrong clock said, and puts the receive time where a time cannot be.
fn settle(frame: &Frame, buffers: &mut TimeBuffers) {
    let TimeBuffers { starts, ends, assumed, .. } = buffers;
    assumed.clear();
    let reference_ns = frame.export_ns.saturating_add(frame.shift_ns);
    let earliest_end_ns = reference_ns.saturating_sub(PAST_MAX_NS);
    let latest_ns = reference_ns.saturating_add(AHEAD_MAX_NS);
    if frame.shift_ns == 0 {
        // As a rule all times are as they should be: that is asked first, without a branch for each.
        let sound =
            |start: i64, end: i64| (start <= end) & (start >= SINCE_NS) & (end >= earliest_end_ns) & (end <= latest_ns);
        if starts.iter().zip(ends.iter()).fold(true, |all, (&start, &end)| all & sound(start, end)) {
            return;
        }
    }
    for (row, (start, end)) in starts.iter_mut().zip(ends.iter_mut()).enumerate() {
        // One of the two may be missing: the other stands for it.
        if *start == NONE {
            *start = *end;
        } else if *end == NONE {
            *end = *start;
        }
        *start = start.saturating_add(frame.shift_ns);
        *end = end.saturating_add(frame.shift_ns);
        if *end < *start && start.saturating_sub(*end) <= CROSSED_MAX_NS {
            *end = *start;
        }
        // What is between the bounds of both is between those of each.
        let sound = (*start <= *end) & (*start >= SINCE_NS) & (*end >= earliest_end_ns) & (*end <= latest_ns);
        if !sound {
            (*start, *end) = (frame.received_ns, frame.received_ns);
            assumed.push(row);
        }
    }
}

/// Writes what [`settle`] left. Says how many times are assumed.
fn write_columns(builder: &mut Builder, source: TimeSource, buffers: &TimeBuffers) -> u64 {
    let TimeBuffers { starts, ends, assumed, .. } = buffers;
    let rows = builder.rows();
    builder.time(Column::TimeFlowStartNs).extend_from_slice(starts);
    builder.time(Column::TimeFlowEndNs).extend_from_slice(ends);
    let sources = builder.word(Column::TimeSource);
    sources.push_run(source as i32, starts.len());
    if !assumed.is_empty() {
        let sources = sources.tail_mut(rows);
        for &row in assumed {
            sources[row] = TimeSource::Assumed as i32;
        }
    }
    assumed.len() as u64
}

/// The same moment for all rows.
pub(crate) fn write_run(builder: &mut Builder, at_ns: i64, source: TimeSource, rows: usize) {
    builder.time(Column::TimeFlowStartNs).push_run(at_ns, rows);
    builder.time(Column::TimeFlowEndNs).push_run(at_ns, rows);
    builder.word(Column::TimeSource).push_run(source as i32, rows);
}
