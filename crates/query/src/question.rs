//! One question: a session over what is there when it is asked, with its progress and its deadline.

use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemTable, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::{parser, sqlparser::ast};
use finderscope_flow::Table;

use crate::answer::{Answer, Limits, Work};
use crate::database::Source;
use crate::filter::Filter;
use crate::literals::{external, read_literals};
use crate::names::{self, Known, NameTable};
use crate::part::TimeRange;
use crate::scan::PartsTable;
use crate::schema::read_schema;
use crate::shelf::Shelf;
use crate::sql::PlainSums;
use crate::uses::Uses;
use crate::watch::Watch;
use crate::window::Window;
use crate::{Error, Options, Warning, totals, views};

/// The catalog's and schema's names; they show in nothing but the planner's errors.
pub(crate) const CATALOG: &str = "finderscope";
pub(crate) const SCHEMA: &str = "public";

/// A question, ready to be planned.
pub(crate) struct Question {
    state: SessionState,
    shelf: Option<Arc<Shelf>>,
    watch: Arc<Watch>,
    limits: Limits,
    uses: Uses,
    /// What must be said about the names.
    warnings: Vec<Warning>,
}

impl Question {
    /// Looks at what `source` has now, and gives it names.
    pub(crate) async fn begin(
        source: &Source,
        options: &Options,
        mut state: SessionState,
        window: &Window,
        filter: Option<&Filter>,
        uses: Uses,
    ) -> Result<Self> {
        let limits = Limits::starting_now(options);
        // `now()` is the same throughout a question.
        state.mark_start_execution();
        let watch = Arc::new(Watch::default());
        let shelf = shelf(source, window.received())?;
        let (known, warnings) = match uses.any_names() {
            true => limits.within(gather(source, options, &state, &uses)).await.map_err(external)??,
            false => Default::default(),
        };
        let tables = Arc::new(MemorySchemaProvider::new());
        for table in Table::ALL {
            let Some(stored) = stored(source, shelf.as_ref(), &watch, table, options.threads)? else { continue };
            let scan = LogicalPlanBuilder::scan(table.name(), provider_as_source(stored), None)?.build()?;
            let view = ViewTable::new(views::view(table, scan, window, filter, &uses, &known)?, None);
            tables.register_table(table.name().to_owned(), Arc::new(view))?;
        }
        for table in NameTable::ALL {
            let rows = names::table(table, &known)?;
            let rows = MemTable::try_new(table.schema(), vec![vec![rows]])?;
            tables.register_table(table.name().to_owned(), Arc::new(rows))?;
        }
        state.register_catalog_list(catalogs(tables)?);
        Ok(Self { state, shelf, watch, limits, uses, warnings })
    }

    /// Plans a statement.
    pub(crate) async fn plan(&self, mut statement: ast::Statement) -> Result<LogicalPlan> {
        self.uses.keep_out_of_wildcards(&mut statement);
        let statement = parser::Statement::Statement(Box::new(statement));
        self.check_tables(&statement)?;
        self.state.statement_to_plan(statement).await
    }

    /// The planner's own complaint would name catalogs and schemas that nobody asked for.
    fn check_tables(&self, statement: &parser::Statement) -> Result<()> {
        let names = NameTable::ALL.iter().map(|table| table.name().to_owned());
        let tables: Vec<String> = Table::ALL.iter().map(|table| table.name().to_owned()).chain(names).collect();
        for table in self.state.resolve_table_references(statement)? {
            let is_ours = table.schema().is_none_or(|schema| schema != "information_schema");
            if is_ours && !tables.iter().any(|known| known == table.table()) {
                return Err(external(Error::UnknownTable { name: table.to_string(), tables }));
            }
        }
        Ok(())
    }

    /// The rows of `table` in the question's window.
    pub(crate) async fn table(&self, table: Table) -> Result<LogicalPlanBuilder> {
        let provider = self.state.schema_for_ref(table.name())?.table(table.name()).await?;
        let provider =
            provider.ok_or_else(|| datafusion::common::internal_datafusion_err!("no table {}", table.name()))?;
        LogicalPlanBuilder::scan(table.name(), provider_as_source(provider), None)
    }

