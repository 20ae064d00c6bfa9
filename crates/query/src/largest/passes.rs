//! The passes over the rows.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;

use super::band::{Band, Range, Rank};
use super::buckets::Bounds;
use super::exec::Task;
use super::groups::{self, Groups};
use super::reading::{Budget, Held, Reader, Sums, fold, read_first};
use super::recipe::Recipe;

/// Of all buckets, the part that the second pass looks at: one in so many.
const LOOKED_AT: u64 = 256;
/// For each group that is wanted it looks at so many buckets at least.
const BUCKETS_PER_WANTED: u64 = 64;

/// Answers the task.
pub(super) async fn answer(task: Task, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
    let work = Work::new(task, context);
    match work.first_pass().await? {
        First::Few(groups) => work.of_few(groups),
        First::Many(bounds, _held) => work.later_passes(Arc::new(bounds)).await,
    }
}

struct Work {
    task: Task,
    context: Arc<TaskContext>,
    budget: Budget,
}

/// What the first pass found.
enum First {
    /// All groups.
    Few(Vec<Held>),
    /// Bounds, and their memory.
    Many(Bounds, MemoryReservation),
}

impl Work {
    fn new(task: Task, context: Arc<TaskContext>) -> Self {
        let threads = task.first.output_partitioning().partition_count().max(1);
        let limit = match context.memory_pool().memory_limit() {
            MemoryLimit::Finite(bytes) => bytes,
            MemoryLimit::Infinite | MemoryLimit::Unknown => usize::MAX,
        };
        let groups = task.settings.group_bytes.unwrap_or(limit / 4) / threads;
        Self { budget: Budget { groups, buckets: limit / 5 }, task, context }
    }

    fn consumer(&self, of: &str) -> MemoryReservation {
        MemoryConsumer::new(format!("largest groups: {of}")).register(self.context.memory_pool())
    }

    fn held(&self, recipe: &Arc<Recipe>) -> Result<Held> {
        Ok(Held { groups: Groups::new(recipe)?, memory: self.consumer("groups") })
    }

    async fn first_pass(&self) -> Result<First> {
        self.task.tell();
        let plan = reset_plan_states(Arc::clone(&self.task.first))?;
        let sums = Arc::new(Sums::new(self.consumer("sums"), self.task.settings, self.budget));
        let threads = threads(&plan, |partition| {
            let rows = plan.execute(partition, Arc::clone(&self.context))?;
            Ok(read_first(rows, self.held(&self.task.recipe)?, Arc::clone(&self.task.recipe), Arc::clone(&sums)))
        })?;
        let groups: Vec<Held> = finished(threads).await?.into_iter().flatten().collect();
        let Ok(sums) = Arc::try_unwrap(sums) else {
            return Err(DataFusionError::Internal("a thread of the first pass did not end".to_owned()));
        };
        let Some((buckets, memory)) = sums.into_buckets() else { return Ok(First::Few(groups)) };
        for held in groups {
            fold(held, &self.task.recipe, &buckets)?;
        }
        Ok(First::Many(buckets.bounds(), memory))
    }

