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
use crate::scan::PartsTable;
use crate::schema::read_schema;
use crate::shelf::Shelf;
use crate::sql::PlainSums;
use crate::watch::Watch;
use crate::window::Window;
use crate::{Error, Options, views};

/// The catalog's and schema's names; they show in nothing but the planner's errors.
pub(crate) const CATALOG: &str = "finderscope";
pub(crate) const SCHEMA: &str = "public";

/// A question, ready to be planned.
pub(crate) struct Question {
    state: SessionState,
    shelf: Option<Arc<Shelf>>,
    watch: Arc<Watch>,
    limits: Limits,
}

impl Question {
    /// Looks at what `source` has now, and gives it names.
    pub(crate) async fn begin(
        source: &Source,
        options: &Options,
        mut state: SessionState,
        window: &Window,
        filter: Option<&Filter>,
    ) -> Result<Self> {
        let watch = Arc::new(Watch::default());
        let shelf = match source {
            Source::Parts(catalog) => {
                Some(Arc::new(Shelf::new(Arc::clone(catalog), window.received()).map_err(external)?))
            }
            Source::Memory(_) => None,
        };
        let tables = Arc::new(MemorySchemaProvider::new());
        for table in Table::ALL {
            let stored: Arc<dyn TableProvider> = match (source, &shelf) {
                (Source::Memory(batches), _) => {
                    let batches = batches.get(&table).cloned().unwrap_or_default();
                    Arc::new(MemTable::try_new(read_schema(table), dealt(batches, options.threads))?)
                }
                (Source::Parts(_), Some(shelf)) => {
                    Arc::new(PartsTable::new(table, read_schema(table), Arc::clone(shelf), Arc::clone(&watch)))
                }
                (Source::Parts(_), None) => continue,
            };
            let scan = LogicalPlanBuilder::scan(table.name(), provider_as_source(stored), None)?.build()?;
            let view = ViewTable::new(views::view(table, scan, window, filter)?, None);
            tables.register_table(table.name().to_owned(), Arc::new(view))?;
        }
        state.register_catalog_list(catalogs(Arc::clone(&tables) as _)?);
        for (name, definition) in views::NAMED {
            let view = ViewTable::new(state.create_logical_plan(definition).await?, None);
            tables.register_table(name.to_owned(), Arc::new(view))?;
        }
        Ok(Self { state, shelf, watch, limits: Limits::starting_now(options) })
    }

    /// Plans a statement.
    pub(crate) async fn plan(&self, statement: ast::Statement) -> Result<LogicalPlan> {
        let statement = parser::Statement::Statement(Box::new(statement));
        self.check_tables(&statement)?;
        self.state.statement_to_plan(statement).await
    }

    /// The planner's own complaint would name catalogs and schemas that nobody asked for.
    fn check_tables(&self, statement: &parser::Statement) -> Result<()> {
        let views = views::NAMED.iter().map(|(name, _)| (*name).to_owned());
        let tables: Vec<String> = Table::ALL.iter().map(|table| table.name().to_owned()).chain(views).collect();
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
        let sums = PlainSums::default();
        let plan = sums.watch(read_literals(plan)?)?;
        let work = Work {
            state: self.state.clone(),
            plan,
            shelf: self.shelf.clone(),
            watch: Arc::clone(&self.watch),
            sums,
            limits: self.limits.clone(),
        };
        Answer::start(work).await.map_err(external)
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
