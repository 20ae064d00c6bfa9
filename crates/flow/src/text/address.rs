//! Addresses: IP by their bytes, MAC by their number, and any other bytes as hexadecimal.

use super::digits::put_digits;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Each byte in decimal with a point behind it, the first digit in the lowest byte; and how many bytes that is.
const DECIMAL: [(u32, u8); 256] = decimals();

const fn decimals() -> [(u32, u8); 256] {
    let mut all = [(0, 0); 256];
    let mut byte = 0;
    while byte < 256 {
        let digits = [b'0' + (byte / 100) as u8, b'0' + (byte / 10 % 10) as u8, b'0' + (byte % 10) as u8];
        all[byte] = match byte {
            0..10 => (u32::from_le_bytes([digits[2], b'.', 0, 0]), 2),
            10..100 => (u32::from_le_bytes([digits[1], digits[2], b'.', 0]), 3),
            _ => (u32::from_le_bytes([digits[0], digits[1], digits[2], b'.']), 4),
        };
        byte += 1;
    }
    all
}

/// Writes 4 bytes as an IPv4 address, 16 as an IPv6 address (RFC 5952), and any other number as hexadecimal.
#[inline]
pub fn write_address(out: &mut Vec<u8>, bytes: &[u8]) {
    if let Ok(bytes) = bytes.try_into() {
        write_ipv4(out, bytes);
    } else if let Ok(bytes) = bytes.try_into() {
        write_ipv6(out, bytes);
    } else {
        write_hex(out, bytes);
    }
}

/// Writes bytes as lower-case hexadecimal.
pub fn write_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]]));
}

/// Writes the lower 48 bits as a MAC address: `aa:bb:cc:dd:ee:ff`.
pub fn write_mac(out: &mut Vec<u8>, mac: u64) {
    let mut text = [b':'; 17];
    for (place, byte) in text.chunks_mut(3).zip(&mac.to_be_bytes()[2..]) {
        place[0] = HEX[usize::from(byte >> 4)];
        place[1] = HEX[usize::from(byte & 0xf)];
    }
    out.extend_from_slice(&text);
}

#[inline]
fn write_ipv4(out: &mut Vec<u8>, [first, second, third, fourth]: [u8; 4]) {
    let (text, length) = pair(first, second);
    put_digits(out, text, length);
    let (text, length) = pair(third, fourth);
    // But for the last point.
    put_digits(out, text, length - 1);
}

/// Two bytes in decimal, each with a point behind it.
#[inline]
fn pair(one: u8, other: u8) -> (u64, usize) {
    let ((one, length), (other, more)) = (DECIMAL[usize::from(one)], DECIMAL[usize::from(other)]);
    (u64::from(one) | (u64::from(other) << (8 * length)), usize::from(length + more))
}

fn write_ipv6(out: &mut Vec<u8>, bytes: [u8; 16]) {
    let groups: [u16; 8] = std::array::from_fn(|at| u16::from_be_bytes([bytes[2 * at], bytes[2 * at + 1]]));
    if groups[..6] == [0, 0, 0, 0, 0, 0xffff] {
        out.extend_from_slice(b"::ffff:");
        return write_ipv4(out, [bytes[12], bytes[13], bytes[14], bytes[15]]);
    }
    let gap = longest_zeros(&groups);
    let mut at = 0;
    while at < 8 {
        if at == gap.start && !gap.is_empty() {
            out.extend_from_slice(b"::");
            at = gap.end;
            continue;
        }
        if at > 0 && at != gap.end {
            out.push(b':');
        }
        write_group(out, groups[at]);
        at += 1;
    }
}

/// The first longest run of two or more groups that are zero; `8..8` where there is none.
fn longest_zeros(groups: &[u16; 8]) -> std::ops::Range<usize> {
    let mut longest = 8..8;
    let mut from = 0;
    while from < 8 {
        let zeros = groups[from..].iter().take_while(|&&group| group == 0).count();
        if zeros > longest.len().max(1) {
            longest = from..from + zeros;
        }
        from += zeros + 1;
    }
    longest
}

fn write_group(out: &mut Vec<u8>, group: u16) {
    let digits = [12, 8, 4, 0].map(|shift: u16| HEX[usize::from(group >> shift & 0xf)]);
    let zeros = usize::from(group < 0x1000) + usize::from(group < 0x100) + usize::from(group < 0x10);
    out.extend_from_slice(&digits[zeros..]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::{write_address, write_mac};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// Groups that are often zero, so that runs of every place and length come up.
    fn groups() -> impl Strategy<Value = [u16; 8]> {
        prop::array::uniform8(prop_oneof![Just(0), Just(0xffff), 0_u16..0x20, any::<u16>()])
    }

    proptest! {
        #[test]
        fn addresses_read_as_the_standard_library_writes_them(four in any::<[u8; 4]>(), groups in groups()) {
            prop_assert_eq!(text(|out| write_address(out, &four)), Ipv4Addr::from(four).to_string());
            let six = Ipv6Addr::from(groups);
            prop_assert_eq!(text(|out| write_address(out, &six.octets())), six.to_string());
        }
    }

    #[test]
    fn addresses_that_are_easy_to_get_wrong() {
        for address in
            ["::", "::1", "1::", "::ffff:1.2.3.4", "1:0:0:2::3", "1:0:2:3:4:5:6:7", "fe80::1:0:0:1", "::2:0:0"]
        {
            let parsed: Ipv6Addr = address.parse().unwrap();
            assert_eq!(text(|out| write_address(out, &parsed.octets())), parsed.to_string());
        }
        assert_eq!(text(|out| write_address(out, &[])), "");
        assert_eq!(text(|out| write_address(out, &[0xde, 0xad, 1])), "dead01");
    }

    #[test]
    fn a_mac_address_is_the_lower_48_bits() {
        assert_eq!(text(|out| write_mac(out, 0x00a0_c912_34ff)), "00:a0:c9:12:34:ff");
        assert_eq!(text(|out| write_mac(out, 0xabcd_0000_0000_0001)), "00:00:00:00:00:01");
    }
}