    fn of_few(&self, groups: Vec<Held>) -> Result<SendableRecordBatchStream> {
        let (groups, memory): (Vec<Groups>, Vec<MemoryReservation>) =
            groups.into_iter().map(|held| (held.groups, held.memory)).unzip();
        let states = groups.into_iter().map(Groups::states).collect::<Result<Vec<_>>>()?;
        let rows = self.task.upper.of_all(&states, Arc::clone(&self.task.recipe.states), &self.context)?;
        let schema = rows.schema();
        let rows = rows.inspect(move |_| {
            // The states are there as long as somebody reads.
            let _ = &memory;
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    async fn later_passes(&self, bounds: Arc<Bounds>) -> Result<SendableRecordBatchStream> {
        let wanted = self.task.upper.count as u64 * BUCKETS_PER_WANTED;
        let buckets = bounds.iter().count() as u64;
        let mut from: Rank = (bounds.reached_by(wanted.max(buckets / LOOKED_AT)), 0);
        let (mut before, mut best) = (None, Vec::new());
        loop {
            let mut pass = self.pass(&bounds, Band::new(&bounds, from, before)).await?;
            best.append(&mut pass.best);
            best = self.task.upper.best(best, &self.context).await?;
            let least = self.task.upper.least(&best)?;
            if pass.from.0 < least || pass.from == (least, 0) {
                let schema = self.task.upper.plan.schema();
                let best = futures::stream::iter(best.into_iter().map(Ok));
                return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, best)));
            }
            let passes = self.passes_left(&bounds, before, &pass, (least, 0));
            if passes > self.task.settings.passes_max && self.context.runtime_env().disk_manager.tmp_files_enabled() {
                return self.all_groups();
            }
            (from, before) = ((least, 0), Some(pass.from));
        }
    }

    /// About how many passes more it takes to look at all groups from `least` on, by what the last one looked at.
    fn passes_left(&self, bounds: &Bounds, before: Option<Rank>, last: &Pass, least: Rank) -> u64 {
        let looked_at = bounds.count_from(last.from) - before.map_or(0.0, |before| bounds.count_from(before));
        let left = bounds.count_from(least) - bounds.count_from(last.from);
        (last.bytes as f64 * left / looked_at.max(1.0) / (self.budget.groups as f64).max(1.0)) as u64
    }

    /// All groups, by the planner's own operators, which spill.
    fn all_groups(&self) -> Result<SendableRecordBatchStream> {
        self.task.tell_again();
        let plan = reset_plan_states(self.task.upper.over(&self.task.all_groups()?)?)?;
        plan.execute(0, Arc::clone(&self.context))
    }

    async fn pass(&self, bounds: &Arc<Bounds>, band: Band) -> Result<Pass> {
        self.task.tell_again();
        let plan = reset_plan_states(Arc::clone(&self.task.again))?;
        let range = Arc::new(Range::new(band));
        let recipe = &self.task.recipe_again;
        let threads = threads(&plan, |partition| {
            let rows = plan.execute(partition, Arc::clone(&self.context))?;
            let reader = Reader {
                held: self.held(recipe)?,
                recipe: Arc::clone(recipe),
                bounds: Arc::clone(bounds),
                range: Arc::clone(&range),
                budget: self.budget,
            };
            Ok(reader.read(rows))
        })?;
        let groups = finished(threads).await?;
        let band = range.band();
        let bytes = groups.iter().map(|held| held.memory.size()).max().unwrap_or(0);
        let (mut states, mut memory) = (Vec::new(), Vec::new());
        for held in groups {
            states.push(groups::within(&held.groups.states()?, recipe, &band, bounds)?.0);
            memory.push(held.memory);
        }
        let best = self.task.upper.of_all(&states, Arc::clone(&self.task.recipe.states), &self.context)?;
        Ok(Pass { from: band.from, best: collect(best).await?, bytes })
    }
}

/// What a later pass found.
struct Pass {
    /// All groups from here on were looked at.
    from: Rank,
    best: Vec<RecordBatch>,
    /// Bytes that a thread's groups took at last.
    bytes: usize,
}

/// One thread for each partition.
fn threads<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
    plan: &Arc<dyn ExecutionPlan>,
    mut read: impl FnMut(usize) -> Result<F>,
) -> Result<Vec<SpawnedTask<Result<T>>>> {
    (0..plan.output_partitioning().partition_count())
        .map(|partition| Ok(SpawnedTask::spawn(read(partition)?)))
        .collect()
}

async fn finished<T: Send + 'static>(threads: Vec<SpawnedTask<Result<T>>>) -> Result<Vec<T>> {
    let mut results = Vec::with_capacity(threads.len());
    for thread in threads {
        let result = thread.join_unwind().await;
        results.push(result.map_err(|error| DataFusionError::External(Box::new(error)))??);
    }
    Ok(results)
}
