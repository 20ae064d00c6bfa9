//! What kind of cells an answer's columns hold.
//!
//! A field says in its metadata that its numbers are MAC addresses. The planner carries that through projections and
//! groups, but not through `min` and `max`, whose values are of the kind of their argument.

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};

use crate::functions::OWNED;
use crate::schema::KIND;

/// Aggregates that answer with one of their argument's values.
const CHOOSING: [&str; 5] = ["min", "max", "first_value", "last_value", "nth_value"];

/// The kind of each of the plan's columns, where it is known.
pub(crate) fn kinds(plan: &LogicalPlan) -> Vec<Option<String>> {
    (0..plan.schema().fields().len()).map(|index| kind(plan, index)).collect()
}

fn kind(plan: &LogicalPlan, index: usize) -> Option<String> {
    let field = plan.schema().field(index);
    match field.data_type() {
        DataType::Binary | DataType::BinaryView => return Some("address".to_owned()),
        DataType::UInt64 => {}
        _ => return None,
    }
    match plan {
        LogicalPlan::Projection(projection) => expr_kind(projection.expr.get(index)?, &projection.input),
        LogicalPlan::Aggregate(aggregate) => aggregate_kind(aggregate, index),
        LogicalPlan::Filter(filter) => kind(&filter.input, index),
        LogicalPlan::Sort(sort) => kind(&sort.input, index),
        LogicalPlan::Limit(limit) => kind(&limit.input, index),
        LogicalPlan::SubqueryAlias(alias) => kind(&alias.input, index),
        _ => field.metadata().get(KIND).cloned(),
    }
}

fn expr_kind(expr: &Expr, input: &LogicalPlan) -> Option<String> {
    match expr {
        Expr::Alias(alias) => expr_kind(&alias.expr, input),
        Expr::Column(column) => column_kind(column, input),
        Expr::ScalarFunction(function) if function.name() == OWNED => expr_kind(function.args.first()?, input),
        Expr::AggregateFunction(function) if CHOOSING.contains(&function.func.name()) => {
            expr_kind(function.params.args.first()?, input)
        }
        _ => None,
    }
}

fn column_kind(column: &Column, input: &LogicalPlan) -> Option<String> {
    kind(input, input.schema().maybe_index_of_column(column)?)
}

fn aggregate_kind(aggregate: &Aggregate, index: usize) -> Option<String> {
    let grouped = aggregate.group_expr_len().ok()?;
    match index.checked_sub(grouped) {
        Some(index) => expr_kind(aggregate.aggr_expr.get(index)?, &aggregate.input),
        None => aggregate.schema.field(index).metadata().get(KIND).cloned(),
    }
}
