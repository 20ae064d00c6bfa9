//! A table's parts as the planner's table: which files a question has to open, and how they are read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Result, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::physical_plan::ExecutionPlan;
use finderscope_flow::Table;

use crate::files::{Chosen, Files, Opened};
use crate::pages::{self, Addresses, Reading, Tally};
use crate::part::{Part, TimeRange};
use crate::shelf::Shelf;
use crate::source::{Guarded, Held};
use crate::wanted::Wanted;
use crate::watch::{Warning, Watch};

/// So many parts are held open while a question is answered, the newest: those are the ones that are merged meanwhile.
const HELD_MAX: usize = 256;

/// The parts of one table, as one question sees them.
#[derive(Debug)]
pub(crate) struct PartsTable {
    table: Table,
    schema: SchemaRef,
    shelf: Arc<Shelf>,
    watch: Arc<Watch>,
    /// Parts that are not read, since totals stand for them.
    without: Arc<HashSet<PathBuf>>,
}

impl PartsTable {
    /// The table's parts on the shelf.
    pub(crate) fn new(table: Table, schema: SchemaRef, shelf: Arc<Shelf>, watch: Arc<Watch>) -> Self {
        Self { table, schema, shelf, watch, without: Arc::default() }
    }

    /// The same, but for these parts.
    pub(crate) fn without(&self, parts: Arc<HashSet<PathBuf>>) -> Self {
        let (schema, shelf, watch) = (Arc::clone(&self.schema), Arc::clone(&self.shelf), Arc::clone(&self.watch));
        Self { table: self.table, schema, shelf, watch, without: parts }
    }

    /// The table.
    pub(crate) const fn table(&self) -> Table {
        self.table
    }

    /// Which of these may hold rows that satisfy the filters.
    fn selected<'a>(&self, parts: &'a [Part], range: TimeRange) -> Vec<&'a Part> {
        let mut parts: Vec<&Part> =
            parts.iter().filter(|part| part.table == self.table && range.may_hold(part)).collect();
        if !self.without.is_empty() {
            parts.retain(|part| !self.without.contains(&part.path));
        }
        parts
    }

    /// Says what is read as rows, and where rows are gone of which totals are left.
    fn tell(&self, parts: usize, rows: u64, by_address: bool, range: TimeRange) {
        let how = if by_address { ", in pages chosen by their addresses" } else { "" };
        self.watch.reading(match parts {
            0 => "no part of flows is read as rows".to_owned(),
            1 => format!("1 part of flows is read as rows: {rows} rows{how}"),
            count => format!("{count} parts of flows are read as rows: {rows} rows{how}"),
        });
        for totals in self.shelf.totals().iter().filter(|totals| totals.outlives && range.overlaps(totals)) {
            if !totals.of.iter().any(|part| self.without.contains(part)) {
                self.watch.warn(Warning::OnlyTotals { first_ns: totals.first_ns, last_ns: totals.last_ns });
            }
        }
    }

    /// What is read of each, and how that was chosen where addresses are wanted.
    fn chosen<'a>(&self, parts: Vec<&'a Part>, filters: &[Expr]) -> (Vec<(&'a Part, Reading)>, Option<Tally>) {
        let wanted = if self.table == Table::Flows { Wanted::by(filters) } else { None };
        let Some(wanted) = wanted.filter(|_| parts.iter().any(|part| part.index.is_some())) else {
            return (parts.into_iter().map(|part| (part, Reading::Whole)).collect(), None);
        };
        let mut tally = Tally::default();
        let choose = |part: &'a Part| {
            let reading = pages::choose(part, &wanted, &mut tally).unwrap_or_else(|(path, problem)| {
                self.watch.damaged_index(path, problem);
                Reading::Whole
            });
            (part, reading)
        };
        let readings = parts.into_iter().map(choose).filter(|(_, reading)| !matches!(reading, Reading::Nothing));
        (readings.collect(), Some(tally))
    }

    /// All columns that the scan may read.
    fn columns(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) -> HashSet<String> {
        let fields = self.schema.fields();
        let read: Vec<&FieldRef> = match projection {
            Some(projection) => projection.iter().filter_map(|index| fields.get(*index)).collect(),
            None => fields.iter().collect(),
        };
        let conditions = filters.iter().flat_map(Expr::column_refs).map(|column| column.name.clone());
        read.into_iter().map(|field| field.name().clone()).chain(conditions).collect()
    }

    fn source(&self, state: &dyn Session, columns: HashSet<String>, chosen: Option<Tally>) -> Result<Guarded> {
        let options =
            TableParquetOptions { global: state.config_options().execution.parquet.clone(), ..Default::default() };
        let runtime = state.runtime_env();
        let footers = runtime.cache_manager.get_file_metadata_cache();
        let files = Arc::new(Files::new(footers, columns));
        let inner = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::clone(&files) as _);
        Ok(Guarded::new(inner, Arc::clone(&self.watch), Held::Rows(chosen)).with_sieve(files))
    }
}

