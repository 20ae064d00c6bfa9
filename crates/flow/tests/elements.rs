//! Every element of the registry, beside what documents say of it.
//!
//! `facts/elements.tsv` was not made from the registry: IANA's elements and their reverses are another implementation's
//! list where it has them, the others' are from their vendors' and collectors' tables. A row of the registry that has
//! no fact fails here, and so does a fact that the registry does not know.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;

use finderscope_flow::registry::{self, REVERSE_ENTERPRISE};

struct Fact {
    name: &'static str,
    data_type: &'static str,
}

fn facts() -> BTreeMap<(u32, u16), Fact> {
    let mut facts = BTreeMap::new();
    for line in include_str!("facts/elements.tsv").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&'static str> = line.split('\t').collect();
        let [enterprise, number, name, data_type, _source] = fields[..] else { panic!("{line:?}") };
        let key = (enterprise.parse().unwrap(), number.parse().unwrap());
        assert!(facts.insert(key, Fact { name, data_type }).is_none(), "{key:?} stands twice");
    }
    facts
}

#[test]
fn every_fact_is_what_the_registry_says() {
    for ((enterprise, number), fact) in facts() {
        let Some(element) = registry::element(Some(enterprise), number) else {
            panic!("{enterprise}/{number} {} is not in the registry", fact.name);
        };
        assert_eq!((element.enterprise, element.id), (enterprise, number));
        assert_eq!((element.name, element.data_type.name()), (fact.name, fact.data_type), "{enterprise}/{number}");
    }
}

#[test]
fn every_element_of_the_registry_has_a_fact() {
    let facts = facts();
    let without: Vec<_> = registry::elements()
        .map(|element| (element.enterprise, element.id, element.name))
        .filter(|&(enterprise, number, _)| !facts.contains_key(&(enterprise, number)))
        .collect();
    assert!(without.is_empty(), "write what a document says of these: {without:?}");
    assert!(facts.keys().any(|&(enterprise, _)| enterprise == REVERSE_ENTERPRISE));
}

#[test]
fn every_element_is_found_by_a_name() {
    for element in registry::elements() {
        for name in [element.name, element.column_name] {
            let found = registry::by_name(name).unwrap();
            assert!(found.name == name || found.column_name == name, "{name}");
        }
    }
}

/// Wireshark's tables of numbers and names: enterprise, the field that has them.
const WIRESHARK: [(u32, &str); 9] = [
    (9, "cisco"),
    (3_054, "ixia"),
    (5_951, "netscaler"),
    (10_704, "barracuda"),
    (13_745, "plixer"),
    (26_866, "gigamon"),
    (35_632, "ntop"),
    (47_729, "niagara_networks"),
    (0, "ipfix"),
];

#[test]
fn what_wireshark_numbers_the_registry_knows() {
    let Ok(output) = Command::new("tshark").args(["-G", "values"]).output() else {
        writeln!(std::io::stderr(), "skipped: there is no tshark").unwrap();
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    for (enterprise, table) in WIRESHARK {
        let field = format!("cflow.template_{table}_field_type");
        let (mut seen, mut same) = (0, 0);
        for line in text.lines().filter(|line| line.split('\t').nth(1) == Some(&field)) {
            let fields: Vec<&str> = line.split('\t').collect();
            let ["V", _, number, name] = fields[..] else { continue };
            let number: u16 = number.parse().unwrap();
            let Some(known) = registry::element(Some(enterprise), number).or_else(|| in_version_9(number)) else {
                let gone = ["Reserved", "reserved", "deprecated"].iter().any(|word| name.starts_with(word));
                assert!(enterprise == 0 && (gone || number == 0), "{enterprise}/{number} is {name} in Wireshark");
                continue;
            };
            seen += 1;
            same += usize::from(letters(known.name).contains(&letters(name)));
        }
        assert!(seen > 11, "{table}: {seen}");
        // Wireshark words some names its own way, and IANA's first hundred as RFC 3954 does.
        assert!(same * 3 > seen, "{table}: {same} of {seen} names are the same");
    }
}

/// nProbe's elements as NetFlow v9 has them.
fn in_version_9(number: u16) -> Option<&'static registry::Element> {
    registry::element(Some(35_632), number.checked_sub(57_472)?)
}

fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}
