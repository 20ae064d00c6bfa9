//! A summary that is added up on the side: a top's rows are read once for both.
//!
//! [`watch`] puts a function into the plan that gives back the scaled bytes as they are, and adds up what passes.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, BinaryViewArray, PrimitiveArray, StringViewArray, UInt64Array};
use arrow::datatypes::{ArrowPrimitiveType, DataType, TimeUnit, TimestampNanosecondType, UInt64Type};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::Summary;
use crate::same::Same;

/// What the function takes, and the first of which it gives back.
const COLUMNS: [&str; 8] = [
    "bytes_scaled",
    "packets_scaled",
    "bytes",
    "packets",
    "sampling_rate",
    "sampling_source",
    "time_received_ns",
    "exporter_address",
];

/// The function's name.
pub(crate) const TALLIED: &str = "tallied";

/// The plan, whose sums of scaled bytes are watched, and what they come to.
pub(crate) fn watch(plan: LogicalPlan) -> Result<(LogicalPlan, Arc<Tally>)> {
    let tally = Arc::new(Tally::default());
    let plan = plan.transform_up(|plan| match plan {
        LogicalPlan::Aggregate(aggregate) => watch_aggregate(aggregate, &tally),
        other => Ok(Transformed::no(other)),
    })?;
    Ok((plan.data, tally))
}

fn watch_aggregate(aggregate: Aggregate, tally: &Arc<Tally>) -> Result<Transformed<LogicalPlan>> {
    let columns = aggregate.input.schema().columns();
    let columns: Option<Vec<Expr>> = COLUMNS
        .iter()
        .map(|name| columns.iter().find(|column| column.name == *name).cloned().map(Expr::Column))
        .collect();
    let Some(columns) = columns else { return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))) };
    let plan = LogicalPlan::Aggregate(aggregate);
    let names = NamePreserver::new(&plan);
    let plan = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let expr = expr.transform_up(|expr| Ok(watch_sum(expr, &columns, tally)))?;
        Ok(expr.update_data(|expr| name.restore(expr)))
    })?;
    plan.map_data(LogicalPlan::recompute_schema)
}

fn watch_sum(expr: Expr, columns: &[Expr], tally: &Arc<Tally>) -> Transformed<Expr> {
    match expr {
        Expr::AggregateFunction(mut sum)
            if sum.func.name() == "sum" && sum.params.args.first() == columns.first() && sum.params.args.len() == 1 =>
        {
            sum.params.args = vec![ScalarUDF::from(Tallied::new(tally)).call(columns.to_vec())];
            Transformed::yes(Expr::AggregateFunction(sum))
        }
        other => Transformed::no(other),
    }
}

/// Summaries by exporter.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<HashMap<Option<Vec<u8>>, Summary>>);

impl Tally {
    /// All exporters' together.
    pub(crate) fn summary(&self) -> Summary {
        let exporters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        exporters.values().fold(Summary::default(), |all, exporter| all.and(exporter))
    }

    fn add(&self, rows: &Rows<'_>) {
        let batch = rows.summaries();
        let mut exporters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (exporter, summary) in batch {
            match exporters.get_mut(&exporter.map(<[u8]>::to_vec)) {
                Some(known) => known.extend(&summary),
                None => drop(exporters.insert(exporter.map(<[u8]>::to_vec), summary)),
            }
        }
    }
}

/// The columns of a batch.
struct Rows<'a> {
    bytes_scaled: &'a UInt64Array,
    packets_scaled: &'a UInt64Array,
    bytes: &'a UInt64Array,
    packets: &'a UInt64Array,
    rates: &'a UInt64Array,
    sources: &'a StringViewArray,
    received: &'a PrimitiveArray<TimestampNanosecondType>,
    exporters: &'a BinaryViewArray,
}

