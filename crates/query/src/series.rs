//! How much over time: flows in bins, all together or by a column.

use arrow::datatypes::IntervalMonthDayNano;
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, ident, lit};
use datafusion::prelude::coalesce;
use datafusion::scalar::ScalarValue;

use crate::top::{columns, measures};
use crate::window::time;
use crate::{Answer, Database, Error, Filter, Key, Window};

/// The width of a bin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bin {
    ns: i64,
}

impl Bin {
    /// A minute.
    pub const MINUTE: Self = Self { ns: 60_000_000_000 };
    /// An hour.
    pub const HOUR: Self = Self { ns: 3_600_000_000_000 };
    /// A day, of UTC.
    pub const DAY: Self = Self { ns: 86_400_000_000_000 };

    /// So many seconds; none for no seconds at all.
    pub fn seconds(seconds: u32) -> Option<Self> {
        (seconds > 0).then_some(Self { ns: i64::from(seconds) * 1_000_000_000 })
    }

    /// The width in nanoseconds.
    pub const fn ns(self) -> i64 {
        self.ns
    }
}

/// What a series is asked for.
#[derive(Clone, Debug)]
pub struct SeriesQuestion {
    /// How wide the bins are.
    pub bin: Bin,
    /// One line for each value of this column.
    pub by: Option<Key>,
    /// Only flows that pass.
    pub filter: Option<Filter>,
    /// Only flows in it.
    pub window: Window,
}

impl Database {
    /// Flows, packets and bytes by time: `time`, the column asked for, `flows`, `packets_scaled`, `bytes_scaled`.
    ///
    /// A flow counts in the bin of its end. Bins without flows are absent.
    pub async fn series(&self, question: &SeriesQuestion) -> Result<Answer, Error> {
        let keys = question.by.iter().map(Key::name);
        let session = self.question(keys, question.filter.as_ref(), &question.window).await?;
        self.ask(&session, |rows| binned(rows, question), question.filter.as_ref()).await
    }
}

fn binned(rows: LogicalPlan, question: &SeriesQuestion) -> datafusion::error::Result<LogicalPlan> {
    let width = IntervalMonthDayNano::new(0, 0, question.bin.ns);
    let end = coalesce(vec![col("time_flow_end_ns"), col("time_received_ns")]);
    let bin = date_bin(lit(ScalarValue::IntervalMonthDayNano(Some(width))), end, time(0)).alias("time");
    let by: Vec<Expr> = question.by.iter().map(|key| ident(key.name())).collect();
    let keys: Vec<Expr> = std::iter::once(col("time")).chain(by.clone()).collect();
    LogicalPlanBuilder::from(rows)
        .aggregate(std::iter::once(bin).chain(question.by.iter().map(Key::group)), measures())?
        .sort(keys.iter().map(|key| key.clone().sort(true, false)))?
        .project(keys.iter().cloned().chain(columns()))?
        .build()
}
