//! The same datagram twice: switches with mirrored exports, and networks that repeat, would count traffic twice.
//!
//! A datagram's sequence number is among its bytes, so that a hash of the bytes stands for both.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

/// Hashes of an exporter's last datagrams.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(from = "VecDeque<u64>", into = "VecDeque<u64>")]
pub(crate) struct Duplicates {
    order: VecDeque<u64>,
    known: HashSet<u64, BuildHasherDefault<AsItIs>>,
}

impl Duplicates {
    /// Whether these bytes are among the last `window` different ones; they are from now on.
    pub(crate) fn is_repeated(&mut self, bytes: &[u8], window: usize) -> bool {
        let hash = hash(bytes);
        if !self.known.insert(hash) {
            return true;
        }
        self.order.push_back(hash);
        while self.order.len() > window {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        false
    }
}

impl From<VecDeque<u64>> for Duplicates {
    fn from(order: VecDeque<u64>) -> Self {
        let known = order.iter().copied().collect();
        Self { order, known }
    }
}

impl From<Duplicates> for VecDeque<u64> {
    fn from(duplicates: Duplicates) -> Self {
        duplicates.order
    }
}

/// What is hashed already needs no hashing.
#[derive(Clone, Copy, Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Odd numbers with bits all over, one for each lane.
const LANES: [u64; 4] = [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x2545_F491_4F6C_DD1D];

/// Another one, so that what a word was multiplied with is not what its lane is.
const SPREAD: u64 = 0xD6E8_FEB8_6659_FD93;

/// A hash that a restart does not change. Who forges collisions only hides datagrams of his own.
///
/// Four lanes, since one multiplication need not wait for another's: a datagram takes some tens of nanoseconds. Each
/// word is multiplied before it meets the lane and after: with one multiplication alone, a bit that changed in one
/// block looked like another bit in the next.
fn hash(bytes: &[u8]) -> u64 {
    let mut lanes = LANES;
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for ((lane, word), factor) in lanes.iter_mut().zip(words).zip(LANES) {
            let word = u64::from_le_bytes(*word).wrapping_mul(factor);
            *lane = lane.wrapping_add(word).rotate_left(31).wrapping_mul(SPREAD);
        }
    }
    let mut sum = (bytes.len() as u64).wrapping_mul(LANES[0]);
    for chunk in rest.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        sum = mix(sum ^ u64::from_le_bytes(word));
    }
    lanes.into_iter().fold(sum, |sum, lane| mix(sum ^ lane))
}

const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 32)).wrapping_mul(LANES[1]);
    let word = (word ^ (word >> 29)).wrapping_mul(LANES[2]);
    word ^ (word >> 32)
}

#[cfg(test)]
mod tests {
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
}
