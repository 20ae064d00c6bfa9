//! What totals are kept by: the cells of a dimension's columns.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, Hasher};

/// An address of at most sixteen bytes. Short ones come before long ones.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Address {
    length: u8,
    bytes: [u8; 16],
}

impl Address {
    /// None where it is longer.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let mut address = Self { length: bytes.len() as u8, bytes: [0; 16] };
        address.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(address)
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// A group of a dimension: an address, a number, or an exporter's address and a number.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Key {
    pub(super) address: Option<Address>,
    pub(super) number: Option<u32>,
}

/// What keys are ordered by, in numbers: whether and how long an address, its bytes, and the number.
pub(super) type Order = (u8, u128, u64);

impl Key {
    /// Orders as the keys themselves do, and faster.
    pub(super) fn order(&self) -> Order {
        let (length, bytes) =
            self.address.map_or((0, 0), |Address { length, bytes }| (length + 1, u128::from_be_bytes(bytes)));
        (length, bytes, self.number.map_or(0, |number| u64::from(number) + 1))
    }
}

/// Keys seen so far, numbered in the order in which they came.
#[derive(Debug)]
pub(super) struct Keys<K> {
    numbers: HashMap<K, u32, Folds>,
    keys: Vec<K>,
}

impl<K: Copy + Eq + std::hash::Hash> Keys<K> {
    pub(super) fn new() -> Self {
        Self { numbers: HashMap::with_hasher(Folds::default()), keys: Vec::new() }
    }

    pub(super) fn number(&mut self, key: K) -> u32 {
        match self.numbers.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = self.keys.len() as u32;
                self.keys.push(key);
                *new.insert(number)
            }
        }
    }

    pub(super) fn keys(&self) -> &[K] {
        &self.keys
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// Numbers seen so far, null among them. Most are small and have a place of their own, which need not be looked for.
#[derive(Debug)]
pub(super) struct Numbers {
    /// A small number's place plus one, or zero.
    near: Vec<u32>,
    far: HashMap<Option<u32>, u32, Folds>,
    keys: Vec<Option<u32>>,
}

/// As many as there are autonomous systems of two octets.
const NEAR: usize = 1 << 16;

impl Default for Numbers {
    fn default() -> Self {
        Self { near: vec![0; NEAR], far: HashMap::with_hasher(Folds::default()), keys: Vec::new() }
    }
}

impl Numbers {
    pub(super) fn number(&mut self, key: Option<u32>) -> u32 {
        let next = self.keys.len() as u32;
        let number = match key.and_then(|key| self.near.get_mut(key as usize)) {
            Some(near) => {
                if *near == 0 {
                    *near = next + 1;
                }
                *near - 1
            }
            None => *self.far.entry(key).or_insert(next),
        };
        if number == next {
            self.keys.push(key);
        }
        number
    }

    pub(super) fn keys(&self) -> &[Option<u32>] {
        &self.keys
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// Addresses seen so far: those of four bytes apart, as they are most and their table stays small.
#[derive(Debug)]
pub(super) struct Addresses {
    four: HashMap<u32, u32, Folds>,
    other: HashMap<(u128, u8), u32, Folds>,
    null: Option<u32>,
    count: u32,
    /// Whether one was longer than any address is.
    pub(super) strange: bool,
}

impl Addresses {
    pub(super) fn new() -> Self {
        let folds = Folds::default();
        let (four, other) = (HashMap::with_hasher(folds), HashMap::with_hasher(folds));
        Self { four, other, null: None, count: 0, strange: false }
    }

    pub(super) fn number(&mut self, address: Option<&[u8]>) -> u32 {
        let next = self.count;
        let number = match address {
            None => *self.null.get_or_insert(next),
            Some(&[a, b, c, d]) => *self.four.entry(u32::from_be_bytes([a, b, c, d])).or_insert(next),
            Some(bytes) => {
                let Some(short) = Address::new(bytes) else {
                    self.strange = true;
                    return self.number(None);
                };
                *self.other.entry((u128::from_be_bytes(short.bytes), short.length)).or_insert(next)
            }
        };
        self.count += u32::from(number == next);
        number
    }

    /// By their numbers. The tables know them all, so that they need not be kept twice until they are wanted.
    pub(super) fn keys(&self) -> Vec<Option<Address>> {
        let mut keys = vec![None; self.len()];
        for (address, &number) in &self.four {
            keys[number as usize] = Address::new(&address.to_be_bytes());
        }
        for (&(bytes, length), &number) in &self.other {
            keys[number as usize] = Some(Address { length, bytes: bytes.to_be_bytes() });
        }
        keys
    }

    pub(super) const fn len(&self) -> usize {
        self.count as usize
    }
}

/// Hashes whole numbers by one wide multiplication with secret factors: keys are from the network, and whoever knows
/// the factors could make all of them fall together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folds {
    secret: u64,
    factor: u64,
}

impl Default for Folds {
    fn default() -> Self {
        let state = RandomState::new();
        Self { secret: state.hash_one(1_u8), factor: state.hash_one(2_u8) | 1 }
    }
}

impl BuildHasher for Folds {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold { hash: self.secret, factor: self.factor }
    }
}

#[derive(Debug)]
pub(super) struct Fold {
    hash: u64,
    factor: u64,
}

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.hash ^ number) * u128::from(self.factor);
        self.hash = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write_u128(&mut self, number: u128) {
        self.write_u64(number as u64);
        self.write_u64((number >> 64) as u64);
    }
}
