//! What an aggregate over flows asks for, in terms of stored columns.
//!
//! Between an aggregate and the scan of the flows' parts stand projections, filters, names of tables, and for a series
//! the table of shares. Going down, each expression's columns are replaced with what they stand for there, until all
//! are columns that are stored.

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column as PlanColumn, Result, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, ScalarFunction};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, col, lit};
use datafusion::prelude::coalesce;
use finderscope_flow::{Column, Table};
use finderscope_store::totals::columns;

use crate::functions::{NOTED, scaled};
use crate::scan::PartsTable;
use crate::spread::SpreadTable;
use crate::{Bin, summary};

/// What an aggregate asks for.
#[derive(Debug)]
pub(super) struct Shape {
    /// The width of the bins, where flows are spread over time.
    pub(super) bin: Option<Bin>,
    pub(super) groups: Vec<Group>,
    pub(super) measures: Vec<Measure>,
    /// What rows must satisfy, over stored columns.
    pub(super) conditions: Vec<Expr>,
}

/// What rows are grouped by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Group {
    /// The bin's begin.
    Time,
    Column(Column),
}

/// What is added up, or chosen.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    pub(super) of: Function,
    /// Out of totals.
    pub(super) totals: Expr,
    /// Whether only totals by exporter over everything have it.
    pub(super) of_all: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Function {
    /// The number of rows.
    Count,
    /// This function of a row's value.
    Of(AggregateFunction),
}

/// The tables between an aggregate and the flows' parts.
struct Descent {
    exprs: Vec<Expr>,
    conditions: Vec<Expr>,
    bin: Option<Bin>,
}

impl Shape {
    /// Of an aggregate; none where it asks for something that totals do not have.
    pub(super) fn of(aggregate: &Aggregate) -> Result<Option<Self>> {
        let functions: Option<Vec<Function>> = aggregate.aggr_expr.iter().map(function).collect();
        let Some(functions) = functions else { return Ok(None) };
        let groups = aggregate.group_expr.iter().map(|group| group.clone().unalias());
        let values = functions.iter().map(|function| match function {
            Function::Count => lit(1_u64),
            Function::Of(function) => function.params.args[0].clone(),
        });
        let mut descent = Descent { exprs: groups.chain(values).collect(), conditions: Vec::new(), bin: None };
        if !descent.through(&aggregate.input)? {
            return Ok(None);
        }
        let mut exprs = descent.exprs.into_iter();
        let groups: Option<Vec<Group>> =
            exprs.by_ref().take(aggregate.group_expr.len()).map(|expr| group(&expr)).collect();
        let measures = exprs.zip(functions).map(|(value, function)| measure(function, value)).collect::<Result<_>>()?;
        let measures: Option<Vec<Measure>> = measures;
        let Some((groups, measures)) = groups.zip(measures) else { return Ok(None) };
        Ok(Some(Self { bin: descent.bin, groups, measures, conditions: descent.conditions }))
    }
}

/// A sum, a least or a greatest value, or a count of all rows.
fn function(expr: &Expr) -> Option<Function> {
    let Expr::AggregateFunction(function) = expr.clone().unalias() else { return None };
    let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = &function.params;
    if *distinct || filter.is_some() || !order_by.is_empty() || null_treatment.is_some() {
        return None;
    }
    match (function.func.name(), args.as_slice()) {
        ("count", [Expr::Literal(value, _)]) if !value.is_null() => Some(Function::Count),
        ("sum" | "min" | "max", [_]) => Some(Function::Of(function)),
        _ => None,
    }
}

impl Descent {
    /// Goes down to the flows' parts; false where something else is in the way.
    fn through(&mut self, mut plan: &LogicalPlan) -> Result<bool> {
        loop {
            plan = match plan {
                LogicalPlan::Projection(projection) => {
                    self.replace(|column| {
                        let index = projection.schema.maybe_index_of_column(column)?;
                        Some(projection.expr[index].clone().unalias())
                    })?;
                    &projection.input
                }
                LogicalPlan::Filter(filter) => {
                    self.conditions.push(filter.predicate.clone());
                    &filter.input
                }
                LogicalPlan::SubqueryAlias(alias) => {
                    self.replace(|column| {
                        let index = alias.schema.maybe_index_of_column(column)?;
                        Some(Expr::Column(alias.input.schema().qualified_field(index).into()))
                    })?;
                    &alias.input
                }
                LogicalPlan::TableScan(scan) if scan.filters.is_empty() && scan.fetch.is_none() => {
                    self.replace(|column| {
                        let index = scan.projected_schema.maybe_index_of_column(column)?;
                        Some(col(PlanColumn::new_unqualified(scan.projected_schema.field(index).name())))
                    })?;
                    let provider = source_as_provider(&scan.source)?;
                    if let Some(shares) = provider.downcast_ref::<SpreadTable>() {
                        return self.through_shares(shares);
                    }
                    return Ok(provider
                        .downcast_ref::<PartsTable>()
                        .is_some_and(|parts| parts.table() == Table::Flows));
                }
                _ => return Ok(false),
            }
        }
    }

