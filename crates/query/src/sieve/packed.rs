//! Small numbers as runs or packed into bits (Parquet's RLE and bit-packing hybrid): levels, and places in a dictionary.

use bytes::Bytes;

use crate::compact::Compact;

/// Numbers of which single ones can be had.
#[derive(Clone, Debug)]
pub(super) enum Packed {
    /// All the same.
    Same(u32),
    /// One, two or four bits each, the lowest first.
    Bits(Bytes, u8),
    /// One byte each.
    Bytes(Bytes),
    /// Two bytes each.
    Pairs(Bytes),
    /// Three bytes each.
    Triples(Bytes),
    /// Spelled out.
    Each(Vec<u32>),
}

impl Packed {
    /// Reads `count` numbers of `width` bits; none where they make no sense.
    pub(super) fn read(bytes: &Bytes, width: u8, count: usize) -> Option<Self> {
        if width > 32 {
            return None;
        }
        let mut rest = bytes.clone();
        let header = varint(&mut rest)?;
        let length = usize::try_from(header >> 1).ok()?;
        if header & 1 == 0 && length >= count {
            return run(&mut rest, width).map(Self::Same);
        }
        let whole = header & 1 == 1 && length.checked_mul(8)? >= count;
        let long = |bytes: usize| rest.len() >= count * bytes;
        match width {
            1 | 2 | 4 if whole && rest.len() >= count.div_ceil(usize::from(8 / width)) => Some(Self::Bits(rest, width)),
            8 if whole && long(1) => Some(Self::Bytes(rest)),
            16 if whole && long(2) => Some(Self::Pairs(rest)),
            24 if whole && long(3) => Some(Self::Triples(rest)),
            _ => each(bytes.clone(), width, count).map(Self::Each),
        }
    }

    /// The number at each of these places.
    #[inline]
    pub(super) fn pick(&self, places: impl Iterator<Item = usize>, mut take: impl FnMut(u32)) {
        match self {
            Self::Same(value) => places.for_each(|_| take(*value)),
            Self::Bits(bytes, width) => {
                let (bytes, in_byte, mask) = (bytes.as_ref(), usize::from(8 / width), (1 << width) - 1);
                places.for_each(|at| {
                    let bits = bytes[at / in_byte] >> (at % in_byte * usize::from(*width));
                    take(u32::from(bits & mask));
                });
            }
            Self::Bytes(bytes) => places.for_each(|at| take(u32::from(bytes[at]))),
            Self::Pairs(bytes) => {
                let bytes = bytes.as_ref();
                places.for_each(|at| take(u32::from(u16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]]))));
            }
            Self::Triples(bytes) => {
                let bytes = bytes.as_ref();
                places.for_each(|at| {
                    let cell = &bytes[3 * at..3 * at + 3];
                    take(u32::from_le_bytes([cell[0], cell[1], cell[2], 0]));
                });
            }
            Self::Each(values) => places.for_each(|at| take(values[at])),
        }
    }
}

/// Where `count` numbers begin that lie bit by bit, and not in runs.
pub(super) fn whole(bytes: &[u8], count: usize) -> Option<usize> {
    let mut rest = Compact(bytes);
    let header = rest.varint()?;
    let groups = usize::try_from(header >> 1).ok()?;
    (header & 1 == 1 && groups.checked_mul(8)? >= count).then_some(bytes.len() - rest.0.len())
}

fn varint(bytes: &mut Bytes) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.first()?;
        *bytes = bytes.slice(1..);
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// What a run repeats.
fn run(bytes: &mut Bytes, width: u8) -> Option<u32> {
    let length = usize::from(width.div_ceil(8));
    let mut value = [0; 4];
    value[..length].copy_from_slice(bytes.get(..length)?);
    *bytes = bytes.slice(length..);
    Some(u32::from_le_bytes(value))
}

fn each(mut bytes: Bytes, width: u8, count: usize) -> Option<Vec<u32>> {
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        let left = count - values.len();
        let header = varint(&mut bytes)?;
        let length = usize::try_from(header >> 1).ok()?;
        if length == 0 {
            return None;
        }
        if header & 1 == 0 {
            let value = run(&mut bytes, width)?;
            values.resize(values.len() + length.min(left), value);
            continue;
        }
        let taken = length.saturating_mul(8).min(left);
        let needed = (taken * usize::from(width)).div_ceil(8);
        unpack(bytes.get(..needed)?, width, taken, &mut values);
        bytes = bytes.slice(length.saturating_mul(usize::from(width)).min(bytes.len())..);
    }
    Some(values)
}

/// Adds `count` numbers that lie bit by bit, the lowest first.
pub(super) fn unpack(bytes: &[u8], width: u8, count: usize, values: &mut Vec<u32>) {
    let width = u32::from(width);
    let mask = ((1_u64 << width) - 1) as u32;
    let (mut bits, mut have) = (0_u64, 0);
    let mut next = bytes.iter();
    for _ in 0..count {
        while have < width {
            bits |= u64::from(next.next().copied().unwrap_or(0)) << have;
            have += 8;
        }
        values.push(bits as u32 & mask);
        bits >>= width;
        have -= width;
    }
}

