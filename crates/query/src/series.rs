//! How much over time: flows in bins, all together or by a column.

use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, ident};

use crate::functions::owned;
use crate::literals::read_literals;
use crate::spread::SpreadTable;
use crate::top::columns;
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

const MEASURES: [&str; 3] = ["flows", "packets_scaled", "bytes_scaled"];

impl Database {
    /// Flows, packets and bytes by time: `time`, the column asked for, `flows`, `packets_scaled`, `bytes_scaled`.
    ///
    /// A flow's packets and bytes are spread over its time; the flow itself counts in the bin of its end. Bins without
    /// any share are absent.
    pub async fn series(&self, question: &SeriesQuestion) -> Result<Answer, Error> {
        let keys = question.by.iter().map(Key::name);
        let session = self.question(keys, question.filter.as_ref(), &question.window).await?;
        self.ask(&session, |rows| binned(rows, question), question.filter.as_ref()).await
    }
}

fn binned(rows: LogicalPlan, question: &SeriesQuestion) -> datafusion::error::Result<LogicalPlan> {
    let by = question.by.as_ref();
    let shares = SpreadTable::new(read_literals(rows)?, question.bin, by.map(Key::group))?;
    let by = by.map(|key| ident(SpreadTable::key()).alias(key.name()));
    let shares = LogicalPlanBuilder::scan("shares", provider_as_source(Arc::new(shares)), None)?;
    let measures = MEASURES.map(|name| sum(col(name)).alias(name));
    let keys: Vec<Expr> = std::iter::once(col("time")).chain(question.by.iter().map(|key| ident(key.name()))).collect();
    shares
        .aggregate(std::iter::once(col("time").alias("time")).chain(by), measures)?
        .project(keys.iter().cloned().chain(MEASURES.map(col)).map(|cells| {
            let name = cells.schema_name().to_string();
            owned(cells).alias(name)
        }))?
        .sort(keys.iter().map(|key| key.clone().sort(true, false)))?
        .project(keys.iter().cloned().chain(columns()))?
        .build()
}
