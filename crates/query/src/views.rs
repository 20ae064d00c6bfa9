//! The tables as questions see them: what is stored, and what is computed from it.
//!
//! Tables with volumes get `bytes_scaled` and `packets_scaled` (times the sampling rate, times 1 where it is unknown),
//! and `bytes_l3` filled in where it is the same as `bytes`.

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col};
use datafusion::prelude::coalesce;
use finderscope_flow::{Column, Table};

use crate::filter::Filter;
use crate::functions::scaled;
use crate::names::{Known, UserColumn};
use crate::uses::Uses;
use crate::window::Window;

/// Columns that are computed, not stored, with what they mean.
pub const COMPUTED: [(&str, &str); 2] = [
    ("bytes_scaled", "Bytes times the sampling rate, times 1 where that is unknown"),
    ("packets_scaled", "Packets times the sampling rate, times 1 where that is unknown"),
];

/// The rows of `scan` in the window, with the computed columns; of tables that describe traffic, those that pass `filter`.
/// What the question uses stands behind the stored columns.
pub(crate) fn view(
    table: Table,
    scan: LogicalPlan,
    window: &Window,
    filter: Option<&Filter>,
    uses: &Uses,
    known: &Known,
) -> Result<LogicalPlan> {
    let has_volumes = Column::Bytes.is_in(table);
    let rows = LogicalPlanBuilder::from(scan);
    let rows = match window.condition(Column::TimeFlowStartNs.is_in(table)) {
        Some(condition) => rows.filter(condition)?,
        None => rows,
    };
    if !has_volumes {
        return rows.build();
    }
    let stored = table.columns().iter().flat_map(|&column| columns(column));
    let names = uses.names.iter().map(|name| name.expr(known));
    let rows = rows.project(stored.chain(names).chain(uses.user.iter().map(UserColumn::expr)))?;
    match filter.and_then(Filter::condition) {
        Some(condition) => rows.filter(condition)?.build(),
        None => rows.build(),
    }
}

/// A stored column, and the computed one that stands beside it.
fn columns(column: Column) -> Vec<Expr> {
    match column {
        Column::Bytes => vec![col("bytes"), scaled(col("bytes"), col("sampling_rate")).alias("bytes_scaled")],
        Column::Packets => vec![col("packets"), scaled(col("packets"), col("sampling_rate")).alias("packets_scaled")],
        Column::BytesL3 => vec![coalesce(vec![col("bytes_l3"), col("bytes")]).alias("bytes_l3")],
        other => vec![col(other.name())],
    }
}
