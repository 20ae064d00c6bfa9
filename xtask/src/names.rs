//! From IANA's camelCase to the names of Rust variants and of columns.

/// Abbreviations that IANA writes in capitals, where the rule for words alone would tear or join them.
const WORDS: [(&str, &str); 4] = [("IPv4", "Ipv4"), ("IPv6", "Ipv6"), ("VRFID", "VrfId"), ("IPSec", "Ipsec")];

/// `sourceIPv4Address` as `source_ipv4_address`.
pub(crate) fn snake_case(name: &str) -> String {
    let name = WORDS.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1);
        if before.is_some_and(|before| begins_word(before, letter, after.copied())) {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// A capital begins a word after anything but a capital, and as the last of several before a small letter.
fn begins_word(before: char, letter: char, after: Option<char>) -> bool {
    letter.is_ascii_uppercase()
        && before != '_'
        && (!before.is_ascii_uppercase() || after.is_some_and(|after| after.is_ascii_lowercase()))
}

/// `deltaCounter` as `DeltaCounter`, `4-octet words` as `FourOctetWords`.
pub(crate) fn variant(name: &str) -> String {
    let name = name.replace("4-octet words", "four octet words");
    name.split(' ').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{snake_case, variant};

    #[test]
    fn names_become_columns_as_people_write_them() {
        for (name, column) in [
            ("octetDeltaCount", "octet_delta_count"),
            ("sourceIPv4Address", "source_ipv4_address"),
            ("IPv4RouterSc", "ipv4_router_sc"),
            ("minimumTTL", "minimum_ttl"),
            ("ingressVRFID", "ingress_vrf_id"),
            ("dot1qVlanId", "dot1q_vlan_id"),
            ("postNAPTSourceTransportPort", "post_napt_source_transport_port"),
            ("hashIPPayloadOffset", "hash_ip_payload_offset"),
            ("selectorIDTotalPktsObserved", "selector_id_total_pkts_observed"),
            ("ipv4IHL", "ipv4_ihl"),
        ] {
            assert_eq!(snake_case(name), column);
        }
    }

    #[test]
    fn types_become_variants() {
        assert_eq!(variant("dateTimeMicroseconds"), "DateTimeMicroseconds");
        assert_eq!(variant("4-octet words"), "FourOctetWords");
    }
}