    /// Runs a plan.
    pub(crate) async fn answer(&self, plan: LogicalPlan) -> Result<Answer> {
        self.start(plan, false).await
    }

    /// Runs a plan over all rows, of which it adds up the scaled bytes, and adds up their summary on the way.
    pub(crate) async fn answer_with_summary(&self, plan: LogicalPlan) -> Result<Answer> {
        self.start(plan, true).await
    }

    /// Whether totals say some of what is asked.
    pub(crate) fn uses_totals(&self, plan: LogicalPlan) -> Result<bool> {
        match &self.shelf {
            Some(shelf) if self.limits.uses_totals() => {
                let watch = Arc::new(Watch::default());
                let plan = read_literals(plan)?;
                Ok(totals::rewrite(plan.clone(), shelf, &watch, &self.state)? != plan)
            }
            _ => Ok(false),
        }
    }

    async fn start(&self, plan: LogicalPlan, summed: bool) -> Result<Answer> {
        let sums = PlainSums::default();
        let plan = sums.watch(read_literals(plan)?)?;
        let work = Work {
            state: self.state.clone(),
            plan,
            shelf: self.shelf.clone(),
            watch: Arc::clone(&self.watch),
            warnings: self.warnings.clone(),
            sums,
            summed,
            limits: self.limits.clone(),
        };
        Answer::start(work).await.map_err(external)
    }
}

/// The parts that `source` has now, where it has parts.
fn shelf(source: &Source, range: TimeRange) -> Result<Option<Arc<Shelf>>> {
    match source {
        Source::Parts(catalog) => {
            Shelf::new(Arc::clone(catalog), range).map(|shelf| Some(Arc::new(shelf))).map_err(external)
        }
        Source::Memory(_) => Ok(None),
    }
}

/// A table as it is stored.
fn stored(
    source: &Source,
    shelf: Option<&Arc<Shelf>>,
    watch: &Arc<Watch>,
    table: Table,
    threads: usize,
) -> Result<Option<Arc<dyn TableProvider>>> {
    Ok(match (source, shelf) {
        (Source::Memory(batches), _) => {
            let batches = batches.get(&table).cloned().unwrap_or_default();
            Some(Arc::new(MemTable::try_new(read_schema(table), dealt(batches, threads))?))
        }
        (Source::Parts(_), Some(shelf)) => {
            Some(Arc::new(PartsTable::new(table, read_schema(table), Arc::clone(shelf), Arc::clone(watch))))
        }
        (Source::Parts(_), None) => None,
    })
}

/// How often names are gathered anew because parts were taken away meanwhile.
const GATHERINGS_MAX: u32 = 3;

/// Gathers names from all that is stored, whenever it was told, and what must be said about that.
async fn gather(
    source: &Source,
    options: &Options,
    state: &SessionState,
    uses: &Uses,
) -> Result<(Known, Vec<Warning>)> {
    let mut left = GATHERINGS_MAX;
    loop {
        let (watch, mut state) = (Arc::new(Watch::default()), state.clone());
        let shelf = shelf(source, TimeRange::ALL)?;
        let tables = Arc::new(MemorySchemaProvider::new());
        for table in [Table::Options, Table::Counters] {
            if let Some(stored) = stored(source, shelf.as_ref(), &watch, table, options.threads)? {
                tables.register_table(table.name().to_owned(), stored)?;
            }
        }
        state.register_catalog_list(catalogs(tables)?);
        let known = Known::gather(&state, uses.tables.contains(&NameTable::Interfaces)).await?;
        left -= 1;
        if !watch.must_begin_anew() || left == 0 {
            return Ok((known, watch.warnings()));
        }
    }
}

fn catalogs(tables: Arc<dyn SchemaProvider>) -> Result<Arc<dyn CatalogProviderList>> {
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, tables)?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
    Ok(Arc::new(catalogs))
}

/// Batches dealt out to threads.
fn dealt<T>(batches: Vec<T>, threads: usize) -> Vec<Vec<T>> {
    let mut hands: Vec<Vec<T>> = (0..threads.max(1)).map(|_| Vec::new()).collect();
    let places = hands.len();
    for (index, batch) in batches.into_iter().enumerate() {
        hands[index % places].push(batch);
    }
    hands
}
