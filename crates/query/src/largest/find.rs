//! Finds sorts whose first rows can be had in passes.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::projection_pushdown::ProjectionPushdown;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::Settings;
use super::exec::{LargestExec, Task};
use super::recipe::{By, Ranked, Recipe};
use super::upper::{Upper, lowest};
use crate::functions::NOTED;
use crate::source::Guarded;
use crate::tally::TALLIED;
use crate::watch::Watch;

/// More rows than so many are not "the largest".
const COUNT_MAX: usize = 10_000;

/// Takes the largest groups in passes.
#[derive(Debug)]
pub(crate) struct LargestGroups(pub(crate) Settings);

impl PhysicalOptimizerRule for LargestGroups {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|plan| match plan.downcast_ref::<SortExec>() {
            Some(sort) => Ok(match task(sort, self.0, config)? {
                Some(task) => Transformed::yes(Arc::new(LargestExec::new(task)) as _),
                None => Transformed::no(plan),
            }),
            None => Ok(Transformed::no(plan)),
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "largest_groups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn task(sort: &SortExec, settings: Settings, config: &ConfigOptions) -> Result<Option<Task>> {
    let Some(upper) = upper(sort)? else { return Ok(None) };
    let Some(partial) = lowest(&upper.plan) else { return Ok(None) };
    let Some(recipe) = recipe(&upper, partial)? else { return Ok(None) };
    let first = partial.input();
    let (mut watches, mut rows) = (Vec::new(), 0);
    if !is_the_same_twice(first)? || !leaves(first, &mut watches, &mut rows)? || rows <= settings.few_groups {
        return Ok(None);
    }
    let Some(again) = again(partial, &recipe, config)? else { return Ok(None) };
    for (watch, _) in &watches {
        watch.reading("where groups are many, the rows are read again for the largest alone".to_owned());
    }
    Ok(Some(Task {
        first: Arc::clone(first),
        recipe: Arc::new(recipe),
        again: again.rows,
        recipe_again: Arc::new(again.recipe),
        group_again: again.group,
        upper,
        settings,
        watches,
        metrics: ExecutionPlanMetricsSet::new(),
    }))
}

/// The plan between the sort and the rows' first table of groups, where it is known to change nothing that matters here.
fn upper(sort: &SortExec) -> Result<Option<Upper>> {
    let Some(count) = sort.fetch().filter(|count| (1..=COUNT_MAX).contains(count)) else { return Ok(None) };
    let Some(plan) = above_states(sort.input())? else { return Ok(None) };
    Ok(Some(Upper { plan, order: sort.expr().clone(), count }))
}

/// The plan with a first and a last aggregate, also where one is enough for the planner.
fn above_states(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        if projection.expr().iter().any(|of| is_volatile(&of.expr)) {
            return Ok(None);
        }
        let Some(input) = above_states(projection.input())? else { return Ok(None) };
        return Ok(Some(Arc::new(ProjectionExec::try_new(projection.expr().to_vec(), input)?)));
    }
    let Some(aggregate) = plan.downcast_ref::<AggregateExec>().filter(|of| is_plain(of)) else { return Ok(None) };
    match aggregate.mode() {
        AggregateMode::Final | AggregateMode::FinalPartitioned => {
            let mut below = aggregate.input();
            while below.is::<RepartitionExec>() || below.is::<CoalescePartitionsExec>() {
                let Some(child) = below.children().pop() else { return Ok(None) };
                below = child;
            }
            let of_rows = |of: &&AggregateExec| *of.mode() == AggregateMode::Partial && is_plain(of);
            Ok(below.downcast_ref::<AggregateExec>().filter(of_rows).map(|_| Arc::clone(plan)))
        }
        AggregateMode::Single if aggregate.input().output_partitioning().partition_count() == 1 => {
            let of = |mode, group: PhysicalGroupBy, input: Arc<dyn ExecutionPlan>| {
                let (measures, filters) = (aggregate.aggr_expr().to_vec(), aggregate.filter_expr().to_vec());
                AggregateExec::try_new(mode, group, measures, filters, input, aggregate.input_schema())
            };
            let group = aggregate.group_expr();
            let partial = of(AggregateMode::Partial, group.clone(), Arc::clone(aggregate.input()))?;
            Ok(Some(Arc::new(of(AggregateMode::Final, group.as_final(), Arc::new(partial))?)))
        }
        _ => Ok(None),
    }
}

/// Whether all groups are made, of all rows, by keys.
fn is_plain(aggregate: &AggregateExec) -> bool {
    let group = aggregate.group_expr();
    let of_all = aggregate.filter_expr().iter().all(Option::is_none) && aggregate.limit_options().is_none();
    of_all && group.is_single() && !group.is_empty() && !group.has_grouping_set()
}

