//! Numbers that people know by another name: protocols, TCP flags, ICMP's types.

use finderscope_flow::registry;

/// TCP's flags from the highest bit down, as nfdump shows them.
const FLAGS: [(u16, char); 8] =
    [(0x80, 'C'), (0x40, 'E'), (0x20, 'U'), (0x10, 'A'), (0x08, 'P'), (0x04, 'R'), (0x02, 'S'), (0x01, 'F')];

/// A protocol's name in capitals, else its number.
pub fn protocol(number: u8) -> String {
    registry::protocol_name(number).map_or_else(|| number.to_string(), str::to_ascii_uppercase)
}

/// TCP flags as letters, a dot for each that is not set: `...AP.SF`.
pub fn flags(flags: u16) -> String {
    FLAGS.iter().map(|&(bit, letter)| if flags & bit == 0 { '.' } else { letter }).collect()
}

/// Whether a protocol has types and codes where others have ports.
pub const fn icmp(protocol: u8) -> bool {
    matches!(protocol, 1 | 58)
}

#[cfg(test)]
mod tests {
    use super::{flags, protocol};

    #[test]
    fn numbers_get_the_names_that_nfdump_gives_them() {
        assert_eq!(protocol(6), "TCP");
        assert_eq!(protocol(58), "IPV6-ICMP");
        assert_eq!(protocol(253), "253");
        assert_eq!(flags(0x1b), "...AP.SF");
        assert_eq!(flags(0), "........");
        assert_eq!(flags(0x1ff), "CEUAPRSF");
    }
}
