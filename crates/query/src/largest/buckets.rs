//! Sums by the hash of their keys: of each bucket's groups, how much one can have at most.
//!
//! A bucket is the upper bits of the hash. All threads add to the same buckets: what a thread has to add it first sorts by
//! region, which is as much as fits into a processor's own cache, and takes a region for itself when it has some hundreds for it.

use std::sync::{Mutex, PoisonError};

/// A region has two to the power of so many buckets: half a megabyte.
const REGION_BITS: u32 = 16;
/// Values that wait for a region's turn.
const WAITING: usize = 256;

/// Sums that are being added up.
#[derive(Debug)]
pub(super) struct Buckets {
    bits: u32,
    regions: Vec<Mutex<Vec<u64>>>,
}

impl Buckets {
    /// Two to the power of `bits` buckets, empty.
    pub(super) fn new(bits: u32) -> Self {
        let region = || Mutex::new(vec![0; 1 << bits.min(REGION_BITS)]);
        Self { bits, regions: (0..1_usize << bits.saturating_sub(REGION_BITS)).map(|_| region()).collect() }
    }

    /// Bytes of so many buckets.
    pub(super) const fn bytes(bits: u32) -> usize {
        size_of::<u64>() << bits
    }

    /// One thread's way to add.
    pub(super) fn adder(&self) -> Adder<'_> {
        let waiting = self.regions.iter().map(|_| Vec::with_capacity(WAITING)).collect();
        Adder { buckets: self, waiting }
    }

    /// What was added up, as bounds.
    pub(super) fn bounds(self) -> Bounds {
        let region = |region: Mutex<Vec<u64>>| region.into_inner().unwrap_or_else(PoisonError::into_inner);
        Bounds { bits: self.bits, regions: self.regions.into_iter().map(region).collect() }
    }
}

/// A bucket's region, and its place there.
fn place(hash: u64, bits: u32) -> (usize, u16) {
    let bucket = (hash >> (u64::BITS - bits)) as usize;
    (bucket >> REGION_BITS, bucket as u16)
}

/// Adds to buckets.
pub(super) struct Adder<'a> {
    buckets: &'a Buckets,
    /// By region: places and values.
    waiting: Vec<Vec<(u16, u64)>>,
}

impl Adder<'_> {
    /// Adds to a bucket; a sum stays at the largest number.
    pub(super) fn add(&mut self, hash: u64, value: u64) {
        let (region, place) = place(hash, self.buckets.bits);
        let waiting = &mut self.waiting[region];
        waiting.push((place, value));
        if waiting.len() == WAITING {
            settle(&self.buckets.regions[region], waiting);
        }
    }
}

fn settle(region: &Mutex<Vec<u64>>, waiting: &mut Vec<(u16, u64)>) {
    let mut region = region.lock().unwrap_or_else(PoisonError::into_inner);
    for (place, value) in waiting.drain(..) {
        let sum = &mut region[usize::from(place)];
        *sum = sum.saturating_add(value);
    }
}

impl Drop for Adder<'_> {
    fn drop(&mut self) {
        for (region, waiting) in self.buckets.regions.iter().zip(&mut self.waiting) {
            settle(region, waiting);
        }
    }
}

/// How much a group can have, by its hash.
#[derive(Debug)]
pub(super) struct Bounds {
    bits: u32,
    regions: Vec<Vec<u64>>,
}

impl Bounds {
    /// What no group with this hash has more than.
    pub(super) fn of(&self, hash: u64) -> u64 {
        let (region, place) = place(hash, self.bits);
        self.regions[region][usize::from(place)]
    }

    /// The bucket's number.
    pub(super) const fn bucket(&self, hash: u64) -> usize {
        (hash >> (u64::BITS - self.bits)) as usize
    }

    /// All buckets' bounds, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.regions.iter().flatten().copied()
    }

    /// How many buckets come from this bound and hash on; of equal bounds, about how many.
    pub(super) fn count_from(&self, (bound, hash): (u64, u64)) -> f64 {
        let (above, equal) = self
            .iter()
            .fold((0_u64, 0_u64), |(above, equal), of| (above + u64::from(of > bound), equal + u64::from(of == bound)));
        above as f64 + equal as f64 * (1.0 - hash as f64 / u64::MAX as f64)
    }

    /// A bound that some `count` buckets reach, or more where many are nearly equal; nothing where there are fewer buckets.
    pub(super) fn reached_by(&self, count: u64) -> u64 {
        let mut steps = vec![0_u64; step(u64::MAX) + 1];
        self.iter().for_each(|bound| steps[step(bound)] += 1);
        let mut reached = 0;
        let enough = steps.iter().rposition(|&of| {
            reached += of;
            reached >= count
        });
        enough.map_or(0, least)
    }
}

/// Bits of a number that tell its step, from its first.
const STEP_BITS: u32 = 10;

/// Numbers in steps of a thousandth.
const fn step(number: u64) -> usize {
    let bits = u64::BITS - number.leading_zeros();
    if bits <= STEP_BITS {
        return number as usize;
    }
    let shift = bits - STEP_BITS;
    ((shift as usize) << (STEP_BITS - 1)) + (number >> shift) as usize
}

/// The least number of a step.
const fn least(step: usize) -> u64 {
    let half = 1 << (STEP_BITS - 1);
    if step < 2 * half {
        return step as u64;
    }
    let shift = step / half - 1;
    ((step - shift * half) as u64) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_begins_with_its_least_number() {
        for number in (0..4_000).chain((12..64).flat_map(|bit| (1 << bit) - 3..(1 << bit) + 3)).chain([u64::MAX]) {
            let step = step(number);
            assert!(least(step) <= number && self::step(least(step)) == step, "{number}");
            assert!(step == 0 || self::step(least(step) - 1) == step - 1, "{number}");
        }
    }

    #[test]
    fn threads_add_to_the_same_buckets_and_none_overflows() {
        for bits in [4, 16, 18] {
            let buckets = Buckets::new(bits);
            std::thread::scope(|threads| {
                for _ in 0..3 {
                    threads.spawn(|| {
                        let mut adder = buckets.adder();
                        (0..100_000_u64).for_each(|n| adder.add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n));
                        adder.add(u64::MAX, u64::MAX - 1);
                    });
                }
            });
            let bounds = buckets.bounds();
            assert_eq!(bounds.of(u64::MAX), u64::MAX);
            let mut expected = vec![0_u64; 1 << bits];
            for n in 0..100_000_u64 {
                expected[bounds.bucket(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))] += 3 * n;
            }
            expected[(1 << bits) - 1] = u64::MAX;
            assert!(bounds.iter().eq(expected.iter().copied()), "{bits} bits");
        }
    }

    #[test]
    fn a_threshold_is_reached_by_as_many_as_wanted() {
        let buckets = Buckets::new(17);
        let mut adder = buckets.adder();
        (0..1_u64 << 17).for_each(|n| adder.add(n << 47, n * 1_000));
        drop(adder);
        let bounds = buckets.bounds();
        for count in [1, 10, 1_000, 100_000, 1 << 17] {
            let reached = bounds.count_from((bounds.reached_by(count), 0)) as u64;
            assert!((count..=count + (1 << 17) / 256).contains(&reached), "{count}: {reached}");
        }
        assert_eq!(bounds.reached_by((1 << 17) + 1), 0);
    }
}
