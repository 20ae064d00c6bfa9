//! Elements that no registry's XML lists: tables of facts that are kept beside this program.
//!
//! One element a line: enterprise, number, name, abstract data type, semantics, units, separated by tabs. They are from
//! vendors' documents, and from collectors whose tables are public; names are theirs. Enterprise 0 are NetFlow v9's
//! field types that IPFIX never took over: they lie where IANA has given out no number.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};

use crate::elements::Element;

const ELEMENTS: &str = include_str!("../facts/elements.tsv");
const ENTERPRISES: &str = include_str!("../facts/enterprises.tsv");

/// The elements by enterprise and number.
pub(crate) fn elements() -> anyhow::Result<BTreeMap<(u32, u16), Element>> {
    let mut elements = BTreeMap::new();
    for line in lines(ELEMENTS) {
        let (enterprise, element) = element(line).with_context(|| format!("in {line:?}"))?;
        let key = (enterprise, element.id);
        ensure!(elements.insert(key, element).is_none(), "{key:?} stands twice");
    }
    Ok(elements)
}

/// The enterprise's name; its number where we have none.
pub(crate) fn enterprise_name(number: u32) -> String {
    let text = number.to_string();
    let names = lines(ENTERPRISES).filter_map(|line| line.split_once('\t'));
    let mut found = names.filter(|(enterprise, _)| *enterprise == text).map(|(_, name)| name.to_owned());
    found.next().unwrap_or(text)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn element(line: &str) -> anyhow::Result<(u32, Element)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [enterprise, id, name, data_type, semantics, units] = fields.as_slice() else {
        anyhow::bail!("{} columns, not six", fields.len());
    };
    let element = Element {
        id: id.parse().context("the number")?,
        name: (*name).to_owned(),
        data_type: (*data_type).to_owned(),
        semantics: (*semantics).to_owned(),
        units: (*units).to_owned(),
    };
    Ok((enterprise.parse().context("the enterprise")?, element))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{elements, enterprise_name};

    #[test]
    fn every_enterprise_with_elements_has_a_name() {
        for (enterprise, _) in elements().unwrap().into_keys().filter(|key| key.0 != 0) {
            assert_ne!(enterprise_name(enterprise), enterprise.to_string());
        }
        assert_eq!(enterprise_name(9), "Cisco");
        assert_eq!(enterprise_name(4_000_000), "4000000");
    }
}
