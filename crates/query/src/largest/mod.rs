//! The largest groups of very many, without a table of all groups.
//!
//! Nearly every pair of addresses is a group of its own: a table of them all exceeds the caches first and the memory then. But
//! a top wants few, and so most groups need not be known. [`LargestGroups`] finds a sort that keeps the first N of groups, by a
//! sum or count that only grows, largest first, and [`exec`] answers it in passes over the rows:
//!
//! 1. Rows are grouped as ever while groups are few. Where they become many, the groups so far, and each row after them, are
//!    only added to a *bucket* chosen by the hash of their keys ([`buckets`]). A bucket's sum is a *bound*: none of its groups
//!    has more.
//! 2. The rows are read again, and those of the buckets with the largest bounds, from a threshold on, are grouped exactly. Their N
//!    largest groups are kept. Where the N-th has more than the threshold, no other group can have as much: the answer is
//!    complete, equal groups included.
//! 3. Else all groups in buckets whose bound is not below the N-th's are still to be looked at, and the rows are read again for these.
//!    Where they do not fit into memory, for as many as do ([`band`]), and so on.
//!
//! Bounds decide what is *not* looked at, and nothing else: what is kept was grouped, merged and sorted by the planner's own
//! operators ([`upper`]), so that the answer is the one that they would give over all groups. Where so many groups
//! are equal that passes would not end, and groups may spill to disk, the planner's own way is taken after all.
//!
//! What adds up on the way (a top's summary) is asked in the first pass alone.

mod band;
mod buckets;
mod exec;
mod find;
mod groups;
mod passes;
mod reading;
mod recipe;
#[cfg(test)]
mod tests;
mod upper;

pub(crate) use find::LargestGroups;

/// When a pass more is taken, and what it may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Groups of a thread that are few, however few rows they are of.
    few_groups: usize,
    /// More are many where there are no more rows than so many to each.
    rows_per_group: usize,
    /// There are two to the power of so many buckets at most.
    bucket_bits_max: u32,
    /// Bytes of a pass's groups, of all threads; by default by the memory that there is.
    group_bytes: Option<usize>,
    /// More passes than so many are not taken where groups may spill.
    passes_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { few_groups: 1 << 17, rows_per_group: 4, bucket_bits_max: 24, group_bytes: None, passes_max: 6 }
    }
}
