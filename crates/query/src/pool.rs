//! Who may have how much of a question's memory, where what does not fit goes to disk.
//!
//! An even share for everybody who may spill, as `FairSpillPool` gives, leaves most of the memory idle: of five operators one
//! or two hold the groups, and these spill while the others hold nothing. Giving to whoever comes first, as
//! `GreedyMemoryPool` does, may leave nothing for one that comes late and has nothing yet that it could spill. So here an
//! operator may have more than its even share, but not of the last quarter.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct SharedPool {
    bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    /// How many consumers may spill.
    spilling: usize,
}

impl SharedPool {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { bytes, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the pool may be filled for a consumer that would have `bytes` of it.
    fn open_to(&self, consumer: &MemoryConsumer, bytes: usize, spilling: usize) -> usize {
        let even = self.bytes / spilling.max(1);
        if consumer.can_spill() && bytes > even { self.bytes - self.bytes / 4 } else { self.bytes }
    }
}

impl MemoryPool for SharedPool {
    fn name(&self) -> &str {
        "shared"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.state().spilling += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut state = self.state();
        state.spilling = state.spilling.saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        self.state().used += additional;
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        let mut state = self.state();
        state.used = state.used.saturating_sub(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state();
        let consumer = reservation.consumer();
        let open = self.open_to(consumer, reservation.size() + additional, state.spilling);
        if state.used + additional > open {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{additional} bytes more for {} with {}; {} of {} are used",
                consumer.name(),
                reservation.size(),
                state.used,
                self.bytes
            )));
        }
        state.used += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.state().used
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}

impl fmt::Display for SharedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.reserved(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A consumer of its own for each name.
    fn consumers<const N: usize>(pool: &Arc<dyn MemoryPool>, can_spill: bool) -> [MemoryReservation; N] {
        std::array::from_fn(|at| MemoryConsumer::new(format!("c{at}")).with_can_spill(can_spill).register(pool))
    }

    fn pool(bytes: usize) -> Arc<dyn MemoryPool> {
        Arc::new(SharedPool::new(bytes))
    }

    #[test]
    fn one_that_needs_it_has_three_quarters_while_the_others_hold_nothing() {
        let pool = pool(1_000);
        let [one, _two, _three, _four] = consumers(&pool, true);
        assert!(one.try_grow(750).is_ok());
        assert!(one.try_grow(1).is_err());
        assert_eq!(pool.reserved(), 750);
    }

    #[test]
    fn who_comes_late_has_the_last_quarter_up_to_its_even_share() {
        let pool = pool(1_000);
        let [one, two, three, _four] = consumers(&pool, true);
        assert!(one.try_grow(750).is_ok());
        assert!(two.try_grow(250).is_ok());
        assert!(two.try_grow(1).is_err());
        // What one gives back is there for others again, up to the last quarter for those beyond their share.
        one.shrink(500);
        assert!(two.try_grow(250).is_ok());
        assert!(two.try_grow(1).is_err());
        assert!(three.try_grow(250).is_ok());
    }

    #[test]
    fn who_cannot_spill_has_all_that_is_left() {
        let pool = pool(1_000);
        let [one] = consumers(&pool, true);
        let [fixed] = consumers(&pool, false);
        assert!(one.try_grow(600).is_ok());
        assert!(fixed.try_grow(400).is_ok());
        assert!(fixed.try_grow(1).is_err());
        drop(fixed);
        assert_eq!(pool.reserved(), 600);
    }

    #[test]
    fn consumers_that_are_gone_have_no_share() {
        let pool = pool(1_000);
        let [one] = consumers(&pool, true);
        let others = consumers::<3>(&pool, true);
        assert!(one.try_grow(800).is_err());
        drop(others);
        assert!(one.try_grow(1_000).is_ok());
    }
}
