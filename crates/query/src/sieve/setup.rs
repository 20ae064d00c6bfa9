//! Whether a file can be read page by page, and which of its row groups and pages are.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{Field, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileSource;
use datafusion::datasource::physical_plan::parquet::{
    ParquetAccessPlan, ParquetFileMetrics, ParquetRowSelection, RowGroupAccess, RowGroupAccessPlanFilter,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::FileRange;
use datafusion_datasource::morsel::Morsel;
use finderscope_store::{ROW_GROUP_ROWS, is_null};
use parquet::basic::{Compression, Encoding, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::page_index::offset_index::OffsetIndexMetaData;

use super::cells::Kind;
use super::condition::Condition;
use super::group::{Group, Place};
use super::morsel::{Rows, Target};
use super::stock::Stock;
use crate::files::Files;
use crate::offsets;
use crate::pages::Addresses;
use crate::part_file::PartFile;

/// How the name of who wrote a file begins, where that is the store.
const WRITER: &str = "finderscope ";

/// Reads files for one scan.
#[derive(Debug)]
pub(crate) struct Sieve {
    table: SchemaRef,
    predicate: Arc<dyn PhysicalExpr>,
    files: Arc<Files>,
    partition: usize,
    metrics: ExecutionPlanMetricsSet,
    /// What becomes of rows: the same for all files.
    target: Arc<Target>,
}

/// One file, and where in it the scan's columns are.
struct Parts {
    file: PartFile,
    metadata: Arc<ParquetMetaData>,
    places: HashMap<usize, Place>,
    /// Columns that are read the general way. Those that are in neither hold nothing.
    stock: Vec<usize>,
}

impl Sieve {
    /// A sieve for what `source` scans; none where it scans all rows.
    pub(crate) fn new(
        source: &dyn FileSource,
        files: &Arc<Files>,
        batch_rows: usize,
        partition: usize,
    ) -> Result<Option<Self>> {
        let Some(predicate) = source.filter() else { return Ok(None) };
        let table = Arc::clone(source.table_schema().table_schema());
        let all = || ProjectionExprs::from_indices(&(0..table.fields().len()).collect::<Vec<_>>(), &table);
        let projection = source.projection().cloned().unwrap_or_else(all);
        let read: BTreeSet<usize> = projection.column_indices().into_iter().collect();
        let columns: Vec<usize> = read.into_iter().collect();
        let schema = Arc::new(table.project(&columns)?);
        let output = Arc::new(projection.project_schema(&table)?);
        let rebased = projection.try_map_exprs(|expr| reassign_expr_columns(expr, &schema))?;
        let target = Target { batch_rows, projector: rebased.make_projector(&schema)?, output, schema, columns };
        let (files, metrics) = (Arc::clone(files), source.metrics().clone());
        Ok(Some(Self { table, predicate, files, partition, metrics, target: Arc::new(target) }))
    }

    /// The rows of each of a file's row groups; none where the file has to be read the general way.
    pub(crate) fn plan(&self, file: &PartitionedFile) -> Result<Option<Vec<Box<dyn Morsel>>>> {
        let wanted = collect_columns(&self.predicate);
        let wanted: BTreeSet<usize> =
            wanted.iter().map(|column| self.table.index_of(column.name())).collect::<Result<_, _>>()?;
        let Some(parts) = self.open(file, &wanted)? else { return Ok(None) };
        let metadata = Arc::clone(&parts.metadata);
        let bytes = |column: usize| {
            let leaf = parts.places.get(&column).map_or(0, |place| place.leaf);
            metadata.row_groups().iter().map(|group| group.column(leaf).compressed_size()).sum()
        };
        let mut condition = Condition::new(&self.predicate, &self.table, &bytes)?;
        if let Some(Addresses(located)) = file.extension() {
            condition.locate(located);
        }
        let stock = Stock::new(&metadata, &self.table, &parts.stock)?.map(Arc::new);
        let places = Arc::new(parts.places);
        let starts = |at: usize| {
            // A chunk of nulls is one page.
            let group = metadata.row_group(at);
            let filled = places.values().find(|place| !is_null(group.column(place.leaf)));
            let Some(any) = filled.or_else(|| places.values().next()) else { return Vec::new() };
            let pages = metadata.offset_index().map_or(&[][..], |index| &index[at][any.leaf].page_locations);
            let rows = metadata.row_group(at).num_rows() as usize;
            pages.iter().map(|page| page.first_row_index as usize).chain([rows]).collect::<Vec<usize>>()
        };
        let mut share = Share::new(file, (0..metadata.num_row_groups()).map(|at| starts(at).len() - 1).sum());
        let mut morsels: Vec<Box<dyn Morsel>> = Vec::new();
        for (at, (access, all)) in self.access(file, &metadata)?.into_iter().enumerate() {
            let starts = starts(at);
            let mut pages = chosen(&access, &starts);
            share.keep(&mut pages, starts.len() - 1);
            if !pages.is_empty() {
                let group = Group::new(Arc::clone(&metadata), at, parts.file.clone(), Arc::clone(&places));
                let condition = (!all).then(|| condition.clone());
                morsels.push(Box::new(Rows::new(
                    group,
                    condition,
                    starts,
                    pages,
                    Arc::clone(&self.target),
                    stock.clone(),
                )));
            }
        }
        Ok(Some(morsels))
    }

    /// The file, where all that is wanted of it can be read page by page.
    fn open(&self, file: &PartitionedFile, wanted: &BTreeSet<usize>) -> Result<Option<Parts>> {
        let (file, footer) = self.files.footer(file).map_err(damaged)?;
        // What is made for each row is bounded so, whatever a damaged footer says.
        let is_ours = |rows: i64| usize::try_from(rows).is_ok_and(|rows| rows <= ROW_GROUP_ROWS);
        let writer = footer.file_metadata().created_by().unwrap_or_default();
        if !writer.starts_with(WRITER) || !footer.row_groups().iter().all(|group| is_ours(group.num_rows())) {
            return Ok(None);
        }
        let (mut places, mut stock, mut names) = (HashMap::new(), Vec::new(), HashSet::new());
        let roots = roots(&footer);
        for &column in wanted.union(&self.target.columns.iter().copied().collect()) {
            let field = self.table.field(column);
            let leaves = roots.get(field.name().as_str()).map_or(&[][..], Vec::as_slice);
            match place(&footer, field, leaves) {
                // Null in every row.
                _ if !wanted.contains(&column) && is_empty(&footer, leaves) => continue,
                Some(place) => drop(places.insert(column, place)),
                None if wanted.contains(&column) => return Ok(None),
                None => stock.push(column),
            }
            names.insert(field.name().clone());
        }
        let Some(pages) = offsets::read(&file, &footer, &names).map_err(damaged)? else { return Ok(None) };
        if places.is_empty() || !are_aligned(&footer, &pages, &places) {
            return Ok(None);
        }
        let metadata = Arc::new(ParquetMetaData::clone(&footer).into_builder().set_offset_index(Some(pages)).build());
        Ok(Some(Parts { file, metadata, places, stock }))
    }

    /// What is read of each row group, and whether all of its rows are known to satisfy the condition.
    fn access(&self, file: &PartitionedFile, metadata: &ParquetMetaData) -> Result<Vec<(RowGroupAccess, bool)>> {
        let groups = metadata.row_groups();
        let plan = match file.extension::<ParquetRowSelection>() {
            Some(rows) => ParquetAccessPlan::try_new_from_overall_row_selection(rows.selection().clone(), groups)?,
            None => ParquetAccessPlan::new_all(groups.len()),
        };
        let mut filter = RowGroupAccessPlanFilter::new(plan);
        let metrics = ParquetFileMetrics::new(self.partition, file.path().as_ref(), &self.metrics);
        let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.table));
        if let Some(pruning) = pruning.build(Arc::clone(&self.predicate)) {
            let schema = metadata.file_metadata().schema_descr();
            filter.prune_by_statistics(&self.table, schema, groups, &pruning, &metrics);
        }
        let all = filter.is_fully_matched().clone();
        Ok(filter.build().into_inner().into_iter().zip(all).collect())
    }
}

