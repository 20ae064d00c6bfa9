//! What groups are made of: keys, measures, and which of these they are ranked by.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef, UInt64Type};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

use super::buckets::Adder;

/// How rows become groups.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) keys: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) key_schema: SchemaRef,
    pub(super) measures: Vec<Arc<AggregateFunctionExpr>>,
    /// A group's columns before all its rows are together: the keys, and the measures' states.
    pub(super) states: SchemaRef,
    pub(super) rank: Ranked,
}

/// What groups are ranked by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranked {
    /// Which measure.
    pub(super) measure: usize,
    /// Which of the columns of states is its.
    pub(super) state: usize,
    pub(super) by: By,
    /// Whether a group of which nothing is known comes before all others.
    pub(super) nulls_first: bool,
}

/// A measure that more rows never make less.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum By {
    /// A sum of numbers without a sign.
    Sum,
    /// A count of what is not null.
    Count,
}

/// A batch's keys, and by measure what it is made of.
pub(super) struct Cells {
    pub(super) keys: Vec<ArrayRef>,
    pub(super) arguments: Vec<Vec<ArrayRef>>,
}

impl Recipe {
    /// Evaluates all expressions, each once a row.
    pub(super) fn cells(&self, batch: &RecordBatch) -> Result<Cells> {
        let arguments = self.measures.iter().map(|measure| evaluate(&measure.expressions(), batch));
        Ok(Cells { keys: self.keys(batch)?, arguments: arguments.collect::<Result<_>>()? })
    }

    /// Evaluates the keys alone.
    pub(super) fn keys(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        evaluate(&self.keys, batch)
    }

    /// Adds rows to their buckets.
    pub(super) fn add_rows(&self, to: &mut Adder<'_>, cells: &Cells, hashes: &[u64]) -> Result<()> {
        let of = &cells.arguments[self.rank.measure];
        match self.rank.by {
            By::Sum => self.add_values(to, of.first(), hashes),
            By::Count => {
                for (row, &hash) in hashes.iter().enumerate() {
                    if of.iter().all(|array| array.is_valid(row)) {
                        to.add(hash, 1);
                    }
                }
                Ok(())
            }
        }
    }

    /// Adds groups to their buckets.
    pub(super) fn add_groups(&self, to: &mut Adder<'_>, states: &RecordBatch, hashes: &[u64]) -> Result<()> {
        self.add_values(to, states.columns().get(self.rank.state), hashes)
    }

    fn add_values(&self, to: &mut Adder<'_>, values: Option<&ArrayRef>, hashes: &[u64]) -> Result<()> {
        let values = values.ok_or_else(|| internal_datafusion_err!("a measure has no column"))?;
        let null = if self.rank.nulls_first { u64::MAX } else { 0 };
        if let Some(values) = values.as_primitive_opt::<UInt64Type>() {
            if values.null_count() == 0 {
                hashes.iter().zip(values.values()).for_each(|(&hash, &value)| to.add(hash, value));
            } else {
                hashes.iter().zip(values).for_each(|(&hash, value)| to.add(hash, value.unwrap_or(null)));
            }
            return Ok(());
        }
        let counts = values.as_primitive_opt::<Int64Type>();
        let counts = counts.ok_or_else(|| internal_datafusion_err!("a measure has a type without a bound"))?;
        for (&hash, count) in hashes.iter().zip(counts) {
            to.add(hash, count.unwrap_or(0).max(0).unsigned_abs());
        }
        Ok(())
    }
}

fn evaluate(expressions: &[Arc<dyn PhysicalExpr>], batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    expressions.iter().map(|expression| expression.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// The hashes that choose buckets, the same in each pass.
pub(super) fn hash(keys: &[ArrayRef], hashes: &mut Vec<u64>) -> Result<()> {
    /// Not the seed of the table of groups: a bucket's groups would lie together there.
    const SEED: u64 = 0x6c61_7267_6573_7421;
    hashes.clear();
    hashes.resize(keys.first().map_or(0, |keys| keys.len()), 0);
    create_hashes(keys, &RandomState::with_seed(SEED), hashes)?;
    // The function is made for tables, whose lower bits count; here it is the upper ones.
    for hash in hashes {
        *hash = (*hash ^ (*hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    Ok(())
}
