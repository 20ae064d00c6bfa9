//! Values and their places in a dictionary, in the order in which they first came.

/// What can be looked up.
pub(super) trait Key: Copy + Eq {
    /// All of its bits, well mixed, the best at the top.
    fn mixed(self) -> u64;

    /// Its slot, where it is a small number.
    #[inline]
    fn near(self) -> Option<usize> {
        None
    }
}

/// Smaller numbers have slots of their own.
const NEAR: usize = 1 << 12;
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key for u64 {
    fn mixed(self) -> u64 {
        let product = self.wrapping_mul(MIX);
        (product ^ product >> 32).wrapping_mul(MIX)
    }

    #[inline]
    fn near(self) -> Option<usize> {
        (self < NEAR as u64).then_some(self as usize)
    }
}

/// A byte string of at most 16 bytes, as every address is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Short {
    halves: [u64; 2],
    length: u8,
}

impl Short {
    /// The longest there is.
    pub(super) const BYTES: usize = 16;

    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        if let Ok(four) = <[u8; 4]>::try_from(bytes) {
            return Some(Self { halves: [u64::from(u32::from_le_bytes(four)), 0], length: 4 });
        }
        let mut whole = [0; 16];
        whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let whole = u128::from_le_bytes(whole);
        Some(Self { halves: [whole as u64, (whole >> 64) as u64], length: bytes.len() as u8 })
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        let whole = u128::from(self.halves[0]) | u128::from(self.halves[1]) << 64;
        whole.to_le_bytes()[..usize::from(self.length)].to_vec()
    }
}

impl Key for Short {
    fn mixed(self) -> u64 {
        (self.halves[0] ^ self.halves[1].rotate_left(29).wrapping_mul(MIX) ^ u64::from(self.length) << 56).mixed()
    }
}

/// A dictionary that grows.
#[derive(Debug)]
pub(super) struct Interner<K> {
    keys: Vec<K>,
    /// A place plus one, or zero; a power of two of them, at most half of them used.
    slots: Vec<u32>,
    /// Keys that are looked up together.
    block: Vec<K>,
    /// The slots of keys that are small numbers, which need no looking for.
    near: Vec<u32>,
}

impl<K> Default for Interner<K> {
    fn default() -> Self {
        Self { keys: Vec::new(), slots: vec![0; 1 << 10], block: Vec::new(), near: vec![0; NEAR] }
    }
}

/// So many keys are looked up together.
const BLOCK: usize = 512;

impl<K: Key> Interner<K> {
    /// The place of a key.
    #[inline]
    pub(super) fn place(&mut self, key: K) -> u32 {
        if let Some(near) = key.near() {
            if self.near[near] == 0 {
                self.near[near] = self.push(key);
            }
            return self.near[near] - 1;
        }
        let mask = self.slots.len() - 1;
        let mut at = (key.mixed() >> 32) as usize & mask;
        loop {
            match self.slots[at] {
                0 => return self.add(key, at),
                slot if self.keys[slot as usize - 1] == key => return slot - 1,
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds the places of the next `count` keys to `out`.
    pub(super) fn places(&mut self, keys: &mut impl Iterator<Item = K>, count: usize, out: &mut Vec<u32>) {
        let end = out.len() + count;
        let mut block = std::mem::take(&mut self.block);
        while out.len() < end {
            block.clear();
            block.extend(keys.take(BLOCK.min(end - out.len())));
            if block.is_empty() {
                break;
            }
            let changes = block.windows(2).filter(|pair| pair[0] != pair[1]).count();
            if changes * 4 < block.len() {
                self.run_by_run(&block, out);
            } else if block.iter().all(|key| key.near().is_some()) {
                out.extend(block.iter().map(|&key| self.place(key)));
            } else {
                self.together(&block, out);
            }
        }
        self.block = block;
    }

    fn run_by_run(&mut self, block: &[K], out: &mut Vec<u32>) {
        for run in block.chunk_by(|key, next| key == next) {
            out.resize(out.len() + run.len(), self.place(run[0]));
        }
    }

    /// Looks all slots up first, and only then at the keys: one is a wait for memory, many at a time wait together.
    fn together(&mut self, block: &[K], out: &mut Vec<u32>) {
        let mask = self.slots.len() - 1;
        let mut found = [0; BLOCK];
        for (found, key) in found.iter_mut().zip(block) {
            *found = self.slots[(key.mixed() >> 32) as usize & mask];
        }
        out.extend(block.iter().zip(found).map(|(&key, slot)| match self.keys.get(slot.wrapping_sub(1) as usize) {
            Some(&known) if known == key => slot - 1,
            _ => self.place(key),
        }));
    }

    /// Adds a key, and gives what its slot is to hold.
    fn push(&mut self, key: K) -> u32 {
        self.keys.push(key);
        u32::try_from(self.keys.len()).expect("a row group has fewer rows than 2^32")
    }

    fn add(&mut self, key: K, at: usize) -> u32 {
        let slot = self.push(key);
        self.slots[at] = slot;
        if self.keys.len() * 2 > self.slots.len() {
            self.slots = vec![0; self.slots.len() * 2];
            self.settle();
        }
        slot - 1
    }

    /// Puts all keys into their slots, which are empty.
    fn settle(&mut self) {
        let mask = self.slots.len() - 1;
        for (slot, &key) in (1..).zip(&self.keys) {
            if let Some(near) = key.near() {
                self.near[near] = slot;
                continue;
            }
            let mut at = (key.mixed() >> 32) as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }

    /// All keys, by their places.
    pub(super) fn keys(&self) -> &[K] {
        &self.keys
    }

    /// Gives the most frequent of `places` the first places, and renames them.
    pub(super) fn sort_by_use(&mut self, places: &mut [u32]) {
        let mut uses = vec![0u32; self.keys.len()];
        places.iter().for_each(|&place| uses[place as usize] += 1);
        let mut order: Vec<u32> = (0..uses.len() as u32).collect();
        order.sort_by_key(|&place| std::cmp::Reverse(uses[place as usize]));
        let mut renamed = vec![0u32; uses.len()];
        (0..).zip(&order).for_each(|(new, &old)| renamed[old as usize] = new);
        self.keys = order.iter().map(|&old| self.keys[old as usize]).collect();
        self.slots.fill(0);
        self.settle();
        places.iter_mut().for_each(|place| *place = renamed[*place as usize]);
    }
}
