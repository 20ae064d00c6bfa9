//! Aggregates over flows become aggregates over totals, and over the rows that these leave.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::execution::SessionState;
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, TableScan, cast, col, lit};
use datafusion::prelude::coalesce;
use finderscope_flow::Column;
use finderscope_store::totals::{Dimension, Level, columns};

use super::conditions::Conditions;
use super::cover::{self, Cover};
use super::shape::{Function, Group, Shape};
use super::table::TotalsTable;
use crate::Bin;
use crate::scan::PartsTable;
use crate::shelf::Shelf;
use crate::spread::SpreadTable;
use crate::watch::Watch;
use crate::window::time;

/// The plan, whose aggregates over flows are answered from totals where these say the same.
pub(crate) fn rewrite(
    plan: LogicalPlan,
    shelf: &Arc<Shelf>,
    watch: &Arc<Watch>,
    state: &SessionState,
) -> Result<LogicalPlan> {
    if shelf.totals().is_empty() {
        return Ok(plan);
    }
    let rewritten = plan.transform_up_with_subqueries(|plan| {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        match answered(aggregate, shelf, watch, state)? {
            Some(plan) => Ok(Transformed::yes(plan)),
            None => Ok(Transformed::no(plan)),
        }
    })?;
    Ok(rewritten.data)
}

fn answered(
    aggregate: &Aggregate,
    shelf: &Arc<Shelf>,
    watch: &Arc<Watch>,
    state: &SessionState,
) -> Result<Option<LogicalPlan>> {
    let Some(mut shape) = Shape::of(aggregate)? else { return Ok(None) };
    let Some(conditions) = Conditions::of(std::mem::take(&mut shape.conditions), state)? else { return Ok(None) };
    let Some((level, dimension)) = at(&shape, &conditions) else { return Ok(None) };
    let Some(cover) = Cover::choose(shelf, level, dimension, &conditions) else { return Ok(None) };
    watch.reading(cover.describe());
    let totals = from_totals(&shape, conditions.others, &cover, watch)?;
    let whole = match cover.leaves_parts {
        true => from_rows(aggregate, &shape, &cover.parts)?.union(totals)?,
        false => LogicalPlanBuilder::from(totals),
    };
    together(aggregate, &shape, whole).map(Some)
}

/// Which totals say what is asked.
fn at(shape: &Shape, conditions: &Conditions) -> Option<(Level, Dimension)> {
    let grouped: Vec<Column> = shape
        .groups
        .iter()
        .filter_map(|group| if let Group::Column(column) = group { Some(*column) } else { None })
        .collect();
    let dimension = cover::dimension(grouped.iter().chain(&conditions.columns))?;
    let of_all = shape.measures.iter().any(|measure| measure.of_all);
    match shape.bin {
        None => (!of_all || dimension == Dimension::All).then_some((Level::Part, dimension)),
        Some(bin) => {
            let level = cover::level(bin.ns())?;
            (!of_all && dimension.levels().contains(&level)).then_some((level, dimension))
        }
    }
}

/// The groups' columns and then the measures', out of totals.
fn from_totals(shape: &Shape, others: Vec<Expr>, cover: &Cover, watch: &Arc<Watch>) -> Result<LogicalPlan> {
    let table = TotalsTable::new(cover.files.clone(), Arc::clone(watch));
    let which =
        col(columns::LEVEL).eq(lit(cover.level.name())).and(col(columns::DIMENSION).eq(lit(cover.dimension.name())));
    let groups = shape.groups.iter().enumerate().map(|(at, group)| {
        let value = match (group, shape.bin) {
            (Group::Column(column), _) => col(column.name()),
            (Group::Time, Some(bin)) if cover.level.ns() != Some(bin.ns()) => begin(bin),
            (Group::Time, _) => col(columns::TIME),
        };
        value.alias(group_name(at))
    });
    let measures =
        shape.measures.iter().enumerate().map(|(at, measure)| measure.totals.clone().alias(measure_name(at)));
    let rows = LogicalPlanBuilder::scan("totals", provider_as_source(Arc::new(table)), None)?;
    let rows = others.into_iter().try_fold(rows.filter(which)?, |rows, condition| rows.filter(condition))?;
    rows.project(groups.chain(measures).collect::<Vec<_>>())?.build()
}

/// When the bin begins that holds a bin of totals.
fn begin(bin: Bin) -> Expr {
    let width = ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, bin.ns())));
    date_bin(lit(width), col(columns::TIME), time(0))
}

/// The same out of the rows of all other parts.
fn from_rows(aggregate: &Aggregate, shape: &Shape, without: &Arc<HashSet<PathBuf>>) -> Result<LogicalPlanBuilder> {
    let groups = aggregate.group_expr.iter().enumerate();
    let groups = groups.map(|(at, group)| group.clone().unalias().alias(group_name(at)));
    let measures = shape.measures.iter().enumerate().map(|(at, measure)| {
        let value = match &measure.of {
            Function::Count => lit(1_u64),
            Function::Of(function) => function.params.args[0].clone(),
        };
        value.alias(measure_name(at))
    });
    let rows = leave_out(LogicalPlan::clone(&aggregate.input), without)?;
    LogicalPlanBuilder::from(rows).project(groups.chain(measures).collect::<Vec<_>>())
}

/// The plan without the rows of some parts.
fn leave_out(plan: LogicalPlan, parts: &Arc<HashSet<PathBuf>>) -> Result<LogicalPlan> {
    let plan = plan.transform_up(|plan| {
        let LogicalPlan::TableScan(scan) = &plan else { return Ok(Transformed::no(plan)) };
        let provider = source_as_provider(&scan.source)?;
        let source = if let Some(table) = provider.downcast_ref::<PartsTable>() {
            provider_as_source(Arc::new(table.without(Arc::clone(parts))))
        } else if let Some(shares) = provider.downcast_ref::<SpreadTable>() {
            provider_as_source(Arc::new(shares.with_rows(leave_out(shares.rows().clone(), parts)?)))
        } else {
            return Ok(Transformed::no(plan));
        };
        Ok(Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan.clone() })))
    })?;
    Ok(plan.data)
}

/// The aggregate over both, with the names and types of the one that was asked for.
fn together(aggregate: &Aggregate, shape: &Shape, rows: LogicalPlanBuilder) -> Result<LogicalPlan> {
    let groups: Vec<Expr> = (0..shape.groups.len()).map(|at| col(group_name(at))).collect();
    let measures = shape.measures.iter().enumerate().map(|(at, measure)| {
        let value = col(measure_name(at));
        match &measure.of {
            Function::Count => sum(value).alias(measure_name(at)),
            Function::Of(function) => {
                let mut function = function.clone();
                function.params.args = vec![value];
                Expr::AggregateFunction(function).alias(measure_name(at))
            }
        }
    });
    let whole = rows.aggregate(groups.clone(), measures.collect::<Vec<_>>())?;
    let measures = shape.measures.iter().enumerate().map(|(at, measure)| match measure.of {
        // A count of nothing is zero, a sum of nothing null.
        Function::Count => coalesce(vec![cast(col(measure_name(at)), arrow::datatypes::DataType::Int64), lit(0_i64)]),
        Function::Of(_) => col(measure_name(at)),
    });
    let named = aggregate
        .schema
        .iter()
        .zip(groups.into_iter().chain(measures))
        .map(|((table, field), value)| value.alias_qualified(table.cloned(), field.name()));
    whole.project(named.collect::<Vec<_>>())?.build()
}

fn group_name(at: usize) -> String {
    format!("g{at}")
}

fn measure_name(at: usize) -> String {
    format!("m{at}")
}
