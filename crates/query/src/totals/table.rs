//! Files of totals as the planner's table.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::stats::Precision;
use datafusion::config::TableParquetOptions;
use datafusion::datasource::physical_plan::ParquetSource;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use finderscope_store::totals;

use crate::part::Totals;
use crate::scan::{file_at, scan_files};
use crate::schema::view_types;
use crate::source::{Guarded, Held};
use crate::watch::Watch;

/// Some files of totals.
#[derive(Debug)]
pub(super) struct TotalsTable {
    schema: SchemaRef,
    files: Vec<Totals>,
    watch: Arc<Watch>,
}

impl TotalsTable {
    pub(super) fn new(files: Vec<Totals>, watch: Arc<Watch>) -> Self {
        Self { schema: view_types(&totals::schema()), files, watch }
    }
}

#[async_trait]
impl TableProvider for TotalsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.watch.expect(self.files.len() as u64, 0);
        let mut options =
            TableParquetOptions { global: state.config_options().execution.parquet.clone(), ..Default::default() };
        // Within a dimension one group's rows follow each other: its pages are found by their statistics.
        options.global.enable_page_index = true;
        let runtime = state.runtime_env();
        let store = runtime.object_store(ObjectStoreUrl::local_filesystem())?;
        let footers = runtime.cache_manager.get_file_metadata_cache();
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(store, footers)));
        let source = Guarded::new(source, Arc::clone(&self.watch), Held::Totals);
        let files = self.files.iter().map(|totals| file_at(&totals.path, totals.bytes)).collect::<Result<Vec<_>>>()?;
        scan_files(state, source, files, Precision::Absent, projection, limit)
    }
}
