//! Who has the most: flows grouped by columns, ranked by a measure.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col, ident, lit};
use finderscope_flow::Table;

use crate::question::Question;
use crate::{Database, Error, Filter, Key, Measure, Summary, Warning, Window, summary};

/// What a top is asked for.
#[derive(Clone, Debug)]
pub struct TopQuestion {
    /// Grouped by these.
    pub columns: Vec<Key>,
    /// Ranked by this.
    pub by: Measure,
    /// How many rows.
    pub count: usize,
    /// Only flows that pass.
    pub filter: Option<Filter>,
    /// Only flows in it.
    pub window: Window,
}

/// A top's rows, and what all flows together are.
#[derive(Clone, Debug)]
pub struct Top {
    /// The columns asked for, then `flows`, `packets_scaled` and `bytes_scaled`; the largest first.
    pub rows: RecordBatch,
    /// Totals of all flows that passed, not only of these rows.
    pub summary: Summary,
    /// What must be said about it.
    pub warnings: Vec<Warning>,
}

impl Database {
    /// The groups with the most bytes, packets or flows.
    pub async fn top(&self, question: &TopQuestion) -> Result<Top, Error> {
        let filter = question.filter.as_ref();
        let keys = question.columns.iter().map(Key::name);
        let session = self.question(keys, filter, &question.window).await?;
        let mut answer = if self.summary_is_apart(&session, question).await? {
            self.ask(&session, |rows| ranked(rows, question), filter).await?
        } else {
            let answer = async { session.answer_with_summary(ranked(rows(&session, filter).await?, question)?).await };
            answer.await.map_err(|error| self.error(error))?
        };
        let batches = answer.collect().await?;
        let rows = concat_batches(answer.schema(), &batches).map_err(|error| Error::Engine(error.to_string()))?;
        let (summary, mut warnings) = match answer.summary() {
            Some(summary) => (summary.over(&question.window), summary.warning().into_iter().collect()),
            None => self.summarize(&session, filter, &question.window).await?,
        };
        warnings.extend(answer.warnings());
        warnings.sort();
        warnings.dedup();
        Ok(Top { rows, summary, warnings })
    }

    /// Whether totals answer the top or its summary. Else all rows are read, and read once for both.
    async fn summary_is_apart(&self, session: &Question, question: &TopQuestion) -> Result<bool, Error> {
        let is_apart = async {
            let rows = rows(session, question.filter.as_ref()).await?;
            Ok(session.uses_totals(ranked(rows.clone(), question)?)? || session.uses_totals(summary::plan(rows)?)?)
        };
        is_apart.await.map_err(|error| self.error(error))
    }

    /// What is read for a top, in plain words, without reading it.
    pub async fn explain_top(&self, question: &TopQuestion) -> Result<Vec<String>, Error> {
        let (filter, keys) = (question.filter.as_ref(), question.columns.iter().map(Key::name));
        let session = self.question(keys, filter, &question.window).await?;
        let is_apart = self.summary_is_apart(&session, question).await?;
        let rows = self.ask(&session, |rows| ranked(rows, question), filter).await?.reading();
        if !is_apart {
            return Ok(rows.into_iter().map(|line| format!("rows, and totals of all flows: {line}")).collect());
        }
        let session = self.question(std::iter::empty(), filter, &question.window).await?;
        let summary = self.ask(&session, summary::plan, filter).await?.reading();
        let of = |what: &'static str, lines: Vec<String>| lines.into_iter().map(move |line| format!("{what}: {line}"));
        Ok(of("rows", rows).chain(of("totals of all flows", summary)).collect())
    }

    /// Totals of the flows that pass the filter.
    pub async fn summary(&self, filter: Option<&Filter>, window: &Window) -> Result<(Summary, Vec<Warning>), Error> {
        let session = self.question(std::iter::empty(), filter, window).await?;
        self.summarize(&session, filter, window).await
    }

    async fn summarize(
        &self,
        session: &Question,
        filter: Option<&Filter>,
        window: &Window,
    ) -> Result<(Summary, Vec<Warning>), Error> {
        let mut answer = self.ask(session, summary::plan, filter).await?;
        let mut summary = Summary::default();
        while let Some(batch) = answer.next().await {
            summary.add(&batch?);
        }
        let mut warnings = answer.warnings();
        // The totals give the plain sums beside the scaled ones.
        warnings.retain(|warning| !matches!(warning, Warning::Unscaled { .. }));
        warnings.extend(summary.warning());
        Ok((summary.over(window), warnings))
    }

    /// Answers what `plan` makes of the flows that pass the filter.
    pub(crate) async fn ask(
        &self,
        session: &Question,
        plan: impl FnOnce(LogicalPlan) -> datafusion::error::Result<LogicalPlan>,
        filter: Option<&Filter>,
    ) -> Result<crate::Answer, Error> {
        let answer = async { session.answer(plan(rows(session, filter).await?)?).await };
        answer.await.map_err(|error| self.error(error))
    }
}

/// The flows that pass the filter.
async fn rows(session: &Question, filter: Option<&Filter>) -> datafusion::error::Result<LogicalPlan> {
    let rows = session.table(Table::Flows).await?;
    match filter.and_then(Filter::condition) {
        Some(condition) => rows.filter(condition)?.build(),
        None => rows.build(),
    }
}

/// The measures of a group of flows.
pub(crate) fn measures() -> [Expr; 3] {
    [
        count(lit(1)).alias("flows"),
        sum(col("packets_scaled")).alias("packets_scaled"),
        sum(col("bytes_scaled")).alias("bytes_scaled"),
    ]
}

fn ranked(rows: LogicalPlan, question: &TopQuestion) -> datafusion::error::Result<LogicalPlan> {
    let groups: Vec<Expr> = question.columns.iter().map(|key| ident(key.name())).collect();
    // Groups of the same size come in the order of their columns, so that an answer is the same twice.
    let largest = col(question.by.column()).sort(false, false);
    let order = std::iter::once(largest).chain(groups.iter().map(|group| group.clone().sort(true, false)));
    LogicalPlanBuilder::from(rows)
        .aggregate(question.columns.iter().map(Key::group), measures())?
        .sort_with_limit(order, Some(question.count))?
        .project(groups.iter().cloned().chain(columns()))?
        .build()
}

/// The measures as columns of an answer: counts are never below nothing.
pub(crate) fn columns() -> [Expr; 3] {
    [cast(col("flows"), DataType::UInt64).alias("flows"), col("packets_scaled"), col("bytes_scaled")]
}
