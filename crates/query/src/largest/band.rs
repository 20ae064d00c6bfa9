//! Which groups a pass looks at: those between two ranks.
//!
//! A group's rank is its bucket's bound, and among equal bounds the hash of its keys; so even groups that are all of one bound
//! can be taken a part at a time. A pass goes from where the last one ended towards smaller bounds. When its groups
//! do not fit, its lower end is raised ([`Range::raise`]), and the groups below it are let go: they are the next pass's.

use std::sync::{Arc, Mutex, PoisonError};

use super::buckets::Bounds;

/// A bound, and a hash.
pub(super) type Rank = (u64, u64);

/// Ranks from one on, and before another.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) from: Rank,
    before: Option<Rank>,
    /// A bit for each bucket that may hold groups of the band.
    marks: Vec<u64>,
}

impl Band {
    pub(super) fn new(bounds: &Bounds, from: Rank, before: Option<Rank>) -> Self {
        let mut marks = vec![0_u64; 0];
        let most = before.map_or(u64::MAX, |(bound, _)| bound);
        for (bucket, bound) in bounds.iter().enumerate() {
            if bucket % 64 == 0 {
                marks.push(0);
            }
            if let Some(last) = marks.last_mut() {
                *last |= u64::from((from.0..=most).contains(&bound)) << (bucket % 64);
            }
        }
        Self { from, before, marks }
    }

    /// Whether a group with this hash is of the band.
    pub(super) fn holds(&self, bounds: &Bounds, hash: u64) -> bool {
        let bucket = bounds.bucket(hash);
        self.marks[bucket / 64] >> (bucket % 64) & 1 == 1 && self.is_within((bounds.of(hash), hash))
    }

    fn is_within(&self, rank: Rank) -> bool {
        rank >= self.from && self.before.is_none_or(|before| rank < before)
    }
}

/// The band that all threads of a pass look at; its lower end may rise.
#[derive(Debug)]
pub(super) struct Range(Mutex<Arc<Band>>);

impl Range {
    pub(super) fn new(band: Band) -> Self {
        Self(Mutex::new(Arc::new(band)))
    }

    /// As it is now.
    pub(super) fn band(&self) -> Arc<Band> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The band from `from` on, or where another thread already raised it further, that one.
    pub(super) fn raise(&self, bounds: &Bounds, from: Rank) -> Arc<Band> {
        let mut band = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if from > band.from {
            *band = Arc::new(Band::new(bounds, from, band.before));
        }
        Arc::clone(&band)
    }
}
