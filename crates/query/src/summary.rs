//! What all rows of a question add up to: the line below a table of flows.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampNanosecondType, UInt64Type};
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit, when};

use crate::{Warning, Window};

/// Totals of a question's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Rows.
    pub flows: u64,
    /// Bytes, times the sampling rate.
    pub bytes_scaled: u64,
    /// Packets, times the sampling rate.
    pub packets_scaled: u64,
    /// Bytes as the exporters said.
    pub bytes: u64,
    /// Packets as the exporters said.
    pub packets: u64,
    /// Rows with a sampling rate beyond 1.
    pub flows_sampled: u64,
    /// Of `bytes_scaled`, those whose sampling rate is unknown and was taken as 1, or was assumed.
    pub bytes_assumed: u64,
    /// Exporters that the rows are from.
    pub exporters: u64,
    /// The earliest receive time; none without rows.
    pub first_ns: Option<i64>,
    /// The latest receive time.
    pub last_ns: Option<i64>,
    /// The span that rates are averaged over: the window, where a side is open from the first or to the last row.
    pub span_ns: u64,
}

impl Summary {
    /// Bits a second over the span.
    pub fn bits_per_second(&self) -> f64 {
        self.per_second(self.bytes_scaled) * 8.0
    }

    /// Packets a second over the span.
    pub fn packets_per_second(&self) -> f64 {
        self.per_second(self.packets_scaled)
    }

    /// Flows a second over the span.
    pub fn flows_per_second(&self) -> f64 {
        self.per_second(self.flows)
    }

    /// Bytes a packet.
    pub fn bytes_per_packet(&self) -> f64 {
        if self.packets_scaled == 0 { 0.0 } else { self.bytes_scaled as f64 / self.packets_scaled as f64 }
    }

    /// Which part of the scaled bytes rests on an assumed sampling rate, from 0 to 1.
    pub fn assumed_share(&self) -> f64 {
        if self.bytes_scaled == 0 { 0.0 } else { self.bytes_assumed as f64 / self.bytes_scaled as f64 }
    }

    /// What must be said about rows of several exporters.
    pub fn warning(&self) -> Option<Warning> {
        (self.exporters > 1).then_some(Warning::NotDeduplicated { exporters: self.exporters })
    }

    fn per_second(&self, count: u64) -> f64 {
        if self.span_ns == 0 { 0.0 } else { count as f64 * 1e9 / self.span_ns as f64 }
    }

    /// Adds rows of [`plan`], one an exporter.
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        for row in 0..batch.num_rows() {
            let number = |name: &str| number(batch, name, row);
            *self = self.and(&Self {
                flows: number("flows"),
                bytes_scaled: number("bytes_scaled"),
                packets_scaled: number("packets_scaled"),
                bytes: number("bytes"),
                packets: number("packets"),
                flows_sampled: number("flows_sampled"),
                bytes_assumed: number("bytes_assumed"),
                exporters: 1,
                first_ns: time(batch, "first", row),
                last_ns: time(batch, "last", row),
                span_ns: 0,
            });
        }
    }

    /// This and what other exporters' rows add up to.
    pub(crate) fn and(&self, others: &Self) -> Self {
        self.joined(others, u64::saturating_add, self.exporters + others.exporters)
    }

    /// Adds more rows of the same exporters. Sums wrap, as the planner's do.
    pub(crate) fn extend(&mut self, more: &Self) {
        *self = self.joined(more, u64::wrapping_add, self.exporters);
    }

    fn joined(&self, other: &Self, add: impl Fn(u64, u64) -> u64, exporters: u64) -> Self {
        Self {
            flows: add(self.flows, other.flows),
            bytes_scaled: add(self.bytes_scaled, other.bytes_scaled),
            packets_scaled: add(self.packets_scaled, other.packets_scaled),
            bytes: add(self.bytes, other.bytes),
            packets: add(self.packets, other.packets),
            flows_sampled: add(self.flows_sampled, other.flows_sampled),
            bytes_assumed: add(self.bytes_assumed, other.bytes_assumed),
            exporters,
            first_ns: [self.first_ns, other.first_ns].into_iter().flatten().min(),
            last_ns: [self.last_ns, other.last_ns].into_iter().flatten().max(),
            span_ns: 0,
        }
    }

    /// Fixes the span, once all rows were added.
    pub(crate) fn over(mut self, window: &Window) -> Self {
        let since = window.since_ns.or(self.first_ns);
        let until = window.until_ns.or(self.last_ns);
        self.span_ns = since.zip(until).map_or(0, |(since, until)| until.saturating_sub(since).max(0).unsigned_abs());
        self
    }
}

/// Totals of the rows by exporter.
pub(crate) fn plan(rows: LogicalPlan) -> datafusion::error::Result<LogicalPlan> {
    let measures: Vec<Expr> = vec![
        count(lit(1)).alias("flows"),
        sum(col("bytes_scaled")).alias("bytes_scaled"),
        sum(col("packets_scaled")).alias("packets_scaled"),
        sum(col("bytes")).alias("bytes"),
        sum(col("packets")).alias("packets"),
        sum(sampled()?).alias("flows_sampled"),
        sum(assumed(col("bytes_scaled"))?).alias("bytes_assumed"),
        min(col("time_received_ns")).alias("first"),
        max(col("time_received_ns")).alias("last"),
    ];
    LogicalPlanBuilder::from(Arc::new(rows)).aggregate([col("exporter_address")], measures)?.build()
}

/// One where the row is sampled.
pub(crate) fn sampled() -> datafusion::error::Result<Expr> {
    when(col("sampling_rate").gt(lit(1_u64)), lit(1_u64)).end()
}

/// These bytes where the row's sampling rate is not known, or assumed.
pub(crate) fn assumed(bytes: Expr) -> datafusion::error::Result<Expr> {
    let unknown = col("sampling_rate").is_null().or(col("sampling_source").eq(lit("assumed")));
    when(unknown, bytes).end()
}

fn number(batch: &RecordBatch, name: &str, row: usize) -> u64 {
    let Some(column) = batch.column_by_name(name).filter(|column| column.is_valid(row)) else { return 0 };
    match column.as_primitive_opt::<UInt64Type>() {
        Some(numbers) => numbers.value(row),
        None => column.as_primitive_opt::<Int64Type>().map_or(0, |numbers| numbers.value(row).max(0).unsigned_abs()),
    }
}

fn time(batch: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let column = batch.column_by_name(name).filter(|column| column.is_valid(row))?;
    Some(column.as_primitive_opt::<TimestampNanosecondType>()?.value(row))
}