impl Rows<'_> {
    fn exporter(&self, row: usize) -> Option<&[u8]> {
        self.exporters.is_valid(row).then(|| self.exporters.value(row))
    }

    /// What the rows come to, by exporter.
    fn summaries(&self) -> HashMap<Option<&[u8]>, Summary> {
        let count = self.exporters.len();
        let mut summaries: HashMap<_, Summary> = HashMap::new();
        let mut from = 0;
        while from < count {
            let exporter = self.exporter(from);
            // An exporter's rows mostly follow each other.
            let through = (from + 1..count).find(|row| self.exporter(*row) != exporter).unwrap_or(count);
            let summary = self.summary(from..through);
            summaries.entry(exporter).and_modify(|known| known.extend(&summary)).or_insert(summary);
            from = through;
        }
        summaries
    }

    fn summary(&self, rows: Range<usize>) -> Summary {
        let sampled = |row: &usize| self.rates.is_valid(*row) && self.rates.value(*row) > 1;
        let assumed = |row: &usize| {
            self.rates.is_null(*row) || self.sources.is_valid(*row) && self.sources.value(*row) == "assumed"
        };
        let received = || values(self.received, rows.clone());
        let scaled_of = |row: usize| if self.bytes_scaled.is_valid(row) { self.bytes_scaled.value(row) } else { 0 };
        Summary {
            flows: rows.len() as u64,
            bytes_scaled: sum(self.bytes_scaled, rows.clone()),
            packets_scaled: sum(self.packets_scaled, rows.clone()),
            bytes: sum(self.bytes, rows.clone()),
            packets: sum(self.packets, rows.clone()),
            flows_sampled: rows.clone().filter(sampled).count() as u64,
            bytes_assumed: rows.clone().filter(assumed).map(scaled_of).fold(0, u64::wrapping_add),
            exporters: 1,
            first_ns: received().min(),
            last_ns: received().max(),
            span_ns: 0,
        }
    }
}

fn values<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, rows: Range<usize>) -> impl Iterator<Item = T::Native> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let start = rows.start;
    let cells = array.values()[rows].iter().enumerate();
    cells.filter(move |(row, _)| nulls.is_none_or(|nulls| nulls.is_valid(start + row))).map(|(_, value)| *value)
}

fn sum(array: &UInt64Array, rows: Range<usize>) -> u64 {
    // As the planner's sums do.
    values(array, rows).fold(0, u64::wrapping_add)
}

/// The function.
#[derive(Debug, Eq, Hash, PartialEq)]
struct Tallied {
    signature: Signature,
    tally: Same<Tally>,
}

impl Tallied {
    fn new(tally: &Arc<Tally>) -> Self {
        let received = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let number = DataType::UInt64;
        let types =
            [&number, &number, &number, &number, &number, &DataType::Utf8View, &received, &DataType::BinaryView];
        // Each row counts once: the planner must neither leave it out nor ask it twice.
        let signature = Signature::exact(types.into_iter().cloned().collect(), Volatility::Volatile);
        Self { signature, tally: Same(Arc::clone(tally)) }
    }
}

impl ScalarUDFImpl for Tallied {
    fn name(&self) -> &str {
        TALLIED
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let number = |place: usize| arrays.get(place).and_then(|array| array.as_primitive_opt::<UInt64Type>());
        let columns = (number(0), number(1), number(2), number(3), number(4));
        let sources = arrays.get(5).and_then(|array| array.as_string_view_opt());
        let received = arrays.get(6).and_then(|array| array.as_primitive_opt::<TimestampNanosecondType>());
        let exporters = arrays.get(7).and_then(|array| array.as_binary_view_opt());
        let ((Some(bytes_scaled), Some(packets_scaled), Some(bytes), Some(packets), Some(rates)), Some(sources)) =
            (columns, sources)
        else {
            return exec_err!("tallied takes other columns");
        };
        let (Some(received), Some(exporters)) = (received, exporters) else {
            return exec_err!("tallied takes other columns");
        };
        self.tally.add(&Rows { bytes_scaled, packets_scaled, bytes, packets, rates, sources, received, exporters });
        Ok(ColumnarValue::Array(Arc::clone(&arrays[0])))
    }
}
