//! What a question gets: batches as they come, and beside them progress and warnings.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::schema::{KIND, answer_type, to_type};
use crate::shelf::Shelf;
use crate::sql::{PlainSums, UNSCALED};
use crate::tally::{self, Tally};
use crate::watch::Watch;
use crate::{Error, Meter, Options, Progress, Summary, Warning, lineage, totals};

/// How often a question begins anew because parts were taken away before it could say anything.
const RESTARTS_MAX: u32 = 3;

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

    pub(crate) const fn uses_totals(&self) -> bool {
        self.options.totals
    }

    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        match self.deadline {
            Some(deadline) => timeout_at(deadline, work).await.map_err(|_| self.out_of_time()),
            None => Ok(work.await),
        }
    }

    fn out_of_time(&self) -> Error {
        Error::Time { limit: self.options.time_limit.unwrap_or(Duration::ZERO) }
    }
}

/// What is being worked out: a plan, over parts, under limits.
pub(crate) struct Work {
    pub(crate) state: SessionState,
    pub(crate) plan: LogicalPlan,
    pub(crate) shelf: Option<Arc<Shelf>>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) sums: PlainSums,
    /// Whether the summary of the rows is wanted too.
    pub(crate) summed: bool,
    /// What must be said beside what the parts say.
    pub(crate) warnings: Vec<Warning>,
    pub(crate) limits: Limits,
}

impl Work {
    /// Begins, and says where the summary is added up if it is. Each beginning adds up its own.
    async fn begin(&self) -> Result<(SendableRecordBatchStream, Option<Arc<Tally>>), Error> {
        let begun = self.limits.within(async {
            let (plan, tally) = match &self.shelf {
                _ if self.summed => tally::watch(self.plan.clone()).map(|(plan, tally)| (plan, Some(tally)))?,
                Some(shelf) if self.limits.uses_totals() => {
                    (totals::rewrite(self.plan.clone(), shelf, &self.watch, &self.state)?, None)
                }
                _ => (self.plan.clone(), None),
            };
            let physical = self.state.create_physical_plan(&plan).await?;
            Ok((execute_stream(physical, self.state.task_ctx())?, tally))
        });
        begun.await?.map_err(|error| self.error(error))
    }

    fn error(&self, error: DataFusionError) -> Error {
        Error::from_engine(error, &self.limits.options)
    }
}

/// An answer that is being worked out. Dropping it cancels the work.
///
/// Addresses are binary, words and text are strings (unless [`Answer::into_views`] was called), and each field's metadata says under `kind` where its cells are
/// addresses or MAC addresses.
pub struct Answer {
    work: Work,
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    tally: Option<Arc<Tally>>,
    /// None once rows were handed out: then it is too late to begin anew.
    restarts: Option<u32>,
    /// What comes first.
    preface: Option<RecordBatch>,
}

impl Answer {
    pub(crate) async fn start(work: Work) -> Result<Self, Error> {
        let (stream, tally) = work.begin().await?;
        let schema = answer_schema(&stream.schema(), &lineage::kinds(&work.plan));
        let is_explanation = matches!(work.plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_));
        let preface = if is_explanation { preface(&schema, &work.watch.readings()) } else { None };
        Ok(Self { work, schema, stream, tally, restarts: Some(0), preface })
    }

    /// The same answer with addresses and text as Arrow's views, which is how they are read. That spares a copy of each
    /// where rows are only written.
    #[must_use]
    pub fn into_views(mut self) -> Self {
        if self.restarts.is_some() && self.preface.is_none() {
            let read = self.stream.schema();
            let as_read =
                |(plain, read): (&FieldRef, &FieldRef)| Field::clone(plain).with_data_type(read.data_type().clone());
            let fields: Vec<Field> = self.schema.fields().iter().zip(read.fields()).map(as_read).collect();
            self.schema = Arc::new(Schema::new(fields));
        }
        self
    }

    /// The answer's columns.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows; none when the answer is complete.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Error>> {
        if let Some(preface) = self.preface.take() {
            return Some(Ok(preface));
        }
        let batch = loop {
            let batch = match self.work.limits.within(self.stream.next()).await {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            match self.restart_if_parts_are_gone().await {
                Ok(true) => {}
                Ok(false) => break batch?,
                Err(error) => return Some(Err(error)),
            }
        };
        self.restarts = None;
        let batch = batch.and_then(|batch| Ok(plain(&batch, &self.schema)?));
        Some(batch.map_err(|error| self.work.error(error)))
    }

    /// Merging or retention took parts away: what is there now is asked, where nothing was said yet.
    async fn restart_if_parts_are_gone(&mut self) -> Result<bool, Error> {
        let Some((shelf, restarts)) = self.work.shelf.as_ref().zip(self.restarts.as_mut()) else { return Ok(false) };
        if !self.work.watch.must_begin_anew() || *restarts == RESTARTS_MAX {
            return Ok(false);
        }
        *restarts += 1;
        let mut damaged = self.work.watch.reset();
        if *restarts == RESTARTS_MAX {
            // Who knows how many more.
            damaged.extend(shelf.totals().iter().map(|totals| totals.path.clone()));
        }
        shelf.refresh(damaged)?;
        (self.stream, self.tally) = self.work.begin().await?;
        Ok(true)
    }

    /// All rows that are still to come.
    pub async fn collect(&mut self) -> Result<Vec<RecordBatch>, Error> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    /// What all rows that were read add up to, where that was wanted. Complete once the last row has come.
    pub(crate) fn summary(&self) -> Option<Summary> {
        self.tally.as_ref().map(|tally| tally.summary())
    }

    /// What is read for it, in plain words.
    pub fn reading(&self) -> Vec<String> {
        self.work.watch.readings()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.work.watch.progress()
    }

    /// How far it is, for a bar that is drawn while the answer is waited for.
    pub fn meter(&self) -> Meter {
        Meter::new(Arc::clone(&self.work.watch))
    }

    /// What must be said about it. Complete once the last row has come.
    pub fn warnings(&self) -> Vec<Warning> {
        let sampled = |place: usize| self.work.sums.sampled[place].load(Ordering::Relaxed);
        let unscaled = UNSCALED.into_iter().enumerate().filter(|(place, _)| sampled(*place));
        let unscaled = unscaled.map(|(_, (column, scaled))| Warning::Unscaled { column, scaled });
        let of_store = self.work.shelf.iter().flat_map(|shelf| shelf.warnings());
        let names = self.work.warnings.iter().cloned();
        self.work.watch.warnings().into_iter().chain(names).chain(of_store).chain(unscaled).collect()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("schema", &self.schema).field("watch", &self.work.watch).finish_non_exhaustive()
    }
}

/// What is read, as the first row of an explanation.
fn preface(schema: &SchemaRef, readings: &[String]) -> Option<RecordBatch> {
    let text = |text: String| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let columns = vec![text("reading".to_owned()), text(readings.join("\n"))];
    // Explanations have two columns of text; whatever else they may come to have, they go without then.
    RecordBatch::try_new(Arc::clone(schema), columns).ok()
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
