//! The Internet checksum (RFC 1071).

/// Adds `bytes` to a sum of 16-bit words in network order. Only the last piece may have an odd length.
pub(super) fn add(sum: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    // Two 16-bit words at a time: folding adds the halves later. 2^32 of them fit, and no packet has so many.
    let sum = words.iter().fold(sum, |sum, word| sum + u64::from(u32::from_be_bytes(*word)));
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    sum + u64::from(u32::from_be_bytes(last))
}

/// The checksum of what was added.
pub(super) const fn finish(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_example_of_rfc_1071() {
        // Section 3: the sum of these is ddf2.
        assert_eq!(finish(add(0, &[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])), !0xddf2);
    }

    #[test]
    fn agrees_with_the_plain_loop_at_every_length() {
        let bytes: Vec<u8> = (0..200_u8).map(|at| at.wrapping_mul(151) ^ 0xa5).collect();
        for length in 0..bytes.len() {
            let bytes = &bytes[..length];
            let mut plain: u32 =
                bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
            while plain > 0xffff {
                plain = (plain >> 16) + (plain & 0xffff);
            }
            assert_eq!(finish(add(0, bytes)), !(plain as u16), "{length} bytes");
        }
    }
}