/// Which of a file's pages are read where the file is cut between threads.
///
/// It is cut by bytes; the general reader takes the row groups that begin in a piece, of which there may be one. Here a piece has
/// its share of all pages.
struct Share {
    range: Option<FileRange>,
    bytes: u128,
    pages: u128,
    /// Pages of the row groups before.
    before: usize,
}

impl Share {
    fn new(file: &PartitionedFile, pages: usize) -> Self {
        Self { range: file.range.clone(), bytes: file.object_meta.size.into(), pages: pages as u128, before: 0 }
    }

    /// Keeps those of a row group's pages, of which it has `all`, that are in the piece.
    fn keep(&mut self, pages: &mut Vec<usize>, all: usize) {
        if let Some(range) = &self.range {
            pages.retain(|page| {
                let at = (self.before + page) as u128 * self.bytes / self.pages;
                i64::try_from(at).is_ok_and(|at| range.contains(at))
            });
        }
        self.before += all;
    }
}

/// Whether the pages of a row group have the same rows in all of these columns, but for those that hold nothing.
fn are_aligned(footer: &ParquetMetaData, pages: &[Vec<OffsetIndexMetaData>], places: &HashMap<usize, Place>) -> bool {
    footer.row_groups().iter().zip(pages).all(|(group, pages)| {
        let filled = places.values().filter(|place| !is_null(group.column(place.leaf)));
        let mut starts = filled.map(|place| pages[place.leaf].page_locations.iter().map(|page| page.first_row_index));
        let first = starts.next();
        first.is_none_or(|first| starts.all(|other| other.eq(first.clone())))
    })
}

