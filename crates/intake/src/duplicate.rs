//! The same datagram twice: switches with mirrored exports, and networks that repeat, would count traffic twice.
//!
//! A datagram's sequence number is among its bytes, so that a hash of the bytes stands for both. Of an exporter that sends
//! much, the last [`WINDOW_MAX`] hashes take 8 KiB and the table by which they are found 4 KiB more; both grow as
//! datagrams come, since there may be ten thousand exporters that send little.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Most datagrams of an exporter that a new one is compared with.
pub(crate) const WINDOW_MAX: usize = 1 << PLACE_BITS;

/// Hashes of an exporter's last datagrams.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(from = "VecDeque<u64>", into = "VecDeque<u64>")]
pub(crate) struct Duplicates {
    /// Once there are as many as the window has, the next one takes the place of the oldest.
    hashes: Vec<u64>,
    oldest: usize,
    table: Table,
}

impl Duplicates {
    /// Whether these bytes are among the last `window` different ones; they are from now on.
    pub(crate) fn is_repeated(&mut self, bytes: &[u8], window: usize) -> bool {
        let window = window.min(WINDOW_MAX);
        let hash = hash(bytes);
        if self.table.find(hash, &self.hashes) {
            return true;
        }
        if self.hashes.len() != window {
            self.fit(window);
        }
        if self.hashes.len() < window {
            self.hashes.push(hash);
            self.table.insert(hash, self.hashes.len() - 1, &self.hashes);
        } else if let Some(oldest) = self.hashes.get_mut(self.oldest) {
            self.table.remove(*oldest, self.oldest);
            *oldest = hash;
            self.table.insert(hash, self.oldest, &self.hashes);
            self.oldest = (self.oldest + 1) % window;
        }
        false
    }

    /// Reads what the next datagram, which is `bytes`, will be compared with, and what it will take the place of.
    pub(crate) fn glance(&self, bytes: &[u8]) -> u64 {
        let of = |hash| self.table.slots.get(self.table.home(hash)).map_or(0, |&slot| u64::from(slot));
        match self.hashes.get(self.oldest) {
            Some(&oldest) => of(hash(bytes)) ^ of(oldest),
            None => 0,
        }
    }

    /// Goes on with the last of another window.
    fn fit(&mut self, window: usize) {
        if self.oldest == 0 && self.hashes.len() < window {
            return;
        }
        self.hashes.rotate_left(self.oldest);
        self.oldest = 0;
        self.hashes.drain(..self.hashes.len().saturating_sub(window));
        self.table = Table::of(&self.hashes);
    }
}

impl From<VecDeque<u64>> for Duplicates {
    fn from(order: VecDeque<u64>) -> Self {
        let mut hashes = Vec::from(order);
        hashes.drain(..hashes.len().saturating_sub(WINDOW_MAX));
        Self { table: Table::of(&hashes), hashes, oldest: 0 }
    }
}

impl From<Duplicates> for VecDeque<u64> {
    fn from(mut duplicates: Duplicates) -> Self {
        duplicates.hashes.rotate_left(duplicates.oldest);
        duplicates.hashes.into()
    }
}

/// Bits of a slot that say where the hash stands.
const PLACE_BITS: u32 = 10;
/// The other bits of a slot are the hash's own, so that a hash that is another's neighbour is seldom looked at.
const TAG_MAX: u64 = 61;
/// Nothing was ever here: who looks for something need not go on.
const EMPTY: u16 = u16::MAX;
/// Something was here.
const GONE: u16 = u16::MAX - 1;

/// Where each hash stands: slots by hash, the next free one where several would have the same.
#[derive(Clone, Debug, Default)]
struct Table {
    /// A power of two, and at least a quarter of them empty.
    slots: Vec<u16>,
    /// How many are not empty.
    used: usize,
}

impl Table {
    fn of(hashes: &[u64]) -> Self {
        let mut table = Self { slots: vec![EMPTY; (2 * hashes.len()).next_power_of_two().max(8)], used: 0 };
        for (place, &hash) in hashes.iter().enumerate() {
            table.put(slot(hash, place), hash);
        }
        table
    }

    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    fn find(&self, hash: u64, hashes: &[u64]) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let (tag, mut at) = (slot(hash, 0) >> PLACE_BITS, self.home(hash));
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return false;
            }
            if slot >> PLACE_BITS == tag && slot != GONE && hashes.get(place(slot)) == Some(&hash) {
                return true;
            }
            at = self.next(at);
        }
    }

    /// Adds a hash that is not there, and already stands in `hashes`.
    fn insert(&mut self, hash: u64, place: usize, hashes: &[u64]) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            *self = Self::of(hashes);
        } else {
            self.put(slot(hash, place), hash);
        }
    }

    fn put(&mut self, slot: u16, hash: u64) {
        let mut at = self.home(hash);
        while self.slots[at] < GONE {
            at = self.next(at);
        }
        self.used += usize::from(self.slots[at] == EMPTY);
        self.slots[at] = slot;
    }

    fn remove(&mut self, hash: u64, place: usize) {
        let (gone, mut at) = (slot(hash, place), self.home(hash));
        while self.slots[at] != gone {
            if self.slots[at] == EMPTY {
                return;
            }
            at = self.next(at);
        }
        self.slots[at] = GONE;
        // Before an empty slot nobody needs to know that something was there.
        while self.slots[self.next(at)] == EMPTY && self.slots[at] == GONE {
            self.slots[at] = EMPTY;
            self.used -= 1;
            at = at.wrapping_sub(1) & (self.slots.len() - 1);
        }
    }
}

