//! Every element of the registry, beside what documents say of it.
//!
//! `facts/elements.tsv` was not made from the registry: IANA's elements and their reverses are another implementation's
//! list where it has them, the others' are from their vendors' and collectors' tables. A row of the registry that has
//! no fact fails here, and so does a fact that the registry does not know.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

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
