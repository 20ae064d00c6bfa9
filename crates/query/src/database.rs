//! A store to be asked: its folder, or batches in memory.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::catalog::CatalogProviderList;
use datafusion::catalog::{
    CatalogProvider, MemTable, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider, SchemaProvider,
    TableProvider,
};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::SessionState;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;
use finderscope_flow::Table;

use crate::answer::{Answer, Limits};
use crate::part::Part;
use crate::scan::PartsTable;
use crate::schema::{conform, read_schema};
use crate::sql::{Operators, PlainSums};
use crate::watch::Watch;
use crate::window::Window;
use crate::yielding::YieldingJoins;
use crate::{Error, functions, literals, sql, views};

/// Bytes of footers that are kept between questions.
const FOOTER_CACHE_BYTES: usize = 128 << 20;
/// Footers are read with the file's last bytes, in one go where they fit.
const FOOTER_HINT_BYTES: usize = 64 << 10;

/// How much a question may take.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for groups, sorts and joins, of all questions together, in bytes.
    pub memory_limit: usize,
    /// Threads that a question's work is cut for.
    pub threads: usize,
    /// How long a question may take.
    pub time_limit: Option<Duration>,
    /// Where what does not fit in memory may be put; nowhere, and a question that needs it fails.
    pub spill: Option<PathBuf>,
}

impl Default for Options {
    /// One gigabyte, all cores, no time limit, nothing on disk.
    fn default() -> Self {
        let threads = available_parallelism().map_or(1, std::num::NonZero::get);
        Self { memory_limit: 1_000_000_000, threads, time_limit: None, spill: None }
    }
}

/// A store to be asked.
#[derive(Clone, Debug)]
pub struct Database {
    source: Source,
    options: Options,
    state: SessionState,
}

#[derive(Clone, Debug)]
enum Source {
    Parts(Arc<[Part]>),
    Memory(Arc<HashMap<Table, Vec<RecordBatch>>>),
}

impl Database {
    /// Exactly these parts.
    pub fn over_parts(parts: Vec<Part>, options: Options) -> Result<Self, Error> {
        Self::new(Source::Parts(parts.into()), options)
    }

    /// Batches of rows, as a file of telemetry that was just read.
    pub fn in_memory(batches: impl IntoIterator<Item = (Table, RecordBatch)>, options: Options) -> Result<Self, Error> {
        let mut tables: HashMap<Table, Vec<RecordBatch>> = HashMap::new();
        for (table, batch) in batches {
            let batch = conform(&batch, &read_schema(table)).map_err(|error| Error::Engine(error.to_string()))?;
            tables.entry(table).or_default().push(batch);
        }
        Self::new(Source::Memory(Arc::new(tables)), options)
    }

    fn new(source: Source, options: Options) -> Result<Self, Error> {
        let state = session(&options).map_err(|error| Error::from_engine(error, &options))?;
        Ok(Self { source, options, state })
    }

    /// How much a question may take.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Answers a question in SQL, over the rows of the window.
    pub async fn sql(&self, question: &str, window: &Window) -> Result<Answer, Error> {
        let statement = sql::parse(question)?;
        let question = self.question(window).await?;
        let plan = question.plan(statement).await.map_err(|error| self.error(error))?;
        question.answer(plan).await.map_err(|error| self.error(error))
    }

    /// A session over what is there now.
    pub(crate) async fn question(&self, window: &Window) -> Result<Question, Error> {
        self.begin(window).await.map_err(|error| self.error(error))
    }

    /// The error as who asked understands it.
    pub(crate) fn error(&self, error: datafusion::error::DataFusionError) -> Error {
        Error::from_engine(error, &self.options)
    }

    async fn begin(&self, window: &Window) -> datafusion::error::Result<Question> {
        let watch = Arc::new(Watch::default());
        let schema = Arc::new(MemorySchemaProvider::new());
        for table in Table::ALL {
            let stored = provider_as_source(self.stored(table, window, &watch)?);
            let scan = LogicalPlanBuilder::scan(table.name(), stored, None)?.build()?;
            let view = views::view(table, scan, window)?;
            schema.register_table(table.name().to_owned(), Arc::new(ViewTable::new(view, None)))?;
        }
        let catalog = Arc::new(MemoryCatalogProvider::new());
        catalog.register_schema("public", Arc::clone(&schema) as _)?;
        let catalogs = Arc::new(MemoryCatalogProviderList::new());
        catalogs.register_catalog("finderscope".to_owned(), catalog);
        let mut state = self.state.clone();
        state.register_catalog_list(catalogs);
        for (name, definition) in views::NAMED {
            let plan = state.create_logical_plan(definition).await?;
            schema.register_table(name.to_owned(), Arc::new(ViewTable::new(plan, None)))?;
        }
        Ok(Question { state, watch, limits: Limits::starting_now(&self.options) })
    }

