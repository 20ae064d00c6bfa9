//! Flows themselves, as a list.

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, ident};
use finderscope_flow::Column;

use crate::{Answer, COMPUTED, Database, Error, Filter, Window};

/// In which order flows are listed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// As they are found, which is the fastest.
    #[default]
    None,
    /// By a column's values.
    By {
        /// The column.
        column: String,
        /// The largest first.
        descending: bool,
    },
}

/// Which flows are asked for.
#[derive(Clone, Debug, Default)]
pub struct FlowsQuestion {
    /// Only flows that pass.
    pub filter: Option<Filter>,
    /// Only flows in it.
    pub window: Window,
    /// In this order.
    pub order: Order,
    /// At most so many.
    pub limit: Option<usize>,
    /// Only these columns; all where there are none.
    pub columns: Vec<String>,
}

impl Database {
    /// The flows that pass the filter, in the window.
    pub async fn flows(&self, question: &FlowsQuestion) -> Result<Answer, Error> {
        let order = match &question.order {
            Order::None => None,
            Order::By { column, .. } => Some(column.as_str()),
        };
        let keys = question.columns.iter().map(String::as_str).chain(order);
        let session = self.question(keys, question.filter.as_ref(), &question.window).await?;
        self.ask(&session, |rows| listed(rows, question), question.filter.as_ref()).await
    }
}

fn is_stored(name: &str) -> bool {
    Column::by_name(name).is_some() || COMPUTED.iter().any(|(computed, _)| *computed == name)
}

fn listed(rows: LogicalPlan, question: &FlowsQuestion) -> datafusion::error::Result<LogicalPlan> {
    let rows = LogicalPlanBuilder::from(rows);
    let rows = match &question.order {
        Order::None => rows,
        Order::By { column, descending } => rows.sort([ident(column).sort(!descending, false)])?,
    };
    let rows = match question.limit {
        Some(limit) => rows.limit(0, Some(limit))?,
        None => rows,
    };
    match question.columns.as_slice() {
        [] => {
            // All that is stored, whatever else the order and the filter use.
            let all = rows.schema().fields().iter().map(|field| field.name().clone());
            let all: Vec<String> = all.filter(|name| is_stored(name)).collect();
            rows.project(all.iter().map(ident))?.build()
        }
        columns => rows.project(columns.iter().map(ident))?.build(),
    }
}
