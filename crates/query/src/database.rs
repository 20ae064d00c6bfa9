//! A store to be asked: its folder, or batches in memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::execution::SessionState;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::prelude::SessionConfig;
use finderscope_flow::{Column, Table};

use crate::filter::Filter;
use crate::largest::{LargestGroups, Settings};
use crate::names::UserColumn;
use crate::part::{Part, Totals};
use crate::pool::SharedPool;
use crate::question::{CATALOG, Question, SCHEMA};
use crate::schema::{conform, read_schema};
use crate::shelf::Catalog;
use crate::sql::Operators;
use crate::uses::Uses;
use crate::yielding::YieldingJoins;
use crate::{Answer, Error, Window, functions, sql};

/// Bytes of footers that are kept between questions.
const FOOTER_CACHE_BYTES: usize = 128 << 20;
/// Of a question's memory, what is kept for what no pool counts: pages that are being read, the program itself. At most
/// this, and at most a third.
const UNCOUNTED_BYTES: usize = 256 << 20;
/// Footers are read with the file's last bytes, in one go where they fit.
const FOOTER_HINT_BYTES: usize = 64 << 10;

/// How much a question may take.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for all questions together, in bytes. A third, but no more than 256 MiB, is kept for reading and for the program;
    /// groups, sorts and joins have the rest.
    pub memory_limit: usize,
    /// Threads that a question's work is cut for.
    pub threads: usize,
    /// How long a question may take.
    pub time_limit: Option<Duration>,
    /// Where what does not fit in memory may be put; nowhere, and a question that needs it fails.
    pub spill: Option<Spill>,
    /// Whether totals are used where they answer a question exactly.
    pub totals: bool,
}

/// Room on disk for what does not fit in memory. Files in it are gone when the question is.
#[derive(Clone, Debug)]
pub struct Spill {
    /// The folder.
    pub folder: PathBuf,
    /// Bytes in it at most, of all questions together.
    pub limit: u64,
}

impl Default for Options {
    /// One gigabyte, all cores, no time limit, nothing on disk, with totals.
    fn default() -> Self {
        let threads = available_parallelism().map_or(1, std::num::NonZero::get);
        Self { memory_limit: 1_000_000_000, threads, time_limit: None, spill: None, totals: true }
    }
}

/// A store to be asked.
#[derive(Clone, Debug)]
pub struct Database {
    source: Source,
    options: Options,
    state: SessionState,
    user: Vec<UserColumn>,
}

/// Where its rows are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Parts(Arc<Catalog>),
    Memory(Arc<HashMap<Table, Vec<RecordBatch>>>),
}

impl Database {
    /// The store in a folder. Nothing is locked, and each question sees what is stored when it is asked.
    pub fn open(dir: &Path, options: Options) -> Result<Self, Error> {
        Self::new(Source::Parts(Arc::new(Catalog::of_store(dir)?)), options)
    }

    /// Exactly these parts.
    pub fn over_parts(parts: Vec<Part>, options: Options) -> Result<Self, Error> {
        Self::over_parts_and_totals(parts, Vec::new(), options)
    }

    /// Exactly these parts, and these totals of some of them.
    pub fn over_parts_and_totals(parts: Vec<Part>, totals: Vec<Totals>, options: Options) -> Result<Self, Error> {
        Self::new(Source::Parts(Arc::new(Catalog::List(parts, totals))), options)
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
        Ok(Self { source, options, state, user: Vec::new() })
    }

    /// The same, where `extra` holds columns that the user declared.
    pub fn with_columns(mut self, columns: Vec<UserColumn>) -> Self {
        // A name that is looked up, or computed, is that.
        let is_free = |column: &UserColumn| {
            let name = column.name.as_str();
            Column::by_name(name).is_none() && !Column::DERIVED.contains(&name)
        };
        self.user = columns.into_iter().filter(is_free).collect();
        self
    }

    /// The columns that the user declared.
    pub fn user_columns(&self) -> &[UserColumn] {
        &self.user
    }

