//! Numbers of whatever length the template gives them (RFC 7011 section 6.2): 1 to 8 bytes occur.

/// A big-endian unsigned integer of 1 to 8 bytes.
pub fn unsigned(bytes: &[u8]) -> Option<u64> {
    match *bytes {
        [a] => Some(a.into()),
        [a, b] => Some(u16::from_be_bytes([a, b]).into()),
        [a, b, c, d] => Some(u32::from_be_bytes([a, b, c, d]).into()),
        [a, b, c, d, e, f, g, h] => Some(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        [_, _, _] | [_, _, _, _, _] | [_, _, _, _, _, _] | [_, _, _, _, _, _, _] => {
            Some(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
        }
        _ => None,
    }
}

/// A big-endian two's complement integer of 1 to 8 bytes.
pub fn signed(bytes: &[u8]) -> Option<i64> {
    let value = unsigned(bytes)?;
    // The sign bit is moved to the top and back, which copies it on the way.
    let unused_bits = 64 - 8 * bytes.len() as u32;
    Some((value << unused_bits).cast_signed() >> unused_bits)
}

/// An IEEE float: 8 bytes, or 4 where a float64 was reduced.
pub fn float(bytes: &[u8]) -> Option<f64> {
    match *bytes {
        [a, b, c, d] => Some(f32::from_be_bytes([a, b, c, d]).into()),
        [a, b, c, d, e, f, g, h] => Some(f64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}
