//! Reading Parquet parts so that a damaged one costs itself.
//!
//! [`Guarded`] wraps DataFusion's own Parquet source, and so keeps all that it can: pruning by statistics, filters
//! evaluated while decoding, files cut between threads. It adds two things around each file: what was read is counted,
//! and where the *file* cannot be read, the scan says so and goes on with the next. Errors of the question itself
//! (memory, arithmetic) pass through.

use std::fmt::{self, Formatter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::config::ConfigOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, SortOrderPushdownResult};
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::files::Files;
use crate::pages::Tally;
use crate::sieve::Sieve;
use crate::watch::Watch;

/// Rows of a batch where nobody says.
const BATCH_ROWS: usize = 8_192;

/// A Parquet source that survives its files.
#[derive(Clone)]
pub(crate) struct Guarded {
    inner: Arc<dyn FileSource>,
    watch: Arc<Watch>,
    of: Held,
    /// Where conditions are asked page by page: by what files are opened.
    files: Option<Arc<Files>>,
    batch_rows: usize,
}

/// What files hold: it decides what a damaged one costs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held {
    /// Rows: a damaged file's are missing. And how pages were chosen, where they were.
    Rows(Option<Tally>),
    /// Totals: the rows are read instead of a damaged file.
    Totals,
}

impl Guarded {
    pub(crate) fn new(inner: ParquetSource, watch: Arc<Watch>, of: Held) -> Self {
        Self { inner: Arc::new(inner), watch, of, files: None, batch_rows: BATCH_ROWS }
    }

    /// The same, with conditions asked page by page where files allow it.
    pub(crate) fn with_sieve(self, files: Arc<Files>) -> Self {
        Self { files: Some(files), ..self }
    }

    /// Who wants to know what is read, where these are rows.
    pub(crate) const fn watch_of_rows(&self) -> Option<&Arc<Watch>> {
        if let Held::Rows(_) = self.of { Some(&self.watch) } else { None }
    }

    fn around(&self, inner: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self { inner, ..self.clone() })
    }
}

impl FileSource for Guarded {
    fn create_file_opener(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        self.inner.create_file_opener(object_store, base_config, partition)
    }

    fn create_morselizer(
        &self,
        object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Box<dyn Morselizer>> {
        let inner = self.inner.create_morselizer(object_store, base_config, partition)?;
        let sieve = match &self.files {
            Some(files) => Sieve::new(self.inner.as_ref(), files, self.batch_rows, partition)?.map(Arc::new),
            None => None,
        };
        Ok(Box::new(GuardedFiles { inner: inner.into(), sieve, watch: Arc::clone(&self.watch), of: self.of }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.inner.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { inner: self.inner.with_batch_size(batch_size), batch_rows: batch_size, ..self.clone() })
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.inner.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.inner.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.inner.metrics()
    }

    fn file_type(&self) -> &str {
        self.inner.file_type()
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        self.inner.fmt_extra(t, f)?;
        match (&self.of, t) {
            (Held::Rows(None) | Held::Totals, _) => Ok(()),
            (Held::Rows(Some(chosen)), DisplayFormatType::TreeRender) => writeln!(f, "{chosen}"),
            (Held::Rows(Some(chosen)), _) => write!(f, ", {chosen}"),
        }
    }

    fn supports_repartitioning(&self) -> bool {
        self.inner.supports_repartitioning()
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let mut pushed = self.inner.try_pushdown_filters(filters, config)?;
        pushed.updated_node = pushed.updated_node.map(|inner| self.around(inner));
        Ok(pushed)
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        eq_properties: &EquivalenceProperties,
    ) -> Result<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(match self.inner.try_pushdown_sort(order, eq_properties)? {
            SortOrderPushdownResult::Exact { inner } => SortOrderPushdownResult::Exact { inner: self.around(inner) },
            SortOrderPushdownResult::Inexact { inner } => {
                SortOrderPushdownResult::Inexact { inner: self.around(inner) }
            }
            SortOrderPushdownResult::Unsupported => SortOrderPushdownResult::Unsupported,
        })
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.inner.reorder_files(files)
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        self.inner.repartitioned(target_partitions, repartition_file_min_size, output_ordering, config)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        Ok(self.inner.try_pushdown_projection(projection)?.map(|inner| self.around(inner)))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.inner.apply_expressions(f)
    }
}

/// Plans the reading of files, each under guard.
#[derive(Debug)]
struct GuardedFiles {
    inner: Arc<dyn Morselizer>,
    sieve: Option<Arc<Sieve>>,
    watch: Arc<Watch>,
    of: Held,
}

impl Morselizer for GuardedFiles {
    fn plan_file(&self, file: PartitionedFile) -> Result<Box<dyn MorselPlanner>> {
        let location = file.path().to_string();
        self.watch.opened(&location);
        let path = Arc::new(Path::new("/").join(location));
        let guard = Guard { path, watch: Arc::clone(&self.watch), of: self.of };
        let planned = match &self.sieve {
            Some(sieve) => {
                Ok(Box::new(Sifted { file, sieve: Arc::clone(sieve), general: Arc::clone(&self.inner) }) as _)
            }
            None => self.inner.plan_file(file),
        };
        match planned {
            Ok(planner) => Ok(guard.planner(planner)),
            Err(error) => guard.absorb(error).map(|()| Box::new(Nothing) as Box<dyn MorselPlanner>),
        }
    }
}

/// A file that is read page by page, where that can be.
#[derive(Debug)]
struct Sifted {
    file: PartitionedFile,
    sieve: Arc<Sieve>,
    general: Arc<dyn Morselizer>,
}

impl MorselPlanner for Sifted {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        let Self { file, sieve, general } = *self;
        Ok(match sieve.plan(&file)? {
            // A plan of nothing would leave the file open for ever.
            Some(morsels) if morsels.is_empty() => None,
            Some(morsels) => Some(MorselPlan::new().with_morsels(morsels)),
            None => Some(MorselPlan::new().with_planners(vec![general.plan_file(file)?])),
        })
    }
}

