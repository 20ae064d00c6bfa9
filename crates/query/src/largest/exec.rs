//! The operator: a sort's first rows, in passes.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::TryStreamExt;

use super::recipe::Recipe;
use super::upper::Upper;
use super::{Settings, passes};
use crate::watch::Watch;

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// The rows, as the first pass reads them.
    pub(super) first: Arc<dyn ExecutionPlan>,
    pub(super) recipe: Arc<Recipe>,
    /// The rows as they are read again: only what groups are made of, and without what adds up on the way.
    pub(super) again: Arc<dyn ExecutionPlan>,
    pub(super) recipe_again: Arc<Recipe>,
    pub(super) group_again: PhysicalGroupBy,
    pub(super) upper: Upper,
    pub(super) settings: Settings,
    /// Who wants to know how many rows are read.
    pub(super) watches: Vec<(Arc<Watch>, u64)>,
    /// How many passes were begun.
    pub(super) metrics: ExecutionPlanMetricsSet,
}

impl Task {
    /// Says that the rows are read.
    pub(super) fn tell(&self) {
        MetricBuilder::new(&self.metrics).global_counter("passes").add(1);
    }

    /// Says that the rows are read once more.
    pub(super) fn tell_again(&self) {
        self.tell();
        self.watches.iter().for_each(|(watch, rows)| watch.expect(0, *rows));
    }

    /// The states of all groups.
    pub(super) fn all_groups(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let measures = self.recipe_again.measures.clone();
        let (filters, rows) = (vec![None; measures.len()], Arc::clone(&self.again));
        let schema = rows.schema();
        let group = self.group_again.clone();
        Ok(Arc::new(AggregateExec::try_new(AggregateMode::Partial, group, measures, filters, rows, schema)?))
    }
}

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(super) struct LargestExec {
    task: Task,
    properties: Arc<PlanProperties>,
}

impl LargestExec {
    pub(super) fn new(task: Task) -> Self {
        let schema = task.upper.plan.schema();
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, [task.upper.order.clone()]),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { task, properties: Arc::new(properties) }
    }
}

impl DisplayAs for LargestExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Task { upper, recipe, .. } = &self.task;
        let keys: Vec<String> = recipe.keys.iter().map(ToString::to_string).collect();
        let measures: Vec<&str> = recipe.measures.iter().map(|measure| measure.name()).collect();
        let (keys, measures) = (keys.join(", "), measures.join(", "));
        write!(
            f,
            "LargestExec: fetch={}, order=[{}], gby=[{keys}], aggr=[{measures}], passes=[all rows, if groups are many \
             again those that may be of the largest]",
            upper.count, upper.order
        )
    }
}

impl ExecutionPlan for LargestExec {
    fn name(&self) -> &str {
        "LargestExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.task.first, &self.task.again]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false, false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([first, again]) = <[_; 2]>::try_from(children) else {
            return internal_err!("LargestExec has two inputs");
        };
        Ok(Arc::new(Self::new(Task { first, again, ..self.task.clone() })))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.task.metrics.clone_inner())
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = futures::stream::once(passes::answer(self.task.clone(), context)).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