    fn stored(
        &self,
        table: Table,
        window: &Window,
        watch: &Arc<Watch>,
    ) -> datafusion::error::Result<Arc<dyn TableProvider>> {
        let schema = read_schema(table);
        Ok(match &self.source {
            Source::Parts(parts) => {
                let parts = parts.iter().filter(|part| part.table == table).cloned().collect();
                Arc::new(PartsTable::new(schema, parts, window.received(), Arc::clone(watch)))
            }
            Source::Memory(tables) => {
                let batches = tables.get(&table).cloned().unwrap_or_default();
                Arc::new(MemTable::try_new(schema, spread(batches, self.options.threads))?)
            }
        })
    }
}

/// Batches dealt out to threads.
fn spread(batches: Vec<RecordBatch>, threads: usize) -> Vec<Vec<RecordBatch>> {
    let mut hands = vec![Vec::new(); threads.max(1)];
    let places = hands.len();
    for (index, batch) in batches.into_iter().enumerate() {
        hands[index % places].push(batch);
    }
    hands
}

/// A session with our functions and limits, and no tables.
fn session(options: &Options) -> datafusion::error::Result<SessionState> {
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_default_catalog_and_schema("finderscope", "public")
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true);
    let settings = config.options_mut();
    settings.execution.time_zone = Some("UTC".to_owned());
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.enable_page_index = false;
    settings.execution.parquet.metadata_size_hint = Some(FOOTER_HINT_BYTES);
    settings.sql_parser.map_string_types_to_utf8view = true;
    let pool: Arc<dyn MemoryPool> = match options.spill {
        Some(_) => Arc::new(FairSpillPool::new(options.memory_limit)),
        None => Arc::new(GreedyMemoryPool::new(options.memory_limit)),
    };
    let disk = match &options.spill {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::Disabled,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(disk))
        .with_metadata_cache_limit(FOOTER_CACHE_BYTES)
        .build_arc()?;
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_table_function_list(Vec::new())
        .build();
    let mut planners = state.expr_planners().to_vec();
    planners.insert(0, Arc::new(Operators));
    let mut functions: Vec<_> = state.scalar_functions().values().cloned().collect();
    functions.extend(functions::all());
    Ok(SessionStateBuilder::new_from_existing(state)
        .with_expr_planners(planners)
        .with_physical_optimizer_rule(Arc::new(YieldingJoins))
        .with_scalar_functions(functions)
        .build())
}

/// One question: a session over a snapshot, with its progress and its deadline.
pub(crate) struct Question {
    state: SessionState,
    watch: Arc<Watch>,
    limits: Limits,
}

impl Question {
    async fn plan(
        &self,
        statement: datafusion::sql::sqlparser::ast::Statement,
    ) -> datafusion::error::Result<LogicalPlan> {
        let statement = Statement::Statement(Box::new(statement));
        self.check_tables(&statement)?;
        self.state.statement_to_plan(statement).await
    }

    fn check_tables(&self, statement: &Statement) -> datafusion::error::Result<()> {
        let known = self.tables();
        for table in self.state.resolve_table_references(statement)? {
            if table.schema().is_none_or(|schema| schema != "information_schema")
                && !known.contains(&table.table().to_owned())
            {
                return Err(literals::external(Error::UnknownTable { name: table.to_string(), tables: known }));
            }
        }
        Ok(())
    }

    fn tables(&self) -> Vec<String> {
        let views = views::NAMED.iter().map(|(name, _)| (*name).to_owned());
        Table::ALL.iter().map(|table| table.name().to_owned()).chain(views).collect()
    }

    /// The rows of `table` in the question's window.
    pub(crate) async fn table(&self, table: Table) -> datafusion::error::Result<LogicalPlanBuilder> {
        let provider = self.state.schema_for_ref(table.name())?.table(table.name()).await?;
        let provider =
            provider.ok_or_else(|| datafusion::common::internal_datafusion_err!("no table {}", table.name()))?;
        LogicalPlanBuilder::scan(table.name(), provider_as_source(provider), None)
    }

    /// Runs a plan.
    pub(crate) async fn answer(&self, plan: LogicalPlan) -> datafusion::error::Result<Answer> {
        let sums = PlainSums::default();
        let plan = sums.watch(literals::read_literals(plan)?)?;
        Answer::start(&self.state, plan, Arc::clone(&self.watch), sums, self.limits.clone()).await
    }
}
