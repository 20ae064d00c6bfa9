//! Rows spread over bins of time: a record's shares, one row each (the rule is [`finderscope_store::totals::Span`]'s).
//!
//! The plan has a table for it, [`SpreadTable`], over the plan of the rows. Shares come out a batch at a time as they
//! are asked for, so that a flow that spans a month in bins of a second takes no more memory than any other.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, TimestampNanosecondArray, UInt32Array, UInt64Array, UInt64Builder,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampNanosecondType, UInt64Type};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType, col};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::expressions::Column as PhysicalColumn;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use datafusion::prelude::coalesce;
use finderscope_store::totals::Span;
use futures::StreamExt;

use crate::Bin;

/// Shares of a batch.
const BATCH_ROWS: usize = 8_192;
/// Bins that are looked at for one batch: a tiny flow over many bins has few shares.
const BATCH_BINS: usize = 65_536;
/// The name of the column that rows are told apart by.
const KEY: &str = "key";

/// Rows with `time`, `flows`, `packets_scaled`, `bytes_scaled`, and what they are told apart by.
#[derive(Debug)]
pub(crate) struct SpreadTable {
    rows: LogicalPlan,
    bin: Bin,
    schema: SchemaRef,
}

impl SpreadTable {
    /// Flows spread over bins.
    pub(crate) fn new(flows: LogicalPlan, bin: Bin, key: Option<Expr>) -> Result<Self> {
        let end = coalesce(vec![col("time_flow_end_ns"), col("time_received_ns")]).alias("end");
        let columns = [col("time_flow_start_ns").alias("start"), end, col("packets_scaled"), col("bytes_scaled")];
        let key = key.map(|key| key.alias(KEY));
        Ok(Self::over(LogicalPlanBuilder::from(flows).project(columns.into_iter().chain(key))?.build()?, bin))
    }

    fn over(rows: LogicalPlan, bin: Bin) -> Self {
        let number = |name: &str, nullable| Field::new(name, DataType::UInt64, nullable);
        let mut fields = vec![
            Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false),
            number("flows", false),
            number("packets_scaled", true),
            number("bytes_scaled", true),
        ];
        let key = rows.schema().fields().get(4).map(|field| field.as_ref().clone().with_nullable(true));
        fields.extend(key);
        Self { rows, bin, schema: Arc::new(Schema::new(fields)) }
    }

    /// The column that rows are told apart by, where there is one.
    pub(crate) const fn key() -> &'static str {
        KEY
    }

    /// How wide the bins are.
    pub(crate) const fn bin(&self) -> Bin {
        self.bin
    }

    /// The plan of the rows.
    pub(crate) const fn rows(&self) -> &LogicalPlan {
        &self.rows
    }

    /// The same over other rows with the same columns.
    pub(crate) fn with_rows(&self, rows: LogicalPlan) -> Self {
        Self::over(rows, self.bin)
    }
}

#[async_trait]
impl TableProvider for SpreadTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = state.create_physical_plan(&self.rows).await?;
        let spread: Arc<dyn ExecutionPlan> = Arc::new(SpreadExec::new(rows, self.bin, Arc::clone(&self.schema)));
        let Some(projection) = projection else { return Ok(spread) };
        let column = |&index: &usize| {
            let name = self.schema.field(index).name();
            (Arc::new(PhysicalColumn::new(name, index)) as Arc<dyn PhysicalExpr>, name.clone())
        };
        Ok(Arc::new(ProjectionExec::try_new(projection.iter().map(column).collect::<Vec<_>>(), spread)?))
    }
}

/// Spreads what comes.
#[derive(Clone, Debug)]
struct SpreadExec {
    rows: Arc<dyn ExecutionPlan>,
    bin: Bin,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl SpreadExec {
    fn new(rows: Arc<dyn ExecutionPlan>, bin: Bin, schema: SchemaRef) -> Self {
        let partitions = rows.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            rows.pipeline_behavior(),
            rows.boundedness(),
        );
        Self { rows, bin, schema, properties: Arc::new(properties) }
    }
}

impl DisplayAs for SpreadExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SpreadExec: bin={}s", self.bin.ns() / 1_000_000_000)
    }
}

impl ExecutionPlan for SpreadExec {
    fn name(&self) -> &str {
        "SpreadExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.rows]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(rows), true) => Ok(Arc::new(Self::new(rows, self.bin, Arc::clone(&self.schema)))),
            _ => internal_err!("SpreadExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (bin_ns, schema) = (self.bin.ns(), Arc::clone(&self.schema));
        let spread = self.rows.execute(partition, context)?.flat_map(move |batch| {
            let shares = batch.and_then(|batch| Ok(Shares::of(batch, bin_ns, &schema)?));
            let (shares, error) = match shares {
                Ok(shares) => (Some(shares), None),
                Err(error) => (None, Some(Err(error))),
            };
            futures::stream::iter(shares.into_iter().flatten().map(|batch| Ok(batch?)).chain(error))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), spread)))
    }
}

