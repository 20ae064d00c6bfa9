//! The span of time that a question is about.

use datafusion::logical_expr::{Expr, col, lit};
use datafusion::prelude::coalesce;
use datafusion::scalar::ScalarValue;

use crate::part::TimeRange;

/// Which of a row's times the window is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TimeBy {
    /// When the row was received.
    #[default]
    Received,
    /// When the flow was under way: rows that overlap the window.
    Flow,
}

/// A window [since, until) of time. Where a side is missing, it is open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Window {
    /// The first nanosecond in it.
    pub since_ns: Option<i64>,
    /// The first nanosecond after it.
    pub until_ns: Option<i64>,
    /// Which time it is about.
    pub by: TimeBy,
}

impl Window {
    /// All of time.
    pub const ALL: Self = Self { since_ns: None, until_ns: None, by: TimeBy::Received };

    /// What a row of a table with flow times (`has_flow_times`) must satisfy; none where everything does.
    pub(crate) fn condition(&self, has_flow_times: bool) -> Option<Expr> {
        let (start, end) = match self.by {
            TimeBy::Flow if has_flow_times => (known("time_flow_start_ns"), known("time_flow_end_ns")),
            _ => (col("time_received_ns"), col("time_received_ns")),
        };
        let since = self.since_ns.map(|since| end.gt_eq(time(since)));
        let until = self.until_ns.map(|until| start.lt(time(until)));
        since.into_iter().chain(until).reduce(Expr::and)
    }

    /// The receive times that rows in it can have.
    pub(crate) fn received(&self) -> TimeRange {
        match self.by {
            TimeBy::Received => TimeRange {
                first_ns: self.since_ns.unwrap_or(i64::MIN),
                last_ns: self.until_ns.map_or(i64::MAX, |until| until.saturating_sub(1)),
            },
            TimeBy::Flow => TimeRange::ALL,
        }
    }
}

/// The flow's time, or where it is not known, when it was received.
fn known(column: &str) -> Expr {
    coalesce(vec![col(column), col("time_received_ns")])
}

/// A literal of the tables' time type.
pub(crate) fn time(ns: i64) -> Expr {
    lit(ScalarValue::TimestampNanosecond(Some(ns), Some("UTC".into())))
}
