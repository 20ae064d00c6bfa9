//! What single values of an element are called: protocols, reasons, events.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::generated::VALUES;

/// The element whose values are IP's protocols.
const PROTOCOL: u16 = 4;

/// IANA's name of a value of an IANA element, such as `idle timeout` for 1 in element 136. Known for
/// protocols (4), MPLS label types (46), forwarding (89), flow ends (136), NAT (230) and firewall events (233)
/// and selection algorithms (304).
pub fn value_name(element: u16, value: u16) -> Option<&'static str> {
    let names = value_names(element);
    let at = names.binary_search_by_key(&value, |&(value, _)| value).ok()?;
    Some(names[at].1)
}

/// All named values of an IANA element, by number.
pub fn value_names(element: u16) -> &'static [(u16, &'static str)] {
    VALUES.binary_search_by_key(&element, |&(element, _)| element).map_or(&[], |at| VALUES[at].1)
}

/// An IP protocol's keyword in lower case: `tcp` for 6.
pub fn protocol_name(number: u8) -> Option<&'static str> {
    value_name(PROTOCOL, number.into())
}

/// The IP protocol of that keyword, in any case. `icmp6` and `icmpv6` are what IANA calls `ipv6-icmp`.
pub fn protocol_number(name: &str) -> Option<u8> {
    static NUMBERS: LazyLock<HashMap<&str, u8>> = LazyLock::new(|| {
        let keywords =
            value_names(PROTOCOL).iter().filter_map(|&(value, name)| Some((name, u8::try_from(value).ok()?)));
        keywords.chain([("icmp6", 58), ("icmpv6", 58)]).collect()
    });
    NUMBERS.get(name.to_ascii_lowercase().as_str()).copied()
}
