//! Values of elements as text, for the columns that take any element: `extra` and options.
//!
//! By the registry's abstract data type (RFC 7012 section 3.1); what has none, or bytes that do not fit it, is
//! lower-case hexadecimal. Text is written into a buffer of the caller's, which is used again and again.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use finderscope_flow::registry::DataType;
use finderscope_flow::text::time_utc;
use finderscope_wire::ipfix;

/// Longest text of one value; the rest of a longer one is left out, and `…` says so.
const TEXT_MAX: usize = 4_096;

/// Appends the value in `bytes`.
pub(crate) fn put(out: &mut String, data_type: Option<DataType>, bytes: &[u8]) {
    let cut = bytes.len() > TEXT_MAX;
    let bytes = if cut { &bytes[..TEXT_MAX] } else { bytes };
    if data_type.and_then(|data_type| try_put(out, data_type, bytes)).is_none() {
        put_hex(out, bytes);
    }
    if cut {
        out.push('…');
    }
}

fn try_put(out: &mut String, data_type: DataType, bytes: &[u8]) -> Option<()> {
    use DataType as D;
    match data_type {
        D::Unsigned8 | D::Unsigned16 | D::Unsigned32 | D::Unsigned64 => print(out, ipfix::unsigned(bytes)?),
        D::Signed8 | D::Signed16 | D::Signed32 | D::Signed64 => print(out, ipfix::signed(bytes)?),
        // What came in four bytes has no more digits than those hold.
        D::Float32 | D::Float64 => match *bytes {
            [a, b, c, d] => print(out, f32::from_be_bytes([a, b, c, d])),
            _ => print(out, ipfix::float(bytes)?),
        },
        // RFC 7011 section 6.1.5: true is 1 and false is 2.
        D::Boolean => out.push_str(match bytes {
            [1] => "true",
            [2] => "false",
            _ => return None,
        }),
        D::MacAddress => put_mac(out, bytes.try_into().ok()?),
        D::Ipv4Address => print(out, Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        D::Ipv6Address => print(out, Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        D::String => put_string(out, bytes),
        D::DateTimeSeconds => print(out, time_utc(ipfix::seconds_to_ns(ipfix::unsigned(bytes)?)?)),
        D::DateTimeMilliseconds => print(out, time_utc(ipfix::millis_to_ns(ipfix::unsigned(bytes)?)?)),
        D::DateTimeMicroseconds => print(out, time_utc(ipfix::ntp_micros_to_ns(ipfix::unsigned(bytes)?)?)),
        D::DateTimeNanoseconds => print(out, time_utc(ipfix::ntp_to_ns(ipfix::unsigned(bytes)?)?)),
        D::OctetArray | D::BasicList | D::SubTemplateList | D::SubTemplateMultiList | D::Unsigned256 => return None,
    }
    Some(())
}

fn print(out: &mut String, value: impl std::fmt::Display) {
    // Writing into a String cannot fail.
    let _ = write!(out, "{value}");
}

/// Strings may be padded with NUL; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn put_string(out: &mut String, bytes: &[u8]) {
    out.push_str(&String::from_utf8_lossy(trimmed(bytes)));
}

/// A string without the NULs behind it.
pub(crate) fn trimmed(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &bytes[..length]
}

/// Appends a route distinguisher as RFC 4364 section 4.2 has its three kinds: system and number, or address and number.
pub(crate) fn put_route_distinguisher(out: &mut String, bytes: &[u8]) -> Option<()> {
    let &[kind_high, kind_low, a, b, c, d, e, f] = <&[u8; 8]>::try_from(bytes).ok()?;
    let number = u16::from_be_bytes([e, f]);
    let _ = match u16::from_be_bytes([kind_high, kind_low]) {
        0 => write!(out, "{}:{}", u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])),
        1 => write!(out, "{}:{number}", Ipv4Addr::new(a, b, c, d)),
        2 => write!(out, "{}:{number}", u32::from_be_bytes([a, b, c, d])),
        _ => return None,
    };
    Some(())
}

/// Appends `aa:bb:cc:dd:ee:ff`.
pub(crate) fn put_mac(out: &mut String, mac: [u8; 6]) {
    for (at, byte) in mac.into_iter().enumerate() {
        if at > 0 {
            out.push(':');
        }
        put_byte(out, byte);
    }
}

/// Appends the bytes as hexadecimal digits.
pub(crate) fn put_hex(out: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        put_byte(out, byte);
    }
}

fn put_byte(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(DIGITS[usize::from(byte >> 4)].into());
    out.push(DIGITS[usize::from(byte & 15)].into());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data_type: Option<DataType>, bytes: &[u8], expected: &str) {
        let mut out = String::new();
        put(&mut out, data_type, bytes);
        assert_eq!(out, expected, "{data_type:?} {bytes:?}");
    }

    #[test]
    fn values_look_as_their_types_say() {
        use DataType as D;
        check(Some(D::Unsigned64), &[1, 0], "256");
        check(Some(D::Unsigned8), &[0, 0, 7], "7");
        check(Some(D::Signed32), &[255], "-1");
        check(Some(D::Float32), &1.5_f32.to_be_bytes(), "1.5");
        check(Some(D::Boolean), &[1], "true");
        check(Some(D::Boolean), &[7], "07");
        check(Some(D::MacAddress), &[0, 17, 34, 51, 68, 255], "00:11:22:33:44:ff");
        check(Some(D::Ipv4Address), &[10, 0, 0, 1], "10.0.0.1");
        check(Some(D::Ipv4Address), &[10, 0, 0], "0a0000");
        check(Some(D::Ipv6Address), &[0; 16], "::");
        check(Some(D::String), b"eth0\0\0", "eth0");
        check(Some(D::String), b"a\xff", "a\u{fffd}");
        check(Some(D::OctetArray), &[0xde, 0xad], "dead");
        check(None, &[1, 2], "0102");
        check(Some(D::Unsigned64), &[9; 9], "090909090909090909");
        check(Some(D::Unsigned8), &[], "");
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        check(Some(DataType::DateTimeSeconds), &[0; 4], "1970-01-01T00:00:00Z");
        check(Some(DataType::DateTimeSeconds), &951_782_400_u32.to_be_bytes(), "2000-02-29T00:00:00Z");
        check(Some(DataType::DateTimeSeconds), &1_709_251_199_u32.to_be_bytes(), "2024-02-29T23:59:59Z");
        check(Some(DataType::DateTimeMilliseconds), &1_735_689_599_999_u64.to_be_bytes(), "2024-12-31T23:59:59.999Z");
        check(Some(DataType::DateTimeMilliseconds), &[0xff; 8], "ffffffffffffffff");
    }

    #[test]
    fn long_values_are_cut() {
        let mut out = String::new();
        put(&mut out, Some(DataType::String), &[b'a'; 5_000]);
        assert_eq!(out.chars().count(), TEXT_MAX + 1);
    }
}