/// The shares of one batch's rows, in batches.
struct Shares {
    rows: RecordBatch,
    schema: SchemaRef,
    bin_ns: i64,
    spans: Vec<Span>,
    volumes: [UInt64Array; 2],
    row: usize,
    /// The bin of the row that comes next, where some were done, and how much of the volumes they took.
    within: Option<(i64, [u64; 2])>,
}

impl Shares {
    fn of(rows: RecordBatch, bin_ns: i64, schema: &SchemaRef) -> Result<Self, arrow::error::ArrowError> {
        let times = |index: usize| rows.column(index).as_primitive_opt::<TimestampNanosecondType>();
        let volumes = |index: usize| rows.column(index).as_primitive_opt::<UInt64Type>().cloned();
        let (Some(starts), Some(ends), Some(packets), Some(bytes)) = (times(0), times(1), volumes(2), volumes(3))
        else {
            return Err(arrow::error::ArrowError::SchemaError("rows to be spread have other columns".to_owned()));
        };
        let span = |(start, end): (Option<i64>, Option<i64>)| Span::new(start, end, 0);
        let spans = starts.iter().zip(ends).map(span).collect();
        let schema = Arc::clone(schema);
        Ok(Self { spans, volumes: [packets, bytes], rows, schema, bin_ns, row: 0, within: None })
    }

    /// All rows at once, where each lies in one bin: the usual case, without a copy of the volumes.
    fn whole(&mut self) -> Option<Result<RecordBatch, arrow::error::ArrowError>> {
        let bin = |span: &Span| {
            let (first, last) = span.bins(self.bin_ns);
            (first == last).then(|| last.saturating_mul(self.bin_ns))
        };
        let times: Vec<i64> = self.spans.iter().map(bin).collect::<Option<_>>()?;
        self.row = self.spans.len();
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampNanosecondArray::from(times).with_timezone("UTC")),
            Arc::new(UInt64Array::from_value(1, self.row)),
        ];
        columns.extend(self.rows.columns().iter().skip(2).cloned());
        Some(RecordBatch::try_new(Arc::clone(&self.schema), columns))
    }

    fn some(&mut self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let mut times = Vec::with_capacity(BATCH_ROWS);
        let mut flows = Vec::with_capacity(BATCH_ROWS);
        let mut rows: Vec<u32> = Vec::with_capacity(BATCH_ROWS);
        let mut shares = [(); 2].map(|()| UInt64Builder::with_capacity(BATCH_ROWS));
        for _ in 0..BATCH_BINS {
            if times.len() == BATCH_ROWS || self.row == self.spans.len() {
                break;
            }
            let span = self.spans[self.row];
            let (number, before) = self.within.unwrap_or_else(|| (span.bins(self.bin_ns).0, [0; 2]));
            let slice = span.slice(number, self.bin_ns);
            let volume = |of: usize| self.volumes[of].is_valid(self.row).then(|| self.volumes[of].value(self.row));
            let passed = [0, 1].map(|of| slice.cumulative(volume(of).unwrap_or(0)));
            if slice.is_last || passed != before {
                times.push(number.saturating_mul(self.bin_ns));
                flows.push(u64::from(slice.is_last));
                rows.push(self.row as u32);
                for of in 0..2 {
                    shares[of].append_option(volume(of).map(|_| passed[of] - before[of]));
                }
            }
            self.within = (!slice.is_last).then_some((number + 1, passed));
            self.row += usize::from(slice.is_last);
        }
        let [mut packets, mut bytes] = shares;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampNanosecondArray::from(times).with_timezone("UTC")),
            Arc::new(UInt64Array::from(flows)),
            Arc::new(packets.finish()),
            Arc::new(bytes.finish()),
        ];
        if let Some(key) = self.rows.columns().get(4) {
            columns.push(take(key.as_ref(), &UInt32Array::from(rows), None)?);
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

impl Iterator for Shares {
    type Item = Result<RecordBatch, arrow::error::ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.row == self.spans.len() {
            return None;
        }
        let at_first = self.row == 0 && self.within.is_none();
        let whole = if at_first { self.whole() } else { None };
        Some(whole.unwrap_or_else(|| self.some()))
    }
}