/// How rows become groups, where a bound of these can be had.
fn recipe(upper: &Upper, partial: &AggregateExec) -> Result<Option<Recipe>> {
    let is_whole = |measure: &Arc<AggregateFunctionExpr>| {
        measure.groups_accumulator_supported() && !measure.is_distinct() && measure.order_bys().is_empty()
    };
    let (group, measures) = (partial.group_expr(), partial.aggr_expr().to_vec());
    if !measures.iter().all(is_whole) {
        return Ok(None);
    }
    let keys: Vec<_> = group.input_exprs();
    let Some(measure) = ranked(upper, keys.len()) else { return Ok(None) };
    let input = partial.input().schema();
    let by = match measures.get(measure) {
        Some(of) if of.fun().name() == "count" => By::Count,
        Some(of) if of.fun().name() == "sum" && of.field().data_type() == &DataType::UInt64 => {
            match of.expressions().as_slice() {
                [value] if value.data_type(&input)? == DataType::UInt64 => By::Sum,
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    let mut state = keys.len();
    for before in &measures[..measure] {
        state += before.state_fields()?.len();
    }
    let nulls_first = upper.order.first().options.nulls_first;
    let rank = Ranked { measure, state, by, nulls_first };
    let key_schema = group.group_schema(&input)?;
    Ok(Some(Recipe { keys, key_schema, measures, states: partial.schema(), rank }))
}

/// The measure that the largest come first by.
fn ranked(upper: &Upper, keys: usize) -> Option<usize> {
    let first = upper.order.first();
    let mut column = first.expr.downcast_ref::<Column>().filter(|_| first.options.descending)?.index();
    let mut plan = &upper.plan;
    while let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        column = projection.expr().get(column)?.expr.downcast_ref::<Column>()?.index();
        plan = projection.input();
    }
    column.checked_sub(keys)
}

/// Whether the rows are the same when they are read again.
fn is_the_same_twice(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut is_the_same = true;
    plan.apply(|plan| {
        let is_known = plan.is::<DataSourceExec>()
            || plan.is::<FilterExec>()
            || plan.is::<ProjectionExec>()
            || plan.is::<RepartitionExec>()
            || plan.is::<CoalescePartitionsExec>()
            || plan.is::<CooperativeExec>()
            || plan.is::<UnionExec>();
        let mut chance = false;
        if is_known {
            plan.apply_expressions(&mut |expression| {
                chance |= is_volatile(expression);
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        is_the_same = is_known && !chance && plan.fetch().is_none();
        Ok(if is_the_same { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(is_the_same)
}

/// Adds the leaves' rows up, and who wants to know how many are read. Whether their number is known.
fn leaves(plan: &Arc<dyn ExecutionPlan>, watches: &mut Vec<(Arc<Watch>, u64)>, rows: &mut usize) -> Result<bool> {
    let Some(source) = plan.downcast_ref::<DataSourceExec>() else {
        for child in plan.children() {
            if !leaves(child, watches, rows)? {
                return Ok(false);
            }
        }
        return Ok(true);
    };
    let Some(&count) = source.data_source().partition_statistics(None)?.num_rows.get_value() else { return Ok(false) };
    *rows = rows.saturating_add(count);
    let config = source.data_source().downcast_ref::<FileScanConfig>();
    let guarded = config.and_then(|config| config.file_source().downcast_ref::<Guarded>());
    if let Some(watch) = guarded.and_then(Guarded::watch_of_rows) {
        watches.push((Arc::clone(watch), count as u64));
    }
    Ok(true)
}

/// Rows as they are read again.
struct Again {
    rows: Arc<dyn ExecutionPlan>,
    recipe: Recipe,
    group: PhysicalGroupBy,
}

/// The rows with no columns but those that groups are made of, and how groups are made of these. None where a key or measure
/// is not the same twice.
fn again(partial: &AggregateExec, recipe: &Recipe, config: &ConfigOptions) -> Result<Option<Again>> {
    let arguments: Vec<Vec<_>> = recipe
        .measures
        .iter()
        .map(|measure| measure.expressions().into_iter().map(without_watching).collect::<Result<_>>())
        .collect::<Result<_>>()?;
    let all = || recipe.keys.iter().chain(arguments.iter().flatten());
    if all().any(is_volatile) {
        return Ok(None);
    }
    let mut used: Vec<usize> = all().flat_map(collect_columns).map(|column| column.index()).collect();
    used.sort_unstable();
    used.dedup();
    let schema = partial.input().schema();
    let columns = used.iter().map(|&index| {
        let name = schema.field(index).name();
        ProjectionExpr::new(Arc::new(Column::new(name, index)), name.clone())
    });
    let rows = ProjectionExec::try_new(columns.collect::<Vec<_>>(), Arc::clone(partial.input()))?;
    let rows = ProjectionPushdown::new().optimize(Arc::new(rows), config)?;
    let moved = |expr: &Arc<dyn PhysicalExpr>| moved(Arc::clone(expr), &used);
    let keys = recipe.keys.iter().map(moved).collect::<Result<Vec<_>>>()?;
    let mut measures = Vec::new();
    for (measure, arguments) in recipe.measures.iter().zip(&arguments) {
        let arguments = arguments.iter().map(moved).collect::<Result<Vec<_>>>()?;
        let Some(measure) = measure.with_new_expressions(arguments, Vec::new()) else { return Ok(None) };
        measures.push(Arc::new(measure));
    }
    let names = partial.group_expr().expr().iter().map(|(_, name)| name.clone());
    let group = PhysicalGroupBy::new_single(keys.iter().cloned().zip(names).collect());
    Ok(Some(Again { rows, recipe: Recipe { keys, measures, ..recipe.clone() }, group }))
}

/// The value itself, where it only passes through a function that watches it.
fn without_watching(value: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
    let value = value.transform_up(|value| {
        let watched = value.downcast_ref::<ScalarFunctionExpr>().filter(|of| [NOTED, TALLIED].contains(&of.name()));
        match watched.and_then(|of| of.args().first()) {
            Some(value) => Ok(Transformed::yes(Arc::clone(value))),
            None => Ok(Transformed::no(value)),
        }
    })?;
    Ok(value.data)
}

/// The same over rows that have the columns `kept` alone.
fn moved(value: Arc<dyn PhysicalExpr>, kept: &[usize]) -> Result<Arc<dyn PhysicalExpr>> {
    let value = value.transform_up(|value| {
        let place = value.downcast_ref::<Column>().map(|column| (column, kept.binary_search(&column.index())));
        Ok(match place {
            Some((column, Ok(place))) => Transformed::yes(Arc::new(Column::new(column.name(), place)) as _),
            _ => Transformed::no(value),
        })
    })?;
    Ok(value.data)
}