/// The pages that have a chosen row.
fn chosen(access: &RowGroupAccess, starts: &[usize]) -> Vec<usize> {
    let pages = starts.len().saturating_sub(1);
    match access {
        RowGroupAccess::Skip => Vec::new(),
        RowGroupAccess::Scan => (0..pages).collect(),
        RowGroupAccess::Selection(selection) => {
            let mut chosen = BTreeSet::new();
            let mut at = 0;
            for selector in selection.iter() {
                let end = at + selector.row_count;
                if !selector.skip {
                    let first = starts.partition_point(|&start| start <= at).saturating_sub(1);
                    chosen.extend((first..pages).take_while(|&page| starts[page] < end));
                }
                at = end;
            }
            chosen.into_iter().collect()
        }
    }
}

fn damaged(error: parquet::errors::ParquetError) -> DataFusionError {
    DataFusionError::ParquetError(Box::new(error))
}

/// The leaves of each of a file's columns.
fn roots(footer: &ParquetMetaData) -> HashMap<&str, Vec<usize>> {
    let mut roots: HashMap<&str, Vec<usize>> = HashMap::new();
    for (leaf, column) in footer.file_metadata().schema_descr().columns().iter().enumerate() {
        if let Some(root) = column.path().parts().first() {
            roots.entry(root).or_default().push(leaf);
        }
    }
    roots
}

/// Whether a column is null in every row, or missing.
fn is_empty(footer: &ParquetMetaData, leaves: &[usize]) -> bool {
    leaves.iter().all(|&leaf| footer.row_groups().iter().all(|group| is_null(group.column(leaf))))
}

/// Where a column is, if its pages are of a kind that is read here.
fn place(footer: &ParquetMetaData, field: &Field, leaves: &[usize]) -> Option<Place> {
    let (kind, &[leaf]) = (Kind::of(field.data_type())?, leaves) else { return None };
    let schema = footer.file_metadata().schema_descr();
    let descr = schema.column(leaf);
    let stored = match kind {
        Kind::Number(_, 4) => Type::INT32,
        Kind::Number(..) => Type::INT64,
        Kind::Strings(_) => Type::BYTE_ARRAY,
    };
    let sound = descr.physical_type() == stored && descr.max_rep_level() == 0 && descr.max_def_level() <= 1;
    let known = footer.row_groups().iter().all(|group| is_known(group.column(leaf), &kind));
    (sound && known).then_some(Place { leaf, kind })
}

fn is_known(chunk: &ColumnChunkMetaData, kind: &Kind) -> bool {
    let strings = matches!(kind, Kind::Strings(_));
    matches!(chunk.compression(), Compression::UNCOMPRESSED | Compression::ZSTD(_))
        && chunk.encodings().all(|encoding| match encoding {
            Encoding::RLE | Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY | Encoding::PLAIN => true,
            Encoding::BYTE_STREAM_SPLIT => !strings,
            Encoding::DELTA_LENGTH_BYTE_ARRAY => strings,
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use std::fs::File;

    use finderscope_flow::{Builder, Column, Kind, Table};
    use finderscope_store::{Encoding, PartWriter};
    use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};

    use super::*;

    /// The columns of a merged part that would be read the general way.
    fn stock(rows: usize, fill: impl Fn(&mut Builder)) -> Vec<&'static str> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("part.parquet");
        let mut flows = Builder::new(Table::Flows);
        flows.time(Column::TimeReceivedNs).extend((0..rows).map(|row| row as i64));
        fill(&mut flows);
        flows.advance(rows);
        let file = Arc::new(File::create(&path).unwrap());
        let mut writer = PartWriter::new(file, Table::Flows, Encoding::Merged).unwrap();
        writer.write(&flows.finish()).unwrap();
        writer.finish(KeyValue::new("test".to_owned(), None)).unwrap();
        let footer = ParquetMetaDataReader::new().parse_and_finish(&File::open(&path).unwrap()).unwrap();
        let rare = |column: &&Column| matches!(column.kind(), Kind::Text | Kind::List | Kind::Map);
        let rare = Table::Flows.columns().iter().filter(rare).map(|column| column.name());
        let roots = roots(&footer);
        rare.filter(|name| !is_empty(&footer, &roots[name])).collect()
    }

    #[test]
    fn lists_maps_and_text_without_a_value_are_not_read() {
        assert_eq!(stock(20_000, |_| {}), Vec::<&str>::new());
        let some = stock(1, |flows| {
            flows.list(Column::AsPath).push(std::iter::empty());
            flows.text(Column::App).push(b"");
            flows.map(Column::Extra).entry("a", "");
            flows.map(Column::Extra).close();
        });
        assert_eq!(some, ["as_path", "app", "extra"]);
    }
}
