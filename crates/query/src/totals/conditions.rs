//! What rows an aggregate is over: a time of receiving, and conditions on columns that totals have.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Expr, col};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use finderscope_flow::{Column, Table};

use crate::part::TimeRange;
use crate::scan::condition_range;
use crate::schema::read_schema;

/// Conditions that were understood.
#[derive(Debug)]
pub(super) struct Conditions {
    /// When rows must have been received.
    pub(super) received: TimeRange,
    /// What else they must satisfy.
    pub(super) others: Vec<Expr>,
    /// The columns of these.
    pub(super) columns: BTreeSet<Column>,
    /// Whether one was about the sampler, and is put to the exporter: right only where these are the same.
    pub(super) by_sampler: bool,
}

impl Conditions {
    /// Of expressions over stored columns. None where one of them needs more than totals tell.
    pub(super) fn of(conditions: Vec<Expr>, state: &SessionState) -> Result<Option<Self>> {
        let mut of = Self { received: TimeRange::ALL, others: Vec::new(), columns: BTreeSet::new(), by_sampler: false };
        let schema = Arc::new(DFSchema::try_from(read_schema(Table::Flows))?);
        let context = SimplifyContext::builder()
            .with_schema(Arc::clone(&schema))
            .with_config_options(Arc::clone(state.config_options()))
            .with_query_execution_start_time(state.execution_props().query_execution_start_time)
            .build();
        let simplifier = ExprSimplifier::new(context);
        for condition in conditions {
            if is_beyond(&condition)? {
                return Ok(None);
            }
            let condition = simplifier.simplify(simplifier.coerce(condition, &schema)?)?;
            for condition in split_conjunction_owned(condition) {
                let condition = of_exporter(condition, &mut of.by_sampler)?;
                if !of.add(condition) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(of))
    }

    fn add(&mut self, condition: Expr) -> bool {
        if matches!(condition, Expr::Literal(ScalarValue::Boolean(Some(true)), _)) {
            return true;
        }
        let columns: Option<Vec<Column>> =
            condition.column_refs().into_iter().map(|column| Column::by_name(&column.name)).collect();
        let Some(columns) = columns.filter(|columns| !columns.is_empty()) else { return false };
        if columns == [Column::TimeReceivedNs] {
            // What such a comparison leaves is told by the range exactly.
            let range = condition_range(&condition);
            self.received = self.received.and(range);
            return range != TimeRange::ALL;
        }
        self.columns.extend(columns);
        self.others.push(condition);
        true
    }
}

/// The condition with the exporter for the sampler.
fn of_exporter(condition: Expr, by_sampler: &mut bool) -> Result<Expr> {
    condition
        .transform_up(|expr| match expr {
            Expr::Column(column) if column.name == Column::SamplerAddress.name() => {
                *by_sampler = true;
                Ok(Transformed::yes(col(Column::ExporterAddress.name())))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
}

/// Whether it asks for more than the row at hand.
fn is_beyond(condition: &Expr) -> Result<bool> {
    let subquery = condition.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        ))
    })?;
    Ok(subquery || condition.is_volatile())
}
