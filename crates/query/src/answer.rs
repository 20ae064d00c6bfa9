//! What a question gets: batches as they come, and beside them progress and warnings.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::schema::{KIND, answer_type, to_type};
use crate::sql::{PlainSums, UNSCALED};
use crate::watch::Watch;
use crate::{Error, Options, Progress, Warning, lineage};

/// What holds a question back.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    options: Options,
    deadline: Option<Instant>,
}

impl Limits {
    pub(crate) fn starting_now(options: &Options) -> Self {
        let deadline = options.time_limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { options: options.clone(), deadline }
    }

    async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        match self.deadline {
            Some(deadline) => timeout_at(deadline, work).await.map_err(|_| self.out_of_time()),
            None => Ok(work.await),
        }
    }

    fn out_of_time(&self) -> Error {
        Error::Time { limit: self.options.time_limit.unwrap_or(Duration::ZERO) }
    }
}

/// An answer that is being worked out. Dropping it cancels the work.
///
/// Addresses are binary, words and text are strings, and each field's metadata says under `kind` where its cells are
/// addresses or MAC addresses.
pub struct Answer {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    watch: Arc<Watch>,
    sums: PlainSums,
    limits: Limits,
}

impl Answer {
    pub(crate) async fn start(
        state: &SessionState,
        plan: LogicalPlan,
        watch: Arc<Watch>,
        sums: PlainSums,
        limits: Limits,
    ) -> Result<Self, DataFusionError> {
        let kinds = lineage::kinds(&plan);
        let physical = state.create_physical_plan(&plan).await?;
        let schema = answer_schema(&physical.schema(), &kinds);
        let stream = execute_stream(physical, state.task_ctx())?;
        Ok(Self { schema, stream, watch, sums, limits })
    }

    /// The answer's columns.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows; none when the answer is complete.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Error>> {
        let batch = match self.limits.within(self.stream.next()).await {
            Ok(batch) => batch?,
            Err(error) => return Some(Err(error)),
        };
        let batch = batch.and_then(|batch| Ok(plain(&batch, &self.schema)?));
        Some(batch.map_err(|error| Error::from_engine(error, &self.limits.options)))
    }

    /// All rows that are still to come.
    pub async fn collect(&mut self) -> Result<Vec<RecordBatch>, Error> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.watch.progress()
    }

    /// What must be said about it. Complete once the last row has come.
    pub fn warnings(&self) -> Vec<Warning> {
        let sampled = |place: usize| self.sums.sampled[place].load(Ordering::Relaxed);
        let unscaled = UNSCALED.into_iter().enumerate().filter(|(place, _)| sampled(*place));
        let unscaled = unscaled.map(|(_, (column, scaled))| Warning::Unscaled { column, scaled });
        self.watch.warnings().into_iter().chain(unscaled).collect()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("schema", &self.schema).field("watch", &self.watch).finish_non_exhaustive()
    }
}

fn answer_schema(schema: &Schema, kinds: &[Option<String>]) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let kind = kinds.get(index).cloned().flatten();
            let metadata = kind.into_iter().map(|kind| (KIND.to_owned(), kind)).collect();
            Field::new(field.name(), answer_type(field.data_type()), field.is_nullable()).with_metadata(metadata)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn plain(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, arrow::error::ArrowError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| to_type(column, field.data_type()))
        .collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