    /// Goes on below the table of shares: of its columns the key is one of the rows', the others are its own.
    fn through_shares(&mut self, shares: &SpreadTable) -> Result<bool> {
        if self.bin.is_some() || !self.conditions.is_empty() {
            return Ok(false);
        }
        let key = |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == SpreadTable::key());
        let places: Vec<bool> = self.exprs.iter().map(key).collect();
        let rows = shares.rows();
        let own: Vec<Expr> = self.exprs.clone();
        for (expr, is_key) in self.exprs.iter_mut().zip(&places) {
            *expr = match (is_key, rows.schema().fields().len()) {
                (true, 5) => Expr::Column(rows.schema().qualified_field(4).into()),
                (true, _) => return Ok(false),
                // Stands in until the rest has come to the bottom.
                (false, _) => lit(true),
            };
        }
        self.bin = Some(shares.bin());
        let is_bottom = self.through(rows)?;
        for ((expr, is_key), own) in self.exprs.iter_mut().zip(places).zip(own) {
            if !is_key {
                *expr = own;
            }
        }
        Ok(is_bottom)
    }

    fn replace(&mut self, with: impl Fn(&PlanColumn) -> Option<Expr>) -> Result<()> {
        for expr in self.exprs.iter_mut().chain(&mut self.conditions) {
            let replaced = std::mem::replace(expr, lit(true)).transform_up(|expr| match &expr {
                Expr::Column(column) => Ok(match with(column) {
                    Some(stands_for) => Transformed::yes(stands_for),
                    None => Transformed::no(expr),
                }),
                _ => Ok(Transformed::no(expr)),
            });
            *expr = replaced.data()?;
        }
        Ok(())
    }
}

fn group(expr: &Expr) -> Option<Group> {
    let Expr::Column(column) = expr else { return None };
    match column.name.as_str() {
        "time" => Some(Group::Time),
        name => Column::by_name(name).map(Group::Column),
    }
}

fn measure(of: Function, value: Expr) -> Result<Option<Measure>> {
    let Function::Of(function) = &of else {
        return Ok(Some(Measure { of, totals: col(columns::FLOWS), of_all: false }));
    };
    let plain = |name: &str| col(PlanColumn::new_unqualified(name));
    let times = |name: &str| scaled(plain(name), plain("sampling_rate"));
    let found = match function.func.name() {
        "min" if value == plain("time_received_ns") => Some((plain(columns::FIRST), true)),
        "max" if value == plain("time_received_ns") => Some((plain(columns::LAST), true)),
        "sum" if value == times("bytes") || value == plain(columns::BYTES_SCALED) => {
            Some((coalesce(vec![plain(columns::BYTES_SCALED), plain("bytes")]), false))
        }
        "sum" if value == times("packets") || value == plain(columns::PACKETS_SCALED) => {
            Some((coalesce(vec![plain(columns::PACKETS_SCALED), plain("packets")]), false))
        }
        "sum" if value == plain("bytes") || value == plain("packets") || value == plain(columns::FLOWS) => {
            Some((value.clone(), false))
        }
        "sum" if value == summary::sampled()? => Some((plain(columns::FLOWS_SAMPLED), false)),
        "sum" if value == summary::assumed(times("bytes"))? => Some((plain(columns::BYTES_ASSUMED), true)),
        "sum" => noted(&value).map(|noted| (noted, false)),
        _ => None,
    };
    Ok(found.map(|(totals, of_all)| Measure { of, totals, of_all }))
}

/// A volume of which it is noted whether it was sampled: so were those totals that have sampled flows.
fn noted(value: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = value else { return None };
    let [Expr::Column(volume), _] = args.as_slice() else { return None };
    let is_volume = func.name() == NOTED && ["bytes", "packets"].contains(&volume.name.as_str());
    let rate = col(columns::FLOWS_SAMPLED) + lit(ScalarValue::UInt64(Some(1)));
    is_volume.then(|| func.call(vec![Expr::Column(volume.clone()), rate]))
}
