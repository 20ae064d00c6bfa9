//! Addresses, prefixes and MAC addresses as people write them, and as cells hold them.

use std::fmt;
use std::net::IpAddr;

/// A prefix of one family: the first `length` bits of `address`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or a bare address, which is a prefix of all its bits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(digits(length)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = bits(address);
        let length = length.unwrap_or(bits);
        (length <= bits).then_some(Self { address, length })
    }

    /// The prefix of `address` that the mask leaves, where its bits are contiguous.
    pub(crate) fn from_mask(address: IpAddr, mask: IpAddr) -> Option<Self> {
        let (length, contiguous) = match (address, mask) {
            (IpAddr::V4(_), IpAddr::V4(mask)) => {
                let mask = mask.to_bits();
                (mask.leading_ones(), mask.count_ones() == mask.leading_ones())
            }
            (IpAddr::V6(_), IpAddr::V6(mask)) => {
                let mask = mask.to_bits();
                (mask.leading_ones(), mask.count_ones() == mask.leading_ones())
            }
            _ => return None,
        };
        contiguous.then_some(Self { address, length: length as u8 })
    }

    /// The address that a cell holds, where it holds one.
    pub(crate) fn of_cell(cell: &[u8]) -> Option<Self> {
        let four = <[u8; 4]>::try_from(cell).map(IpAddr::from);
        let address = four.or_else(|_| <[u8; 16]>::try_from(cell).map(IpAddr::from)).ok()?;
        Some(Self { address, length: bits(address) })
    }

    /// Whether it is one address only.
    pub(crate) fn single(self) -> Option<IpAddr> {
        (self.length == bits(self.address)).then_some(self.address)
    }

    /// What the first eight bytes of an Arrow view (length and first four bytes) must be, in the bits of the mask, and
    /// whether that is all that a cell in it must satisfy.
    pub(crate) fn view(self) -> (u64, u64, bool) {
        let view = |length: u32, first: [u8; 4]| u64::from(u32::from_le_bytes(first)) << 32 | u64::from(length);
        let ones = u32::MAX.checked_shl(32_u32.saturating_sub(self.length.into())).unwrap_or(0);
        let (length, first) = match self.ends().0 {
            IpAddr::V4(address) => (4, address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.octets();
                (16, [a, b, c, d])
            }
        };
        (view(u32::MAX, ones.to_be_bytes()), view(length, first), self.length <= 32)
    }

    /// Its first and its last address.
    pub(crate) fn ends(self) -> (IpAddr, IpAddr) {
        match self.address {
            IpAddr::V4(address) => {
                let host = u32::MAX.checked_shr(self.length.into()).unwrap_or(0);
                let net = address.to_bits() & !host;
                (IpAddr::V4(net.into()), IpAddr::V4((net | host).into()))
            }
            IpAddr::V6(address) => {
                let host = u128::MAX.checked_shr(self.length.into()).unwrap_or(0);
                let net = address.to_bits() & !host;
                (IpAddr::V6(net.into()), IpAddr::V6((net | host).into()))
            }
        }
    }

    /// Whether the cell lies in it. A cell of the other family does not.
    #[inline]
    pub(crate) fn contains(self, cell: &[u8]) -> bool {
        match self.address {
            IpAddr::V4(address) => <[u8; 4]>::try_from(cell).is_ok_and(|cell| {
                let differing = u32::from_be_bytes(cell) ^ address.to_bits();
                self.length == 0 || differing >> (32 - u32::from(self.length)) == 0
            }),
            IpAddr::V6(address) => <[u8; 16]>::try_from(cell).is_ok_and(|cell| {
                let differing = u128::from_be_bytes(cell) ^ address.to_bits();
                self.length == 0 || differing >> (128 - u32::from(self.length)) == 0
            }),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

const fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Only digits: `u8::from_str` would take a sign too.
fn digits(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The bytes of an address, in network order.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Reads `00:11:22:33:44:55`, `00-11-22-33-44-55` or `0011.2233.4455`.
pub(crate) fn parse_mac(text: &str) -> Option<u64> {
    let (separator, groups, width) = match text {
        _ if text.contains(':') => (':', 6, 2),
        _ if text.contains('-') => ('-', 6, 2),
        _ => ('.', 3, 4),
    };
    let parts: Vec<&str> = text.split(separator).collect();
    if parts.len() != groups {
        return None;
    }
    parts.into_iter().try_fold(0_u64, |mac, part| {
        let sound = !part.is_empty() && part.len() <= width && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then(|| u64::from_str_radix(part, 16).ok())?.map(|value| mac << (width * 4) | value)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_prefix_holds_its_addresses_and_no_others() {
        let check = |prefix: &str, address: &str, expected: bool| {
            let cell = octets(address.parse().unwrap());
            assert_eq!(Prefix::parse(prefix).unwrap().contains(&cell), expected, "{address} in {prefix}");
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("0.0.0.0/0", "200.1.2.3", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("10.1.2.3", "10.1.2.3", true);
        check("10.1.2.3", "10.1.2.4", false);
        check("2001:db8::/32", "2001:db8:ffff::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("::/0", "::1", true);
        check("::ffff:0:0/96", "::ffff:10.0.0.1", true);
    }

    #[test]
    fn a_prefix_reaches_from_its_first_address_to_its_last() {
        let check = |prefix: &str, first: &str, last: &str| {
            let ends = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!(Prefix::parse(prefix).unwrap().ends(), ends, "{prefix}");
        };
        check("10.1.2.3/8", "10.0.0.0", "10.255.255.255");
        check("10.1.2.3", "10.1.2.3", "10.1.2.3");
        check("0.0.0.0/0", "0.0.0.0", "255.255.255.255");
        check("2001:db8::1/127", "2001:db8::", "2001:db8::1");
        check("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    }

    #[test]
    fn refuses_what_is_no_prefix() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "2001:db8::/129", "10.0.0.0/+8", "10.0.0.0/", "x"] {
            assert_eq!(Prefix::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_mask_must_be_contiguous() {
        let address = "10.1.0.0".parse().unwrap();
        assert_eq!(Prefix::from_mask(address, "255.255.0.0".parse().unwrap()), Prefix::parse("10.1.0.0/16"));
        assert_eq!(Prefix::from_mask(address, "255.0.255.0".parse().unwrap()), None);
    }

    #[test]
    fn reads_a_mac_in_three_ways_of_writing() {
        for text in ["00:11:22:33:44:55", "00-11-22-33-44-55", "0011.2233.4455", "0:11:22:33:44:55"] {
            assert_eq!(parse_mac(text), Some(0x0011_2233_4455), "{text}");
        }
        for text in ["", "00:11:22:33:44", "00:11:22:33:44:gg", "001122334455", "00:11:22:33:44:+5"] {
            assert_eq!(parse_mac(text), None, "{text}");
        }
    }
}