#[async_trait]
impl TableProvider for PartsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // Parts are chosen by them here; what evaluates them while reading is decided on the physical plan.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let parts = self.shelf.parts();
        let range = filters.iter().fold(TimeRange::ALL, |range, filter| range.and(received_in(filter)));
        let (parts, chosen) = self.chosen(self.selected(&parts, range), filters);
        let rows: u64 = parts.iter().map(|(part, reading)| reading.rows(part)).sum();
        if self.table == Table::Flows {
            self.tell(parts.len(), rows, chosen.is_some(), range);
        }
        self.watch.expect(parts.len() as u64, rows);
        let held_from = held_from(&parts);
        let file = |(part, reading): (&Part, _)| file(part, reading, part.last_ns >= held_from);
        let files = parts.into_iter().map(file).collect::<Result<Vec<_>>>()?;
        let source = self.source(state, self.columns(projection, filters), chosen)?;
        // Not exact: a damaged part has fewer.
        scan_files(state, source, files, Precision::Inexact(rows as usize), projection, limit)
    }
}

/// The reading of files that hold `rows` rows, dealt out to threads.
pub(crate) fn scan_files(
    state: &dyn Session,
    source: Guarded,
    files: Vec<PartitionedFile>,
    rows: Precision<usize>,
    projection: Option<&Vec<usize>>,
    limit: Option<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let statistics = Statistics::new_unknown(source.table_schema().table_schema()).with_num_rows(rows);
    let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
        .with_file_groups(FileGroup::new(files).split_files(state.config().target_partitions()))
        .with_statistics(statistics)
        .with_projection_indices(projection.cloned())?
        .with_limit(limit)
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// Parts whose last row came then or later are held open.
fn held_from(parts: &[(&Part, Reading)]) -> i64 {
    let mut last: Vec<i64> = parts.iter().map(|(part, _)| part.last_ns).collect();
    last.sort_unstable_by(|one, other| other.cmp(one));
    last.get(HELD_MAX).map_or(i64::MIN, |&too_early| too_early.saturating_add(1))
}

fn file(part: &Part, reading: Reading, is_held: bool) -> Result<PartitionedFile> {
    let mut file = file_at(&part.path, part.bytes)?;
    if let Some(opened) = is_held.then(|| Opened::new(&part.path)).flatten() {
        file = file.with_extension(opened);
    }
    Ok(match reading {
        Reading::Pages { rows, places, .. } => {
            file.with_extension(rows).with_extension(Chosen).with_extension(Addresses(places))
        }
        Reading::Whole | Reading::Nothing => file,
    })
}

/// A file to be read.
pub(crate) fn file_at(path: &Path, bytes: u64) -> Result<PartitionedFile> {
    let location = ObjectPath::from_absolute_path(path)
        .map_err(|error| DataFusionError::Execution(format!("{}: {error}", path.display())))?;
    let mut file = PartitionedFile::new("", bytes);
    file.object_meta.location = location;
    Ok(file)
}

/// The receive times that rows can have which satisfy the filter.
fn received_in(filter: &Expr) -> TimeRange {
    split_conjunction(filter).into_iter().fold(TimeRange::ALL, |range, condition| range.and(condition_range(condition)))
}

/// The receive times that rows can have which satisfy one condition.
pub(crate) fn condition_range(condition: &Expr) -> TimeRange {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (received(left), time(right)) {
            (true, Some(ns)) => comparison_range(*op, ns),
            _ => match (time(left), received(right), op.swap()) {
                (Some(ns), true, Some(op)) => comparison_range(op, ns),
                _ => TimeRange::ALL,
            },
        },
        Expr::Between(between) if !between.negated && received(&between.expr) => TimeRange {
            first_ns: time(&between.low).unwrap_or(i64::MIN),
            last_ns: time(&between.high).unwrap_or(i64::MAX),
        },
        _ => TimeRange::ALL,
    }
}

const fn comparison_range(op: Operator, ns: i64) -> TimeRange {
    let all = TimeRange::ALL;
    match op {
        Operator::Eq => TimeRange { first_ns: ns, last_ns: ns },
        Operator::Gt => TimeRange { first_ns: ns.saturating_add(1), ..all },
        Operator::GtEq => TimeRange { first_ns: ns, ..all },
        Operator::Lt => TimeRange { last_ns: ns.saturating_sub(1), ..all },
        Operator::LtEq => TimeRange { last_ns: ns, ..all },
        _ => all,
    }
}

fn received(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == "time_received_ns")
}

fn time(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::TimestampNanosecond(ns, _), _) => *ns,
        _ => None,
    }
}