    /// How much a question may take.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Answers a question in SQL, over the rows of the window.
    pub async fn sql(&self, question: &str, window: &Window) -> Result<Answer, Error> {
        self.sql_filtered(question, window, None).await
    }

    /// Answers a question in SQL, over those rows of the window that pass the filter: of flows, events and drops.
    pub async fn sql_filtered(
        &self,
        question: &str,
        window: &Window,
        filter: Option<&Filter>,
    ) -> Result<Answer, Error> {
        let statement = sql::parse(question)?;
        let uses = Uses::of_sql(question, &statement, &self.user);
        let uses = uses.and(Uses::of(std::iter::empty(), filter.and_then(Filter::condition).as_ref(), &self.user));
        let answer = async {
            let state = self.state.clone();
            let question = Question::begin(&self.source, &self.options, state, window, filter, uses).await?;
            let plan = question.plan(statement).await?;
            question.answer(plan).await
        };
        answer.await.map_err(|error| self.error(error))
    }

    /// A session over what is there now.
    ///
    /// It has the columns `keys` and those that `filter` uses.
    pub(crate) async fn question(
        &self,
        keys: impl Iterator<Item = &str>,
        filter: Option<&Filter>,
        window: &Window,
    ) -> Result<Question, Error> {
        let uses = Uses::of(keys, filter.and_then(Filter::condition).as_ref(), &self.user);
        let question = Question::begin(&self.source, &self.options, self.state.clone(), window, None, uses).await;
        question.map_err(|error| self.error(error))
    }

    /// The error as who asked understands it.
    pub(crate) fn error(&self, error: datafusion::error::DataFusionError) -> Error {
        Error::from_engine(error, &self.options)
    }
}

/// A session with our functions and limits, and no tables.
fn session(options: &Options) -> datafusion::error::Result<SessionState> {
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true);
    let settings = config.options_mut();
    settings.execution.time_zone = Some("UTC".to_owned());
    // Rows are chosen while they are decoded: measured 1.3 to 2 times faster than after, from one row in a hundred
    // thousand to one in five; reordering the conditions gains nothing.
    settings.execution.parquet.pushdown_filters = true;
    // Where more than every third row begins a group, to group a thread's rows before all threads' does not pay.
    settings.execution.skip_partial_aggregation_probe_ratio_threshold = 0.33;
    settings.execution.parquet.enable_page_index = false;
    settings.execution.parquet.metadata_size_hint = Some(FOOTER_HINT_BYTES);
    settings.sql_parser.map_string_types_to_utf8view = true;
    let counted = options.memory_limit - UNCOUNTED_BYTES.min(options.memory_limit / 3);
    let pool: Arc<dyn MemoryPool> = match options.spill {
        Some(_) => Arc::new(SharedPool::new(counted)),
        None => Arc::new(GreedyMemoryPool::new(counted)),
    };
    let disk = match &options.spill {
        Some(spill) => DiskManagerMode::Directories(vec![spill.folder.clone()]),
        None => DiskManagerMode::Disabled,
    };
    let spill_limit = options.spill.as_ref().map_or(0, |spill| spill.limit);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(disk).with_max_temp_directory_size(spill_limit),
        )
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
    let rules = rules(&state, Settings::default());
    Ok(SessionStateBuilder::new_from_existing(state)
        .with_expr_planners(planners)
        .with_physical_optimizer_rules(rules)
        .with_physical_optimizer_rule(Arc::new(YieldingJoins))
        .with_scalar_functions(functions)
        .build())
}

/// The planner's rules, and where it is settled how rows are read and sorted, ours.
pub(crate) fn rules(state: &SessionState, largest: Settings) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = state.physical_optimizers().to_vec();
    let place = rules.iter().position(|rule| rule.name() == "EnsureCooperative").unwrap_or(rules.len());
    rules.insert(place, Arc::new(LargestGroups(largest)));
    rules
}
