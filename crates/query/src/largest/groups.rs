//! A table of groups, by the planner's own parts for it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::band::{Band, Rank};
use super::buckets::Bounds;
use super::recipe::{Cells, Recipe, hash};

/// Groups, as one thread has met them.
pub(super) struct Groups {
    recipe: Arc<Recipe>,
    keys: Box<dyn GroupValues>,
    measures: Vec<Box<dyn GroupsAccumulator>>,
    /// The group of each row of a batch.
    of_rows: Vec<usize>,
}

impl Groups {
    pub(super) fn new(recipe: &Arc<Recipe>) -> Result<Self> {
        let keys = new_group_values(Arc::clone(&recipe.key_schema), &GroupOrdering::None)?;
        let measures = recipe.measures.iter().map(|measure| measure.create_groups_accumulator());
        let measures = measures.collect::<Result<_>>()?;
        Ok(Self { recipe: Arc::clone(recipe), keys, measures, of_rows: Vec::new() })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Bytes they take.
    pub(super) fn size(&self) -> usize {
        let measures: usize = self.measures.iter().map(|measure| measure.size()).sum();
        self.keys.size() + measures + self.of_rows.capacity() * size_of::<usize>()
    }

    /// Adds rows.
    pub(super) fn add(&mut self, rows: &Cells) -> Result<()> {
        self.keys.intern(&rows.keys, &mut self.of_rows)?;
        let count = self.keys.len();
        for (measure, cells) in self.measures.iter_mut().zip(&rows.arguments) {
            measure.update_batch(cells, &self.of_rows, None, count)?;
        }
        Ok(())
    }

    /// Adds groups.
    fn merge(&mut self, states: &RecordBatch) -> Result<()> {
        let (keys, mut states) = states.columns().split_at(self.recipe.keys.len());
        self.keys.intern(keys, &mut self.of_rows)?;
        let count = self.keys.len();
        for (measure, of) in self.measures.iter_mut().zip(&self.recipe.measures) {
            let (own, others) = states.split_at(of.state_fields()?.len());
            measure.merge_batch(own, &self.of_rows, count)?;
            states = others;
        }
        Ok(())
    }

    /// All groups' keys and states.
    pub(super) fn states(mut self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = self.keys.emit(EmitTo::All)?;
        for measure in &mut self.measures {
            columns.extend(measure.state(EmitTo::All)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.recipe.states), columns)?)
    }

    /// Those of given states.
    pub(super) fn of(recipe: &Arc<Recipe>, states: &RecordBatch) -> Result<Self> {
        let mut groups = Self::new(recipe)?;
        groups.merge(states)?;
        Ok(groups)
    }
}

/// Of given states those in the band, and their ranks.
pub(super) fn within(
    states: &RecordBatch,
    recipe: &Recipe,
    band: &Band,
    bounds: &Bounds,
) -> Result<(RecordBatch, Vec<Rank>)> {
    let mut hashes = Vec::new();
    hash(&states.columns()[..recipe.keys.len()], &mut hashes)?;
    let within: BooleanArray = hashes.iter().map(|&hash| Some(band.holds(bounds, hash))).collect();
    hashes.retain(|&hash| band.holds(bounds, hash));
    let ranks = hashes.into_iter().map(|hash| (bounds.of(hash), hash)).collect();
    Ok((filter_record_batch(states, &within)?, ranks))
}
