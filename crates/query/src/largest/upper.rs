//! What the planner does with groups above their first table: it joins the threads' groups, computes, and sorts.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef, UInt64Type};
use datafusion::common::Result;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

/// Rows of a batch that states are handed on in.
const BATCH_ROWS: usize = 8_192;

/// The plan from the table of groups upwards, to the sort.
#[derive(Clone, Debug)]
pub(super) struct Upper {
    /// The sort's input; its lowest aggregate is where states come in.
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) order: LexOrdering,
    /// How many rows are wanted.
    pub(super) count: usize,
}

impl Upper {
    /// The same over other states.
    pub(super) fn over(&self, states: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.sorted(replaced(&self.plan, states)?))
    }

    fn sorted(&self, rows: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let partitions = rows.output_partitioning().partition_count();
        let sort = SortExec::new(self.order.clone(), rows).with_preserve_partitioning(true);
        let sort = Arc::new(sort.with_fetch(Some(self.count)));
        if partitions == 1 {
            return sort;
        }
        Arc::new(SortPreservingMergeExec::new(self.order.clone(), sort).with_fetch(Some(self.count)))
    }

    /// The largest of all groups, whose states are given by thread.
    pub(super) fn of_all(
        &self,
        states: &[RecordBatch],
        schema: SchemaRef,
        context: &Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut threads: Vec<Vec<RecordBatch>> = states.iter().map(in_batches).collect();
        if is_directly_above(&self.plan) {
            threads = vec![threads.into_iter().flatten().collect()];
        }
        let states = MemorySourceConfig::try_new_exec(&threads, schema, None)? as Arc<dyn ExecutionPlan>;
        self.over(&states)?.execute(0, Arc::clone(context))
    }

    /// The best of rows that were each some groups' best.
    pub(super) async fn best(&self, of: Vec<RecordBatch>, context: &Arc<TaskContext>) -> Result<Vec<RecordBatch>> {
        let rows = MemorySourceConfig::try_new_exec(&[of], self.plan.schema(), None)?;
        collect(self.sorted(rows).execute(0, Arc::clone(context))?).await
    }

    /// What a group must have at least to come among these; nothing as long as they are fewer than wanted.
    pub(super) fn least(&self, best: &[RecordBatch]) -> Result<u64> {
        let mut before = self.count.saturating_sub(1);
        for batch in best {
            if before < batch.num_rows() {
                return self.rank(batch, before);
            }
            before -= batch.num_rows();
        }
        Ok(0)
    }

    fn rank(&self, batch: &RecordBatch, row: usize) -> Result<u64> {
        let first = self.order.first();
        let ranks = first.expr.evaluate(batch)?.into_array(batch.num_rows())?;
        if ranks.is_null(row) {
            return Ok(if first.options.nulls_first { u64::MAX } else { 0 });
        }
        let count =
            || ranks.as_primitive_opt::<Int64Type>().map_or(0, |counts| counts.value(row).max(0).unsigned_abs());
        Ok(ranks.as_primitive_opt::<UInt64Type>().map_or_else(count, |sums| sums.value(row)))
    }
}

fn in_batches(states: &RecordBatch) -> Vec<RecordBatch> {
    let starts = (0..states.num_rows()).step_by(BATCH_ROWS);
    starts.map(|start| states.slice(start, BATCH_ROWS.min(states.num_rows() - start))).collect()
}

/// The lowest aggregate of a plan with one branch.
pub(super) fn lowest(plan: &Arc<dyn ExecutionPlan>) -> Option<&AggregateExec> {
    let of_rows = |aggregate: &&AggregateExec| *aggregate.mode() == AggregateMode::Partial;
    match plan.downcast_ref::<AggregateExec>().filter(of_rows) {
        Some(aggregate) => Some(aggregate),
        None => plan.children().first().and_then(|child| lowest(child)),
    }
}

fn replaced(plan: &Arc<dyn ExecutionPlan>, states: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.downcast_ref::<AggregateExec>().is_some_and(|of| *of.mode() == AggregateMode::Partial) {
        return Ok(Arc::clone(states));
    }
    let children = plan.children().into_iter().map(|child| replaced(child, states)).collect::<Result<_>>()?;
    datafusion::physical_plan::execution_plan::replace_children_if_necessary(Arc::clone(plan), children)
}

/// Whether groups are joined where they are, without being dealt out to threads or brought together.
fn is_directly_above(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.children().first().is_some_and(|child| match child.downcast_ref::<AggregateExec>() {
        Some(of) if *of.mode() == AggregateMode::Partial => plan.is::<AggregateExec>(),
        _ => is_directly_above(child),
    })
}