fn slot(hash: u64, place: usize) -> u16 {
    ((hash >> 58).min(TAG_MAX) << PLACE_BITS) as u16 | place as u16
}

const fn place(slot: u16) -> usize {
    (slot & (WINDOW_MAX as u16 - 1)) as usize
}

/// Odd numbers with bits all over.
const LANES: [u64; 4] = [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x2545_F491_4F6C_DD1D];

/// What lanes begin with: not what a word of theirs is mixed with, or a bit of its lower half would look like one of its upper.
const SEEDS: [u64; 4] = [0xD6E8_FEB8_6659_FD93, 0xFF51_AFD7_ED55_8CCD, 0xC4CE_B9FE_1A85_EC53, 0x94D0_49BB_1331_11EB];

/// A hash that a restart does not change. Who forges collisions only hides datagrams of his own.
///
/// Four lanes, since one multiplication need not wait for another's, and sixteen bytes for each: the upper half of a product
/// of 128 bits depends on all bits of both factors, and so does its sum with the lower one.
fn hash(bytes: &[u8]) -> u64 {
    let mut lanes = SEEDS;
    let (blocks, rest) = bytes.as_chunks::<64>();
    for block in blocks {
        let (words, _) = block.as_chunks::<16>();
        for ((lane, word), own) in lanes.iter_mut().zip(words).zip(LANES) {
            let word = u128::from_le_bytes(*word);
            *lane = fold(word as u64 ^ own, (word >> 64) as u64 ^ *lane);
        }
    }
    let mut sum = (bytes.len() as u64).wrapping_mul(LANES[0]);
    for chunk in rest.chunks(16) {
        let mut word = [0; 16];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u128::from_le_bytes(word);
        sum = fold(word as u64 ^ LANES[1], (word >> 64) as u64 ^ sum);
    }
    lanes.into_iter().fold(sum, |sum, lane| mix(sum ^ lane))
}

const fn fold(one: u64, other: u64) -> u64 {
    let product = one as u128 * other as u128;
    product as u64 ^ (product >> 64) as u64
}

const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 32)).wrapping_mul(LANES[1]);
    let word = (word ^ (word >> 29)).wrapping_mul(LANES[2]);
    word ^ (word >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_datagram_is_a_duplicate_within_the_window_only() {
        let mut duplicates = Duplicates::default();
        assert!(!duplicates.is_repeated(b"one", 2));
        assert!(duplicates.is_repeated(b"one", 2));
        assert!(!duplicates.is_repeated(b"two", 2));
        assert!(!duplicates.is_repeated(b"three", 2));
        assert!(!duplicates.is_repeated(b"one", 2));
        assert!(duplicates.is_repeated(b"three", 2));
    }

    #[test]
    fn hashes_differ_with_any_bit_and_with_the_length() {
        let bytes = [0_u8; 100];
        let mut hashes: HashSet<u64> = (0..=100).map(|length| hash(&bytes[..length])).collect();
        for bit in 0..800 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            hashes.insert(hash(&bytes));
        }
        assert_eq!(hashes.len(), 901);
    }

    #[test]
    fn hashes_are_spread_over_all_bits() {
        let hashes: Vec<u64> = (0..4_096_u32).map(|number| hash(&number.to_be_bytes().repeat(20))).collect();
        for bit in 0..64 {
            let ones = hashes.iter().filter(|&hash| hash >> bit & 1 == 1).count();
            assert!((1_800..2_300).contains(&ones), "bit {bit} is set in {ones} of 4096");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_kept_is_what_a_plain_list_would_keep(
            numbers in prop::collection::vec((0_u16..3_000, prop::sample::select(vec![1_024_usize, 1_024, 1_024, 5, 3_000, 0])), 0..6_000),
            saved_at in 0_usize..6_000,
        ) {
            let (mut duplicates, mut plain) = (Duplicates::default(), VecDeque::new());
            // Another window is as rare as another configuration.
            let mut window = WINDOW_MAX;
            for (at, (number, other)) in numbers.into_iter().enumerate() {
                if at % 500 == 0 {
                    window = other.min(WINDOW_MAX);
                }
                if at == saved_at {
                    duplicates = VecDeque::from(duplicates).into();
                }
                let known = plain.contains(&number);
                prop_assert_eq!(duplicates.is_repeated(&number.to_be_bytes(), window), known);
                if !known {
                    plain.push_back(number);
                    plain.drain(..plain.len().saturating_sub(window));
                }
            }
        }
    }
}
