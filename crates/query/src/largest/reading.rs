//! What a thread does in a pass.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::BooleanArray;
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::StreamExt;

use super::Settings;
use super::band::{Range, Rank};
use super::buckets::{Bounds, Buckets};
use super::groups::{self, Groups};
use super::recipe::{Recipe, hash};

/// Fewer buckets than so many are not worth a pass.
const BUCKET_BITS_MIN: u32 = 10;
/// What may be held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Bytes of one thread's groups.
    pub(super) groups: usize,
    /// Bytes of all buckets.
    pub(super) buckets: usize,
}

/// A thread's groups, and the memory that they take.
pub(super) struct Held {
    pub(super) groups: Groups,
    pub(super) memory: MemoryReservation,
}

impl Held {
    /// Whether there is room for them.
    fn fits(&self, budget: Budget) -> bool {
        let size = self.groups.size();
        size <= budget.groups && self.memory.try_resize(size).is_ok()
    }
}

/// The buckets, once somebody needs them.
pub(super) struct Sums {
    buckets: OnceLock<Buckets>,
    memory: Mutex<MemoryReservation>,
    settings: Settings,
    budget: Budget,
}

impl Sums {
    pub(super) fn new(memory: MemoryReservation, settings: Settings, budget: Budget) -> Self {
        Self { buckets: OnceLock::new(), memory: Mutex::new(memory), settings, budget }
    }

    /// The buckets and their memory, where somebody needed them.
    pub(super) fn into_buckets(self) -> Option<(Buckets, MemoryReservation)> {
        let memory = self.memory.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.buckets.into_inner().map(|buckets| (buckets, memory))
    }

    /// As many as there is room for.
    fn buckets(&self) -> Result<&Buckets> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(buckets) = self.buckets.get() {
            return Ok(buckets);
        }
        let mut bits = self.settings.bucket_bits_max;
        while bits > BUCKET_BITS_MIN && Buckets::bytes(bits) > self.budget.buckets {
            bits -= 1;
        }
        while let Err(error) = memory.try_resize(Buckets::bytes(bits)) {
            if bits <= BUCKET_BITS_MIN {
                return Err(error);
            }
            bits -= 1;
        }
        Ok(self.buckets.get_or_init(|| Buckets::new(bits)))
    }

    /// Whether it does not pay to go on with a table of groups.
    fn is_many(&self, held: &Held, rows: usize) -> bool {
        let groups = held.groups.len();
        let many = groups > self.settings.few_groups && rows / self.settings.rows_per_group < groups;
        many || self.buckets.get().is_some() || !held.fits(self.budget)
    }
}

/// A thread of the first pass: the groups, where they stayed few.
pub(super) async fn read_first(
    mut rows: SendableRecordBatchStream,
    mut held: Held,
    recipe: Arc<Recipe>,
    sums: Arc<Sums>,
) -> Result<Option<Held>> {
    let mut seen = 0;
    loop {
        let Some(batch) = rows.next().await.transpose()? else { return Ok(Some(held)) };
        seen += batch.num_rows();
        held.groups.add(&recipe.cells(&batch)?)?;
        if sums.is_many(&held, seen) {
            break;
        }
    }
    let buckets = sums.buckets()?;
    fold(held, &recipe, buckets)?;
    let (mut adder, mut hashes) = (buckets.adder(), Vec::new());
    while let Some(batch) = rows.next().await.transpose()? {
        let cells = recipe.cells(&batch)?;
        hash(&cells.keys, &mut hashes)?;
        recipe.add_rows(&mut adder, &cells, &hashes)?;
    }
    Ok(None)
}

/// Adds all groups to the buckets, and lets them go.
pub(super) fn fold(held: Held, recipe: &Recipe, buckets: &Buckets) -> Result<()> {
    let states = held.groups.states()?;
    let mut hashes = Vec::new();
    hash(&states.columns()[..recipe.keys.len()], &mut hashes)?;
    recipe.add_groups(&mut buckets.adder(), &states, &hashes)
}

/// A thread of a later pass.
pub(super) struct Reader {
    pub(super) held: Held,
    pub(super) recipe: Arc<Recipe>,
    pub(super) bounds: Arc<Bounds>,
    pub(super) range: Arc<Range>,
    pub(super) budget: Budget,
}

impl Reader {
    pub(super) async fn read(mut self, mut rows: SendableRecordBatchStream) -> Result<Held> {
        let mut hashes = Vec::new();
        while let Some(batch) = rows.next().await.transpose()? {
            hash(&self.recipe.keys(&batch)?, &mut hashes)?;
            let band = self.range.band();
            let wanted = BooleanBuffer::collect_bool(hashes.len(), |row| band.holds(&self.bounds, hashes[row]));
            if wanted.count_set_bits() == 0 {
                continue;
            }
            let batch = filter_record_batch(&batch, &BooleanArray::new(wanted, None))?;
            self.held.groups.add(&self.recipe.cells(&batch)?)?;
            while !self.held.fits(self.budget) {
                self.let_go()?;
            }
        }
        Ok(self.held)
    }

    /// Lets go of half of the groups, those with the smaller bounds: of those that another thread let go, or else of more.
    fn let_go(&mut self) -> Result<()> {
        let groups = std::mem::replace(&mut self.held.groups, Groups::new(&self.recipe)?);
        let before = groups.len();
        let states = groups.states()?;
        let mut band = self.range.band();
        let (mut states, mut ranks) = groups::within(&states, &self.recipe, &band, &self.bounds)?;
        if ranks.len() > before / 2 {
            let Some(from) = middle(&mut ranks, band.from) else {
                let text = "groups of one hash do not fit into the memory".to_owned();
                return Err(DataFusionError::ResourcesExhausted(text));
            };
            band = self.range.raise(&self.bounds, from);
            states = groups::within(&states, &self.recipe, &band, &self.bounds)?.0;
        }
        self.held.groups = Groups::of(&self.recipe, &states)?;
        Ok(())
    }
}

/// A rank that is above `from`, and if possible below half of them.
fn middle(ranks: &mut [Rank], from: Rank) -> Option<Rank> {
    let half = ranks.len() / 2;
    let above = |rank: &Rank| *rank > from;
    let middle = (half < ranks.len()).then(|| *ranks.select_nth_unstable(half).1);
    middle.filter(above).or_else(|| ranks.iter().copied().filter(above).min())
}
