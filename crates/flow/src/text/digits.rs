//! Numbers in decimal, eight digits at a time.

/// Numbers under it have eight digits or fewer.
const EIGHT: u64 = 100_000_000;

/// Writes a number in decimal.
#[inline]
pub(super) fn write_number(out: &mut Vec<u8>, value: u64) {
    if value < EIGHT {
        let digits = eight_digits(value);
        // The first digit is the lowest byte; a nought by itself is one digit all the same.
        let noughts = (digits.trailing_zeros() / 8).min(7);
        put_digits(out, (digits | 0x3030_3030_3030_3030) >> (8 * noughts), 8 - noughts as usize);
    } else {
        write_number(out, value / EIGHT);
        put_digits(out, eight_digits(value % EIGHT) | 0x3030_3030_3030_3030, 8);
    }
}

/// Writes the lowest `count` bytes, the lowest first.
#[inline]
pub(super) fn put_digits(out: &mut Vec<u8>, bytes: u64, count: usize) {
    let end = out.len() + count;
    out.extend_from_slice(&bytes.to_le_bytes());
    out.truncate(end);
}

/// The eight digits of a number under [`EIGHT`], the first in the lowest byte: halves, quarters and eighths of the number,
/// all at once. Multiplying by 10,486 and by 103 and shifting is dividing by 100 and by 10, exact for so few digits.
#[inline]
const fn eight_digits(value: u64) -> u64 {
    let halves = (value / 10_000) | ((value % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let quarters = hundreds | ((halves - hundreds * 100) << 16);
    let tens = ((quarters * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((quarters - tens * 10) << 8)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::write_number;

    fn text(value: u64) -> String {
        let mut out = b"x".to_vec();
        write_number(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_of_up_to_four_digits_and_around_powers_of_ten_are_exact() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let around = powers.flat_map(|power| [power - 1, power, power + 1, power.saturating_mul(9)]);
        for value in (0..10_000).chain((0..10_000).map(|value| value * 10_000)).chain(around).chain([u64::MAX]) {
            assert_eq!(text(value), format!("x{value}"));
        }
    }

    proptest! {
        #[test]
        fn any_number_is_what_the_standard_library_writes(value in any::<u64>(), shift in 0_u32..64) {
            prop_assert_eq!(text(value >> shift), format!("x{}", value >> shift));
        }
    }
}