/// Stands between one file and its scan.
#[derive(Clone, Debug)]
struct Guard {
    path: Arc<PathBuf>,
    watch: Arc<Watch>,
    of: Held,
}

impl Guard {
    /// Takes the error where the file is to blame, else hands it back.
    fn absorb(&self, error: DataFusionError) -> Result<()> {
        if !blames_file(&error) {
            return Err(error);
        }
        match self.of {
            Held::Rows(_) => self.watch.damaged(&self.path, one_line(&error)),
            Held::Totals => self.watch.damaged_totals(&self.path, one_line(&error)),
        }
        Ok(())
    }

    fn planner(&self, inner: Box<dyn MorselPlanner>) -> Box<dyn MorselPlanner> {
        Box::new(GuardedPlanner { inner, guard: self.clone() })
    }

    fn morsel(&self, inner: Box<dyn Morsel>) -> Box<dyn Morsel> {
        Box::new(GuardedMorsel { inner, guard: self.clone() })
    }
}

#[derive(Debug)]
struct GuardedPlanner {
    inner: Box<dyn MorselPlanner>,
    guard: Guard,
}

impl MorselPlanner for GuardedPlanner {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        let Self { inner, guard } = *self;
        let mut plan = match inner.plan() {
            Ok(Some(plan)) => plan,
            Ok(None) => return Ok(None),
            Err(error) => return guard.absorb(error).map(|()| None),
        };
        let morsels = plan.take_morsels().into_iter().map(|morsel| guard.morsel(morsel)).collect();
        let planners = plan.take_ready_planners().into_iter().map(|planner| guard.planner(planner)).collect();
        let pending = plan.take_pending_planner();
        let mut guarded = MorselPlan::new().with_morsels(morsels).with_planners(planners);
        if let Some(pending) = pending {
            guarded.set_pending_planner(async move {
                match pending.await {
                    Ok(planner) => Ok(guard.planner(planner)),
                    Err(error) => guard.absorb(error).map(|()| Box::new(Nothing) as Box<dyn MorselPlanner>),
                }
            });
        }
        Ok(Some(guarded))
    }
}

/// What is left to read of a file that cannot be read.
#[derive(Debug)]
struct Nothing;

impl MorselPlanner for Nothing {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        Ok(None)
    }
}

#[derive(Debug)]
struct GuardedMorsel {
    inner: Box<dyn Morsel>,
    guard: Guard,
}

impl Morsel for GuardedMorsel {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<RecordBatch>> {
        let Self { inner, guard } = *self;
        // Ends at the first damage: the reader would go on and say the same again, for ever.
        inner.into_stream().scan((), move |(), batch| std::future::ready(guard.pass(batch))).boxed()
    }
}

impl Guard {
    /// Counts a batch; none where the file's damage was noted.
    fn pass(&self, batch: Result<RecordBatch>) -> Option<Result<RecordBatch>> {
        match batch {
            Ok(batch) => {
                if matches!(self.of, Held::Rows(_)) {
                    self.watch.read(batch.num_rows());
                }
                Some(Ok(batch))
            }
            Err(error) => self.absorb(error).err().map(Err),
        }
    }
}

/// What the reader says where a condition, and not the file, is at fault.
pub(crate) const CONDITION: &str = "Error evaluating filter predicate: ";

/// Whether the error is about the file's bytes, or about getting at them.
fn blames_file(error: &DataFusionError) -> bool {
    match error.find_root() {
        // A condition that cannot be evaluated (a division by zero) comes wrapped as if the file were at fault.
        DataFusionError::ParquetError(error) => !error.to_string().contains(CONDITION),
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => true,
        DataFusionError::ArrowError(error, _) => {
            matches!(**error, ArrowError::ParquetError(_) | ArrowError::IoError(..) | ArrowError::IpcError(_))
        }
        _ => false,
    }
}

fn one_line(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    text.lines().next().unwrap_or_default().to_owned()
}

/// A source shows itself by its type's name in plans.
impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("type", &self.inner.file_type()).finish_non_exhaustive()
    }
}