/// The ends of strings whose lengths are differences packed into bits (DELTA_BINARY_PACKED), and the bytes after them.
pub(super) fn ends(mut bytes: Bytes, count: usize) -> Option<(Vec<u32>, Bytes)> {
    let (block, parts) = (varint(&mut bytes)?, varint(&mut bytes)?);
    let total = varint(&mut bytes)?;
    let mut length = zigzag(varint(&mut bytes)?);
    let part = usize::try_from(block.checked_div(parts)?).ok()?;
    if total != count as u64 || part == 0 || !part.is_multiple_of(8) || part > 1 << 16 || parts > 1 << 10 {
        return None;
    }
    let mut ends = Vec::with_capacity(count);
    let mut end = 0_u32;
    let mut add = |length: i64| {
        end = end.checked_add(u32::try_from(length).ok()?)?;
        ends.push(end);
        Some(())
    };
    if count > 0 {
        add(length)?;
    }
    let (mut left, mut differences) = (count.saturating_sub(1), Vec::new());
    while left > 0 {
        let least = zigzag(varint(&mut bytes)?);
        let widths = bytes.get(..parts as usize).map(<[u8]>::to_vec)?;
        bytes = bytes.slice(widths.len()..);
        for width in widths {
            if left == 0 {
                break;
            }
            if width > 32 {
                return None;
            }
            let taken = part.min(left);
            differences.clear();
            let whole = part / 8 * usize::from(width);
            unpack(bytes.get(..whole)?, width, taken, &mut differences);
            bytes = bytes.slice(whole..);
            for difference in &differences {
                length = length.checked_add(least)?.checked_add(i64::from(*difference))?;
                // Differences are of 32 bits, and go around.
                length = i64::from(length as i32);
                add(length)?;
            }
            left -= taken;
        }
    }
    (ends.last().is_none_or(|end| *end as usize <= bytes.len())).then_some((ends, bytes))
}

const fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(packed: &Packed, count: usize) -> Vec<u32> {
        let mut values = Vec::new();
        packed.pick(0..count, |value| values.push(value));
        values
    }

    #[test]
    fn runs_and_packed_numbers_are_read() {
        let check = |bytes: &'static [u8], width, expected: &[u32]| {
            let bytes = Bytes::from_static(bytes);
            let packed = Packed::read(&bytes, width, expected.len());
            assert_eq!(packed.map(|packed| values(&packed, expected.len())), Some(expected.to_vec()), "{bytes:?}");
        };
        check(&[0x0a, 7], 8, &[7; 5]);
        check(&[0x03, 0b1010_0110], 1, &[0, 1, 1, 0, 0, 1, 0, 1]);
        check(&[0x05, 0b1110_0100, 0b0001_1011, 0, 0], 2, &[0, 1, 2, 3, 3, 2, 1, 0, 0]);
        check(&[0x03, 0x21, 0x43, 0x65, 0x87], 4, &[1, 2, 3, 4, 5, 6, 7]);
        check(&[0x03, 1, 2, 3, 4, 5, 6, 7, 8], 8, &[1, 2, 3, 4, 5]);
        check(&[0x03, 1, 0, 2, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 16, &[1, 2, 259]);
        check(&[0x04, 9, 0x03, 1, 2, 3, 0, 0, 0, 0, 0], 8, &[9, 9, 1, 2, 3]);
        check(&[0x03, 0x88, 0xc6, 0xfa], 3, &[0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let bytes = Bytes::from_static(&[0x04, 9, 0x03, 1, 2, 3, 4, 5, 6, 7, 8]);
        for end in 0..bytes.len() {
            assert!(Packed::read(&bytes.slice(..end), 8, 10).is_none(), "{end} bytes");
        }
        assert!(Packed::read(&Bytes::from_static(&[0x00, 0x00]), 8, 1).is_none());
    }

    #[test]
    fn lengths_become_ends() {
        // Blocks of 128 in 4 parts, three lengths: 4, 4, 16. The least difference is 0, the widths 4 bits and none.
        let mut bytes = vec![128, 1, 4, 3, 8, 0, 4, 0, 0, 0];
        bytes.extend([0xc0; 1]);
        bytes.extend([0; 15]);
        bytes.extend([1; 24]);
        let read = ends(Bytes::from(bytes.clone()), 3);
        assert_eq!(read.map(|(ends, bytes)| (ends, bytes.len())), Some((vec![4, 8, 24], 24)));
        for end in 0..bytes.len() {
            assert!(ends(Bytes::from(bytes[..end].to_vec()), 3).is_none(), "{end} bytes");
        }
    }
}
