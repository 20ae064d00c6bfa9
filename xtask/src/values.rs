//! Names of an element's values, out of the sub-registries.

use std::path::Path;

use anyhow::Context;
use roxmltree::Node;

use crate::elements::{child, parse, read, records, registry};

/// What the values of one element are called.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) element: u16,
    pub(crate) names: Vec<(u16, String)>,
}

/// Which element's values stand in which registry of IANA's main file, and in which child.
const LISTS: [(u16, &[&str], &str); 5] = [
    (46, &["ipfix-mpls-label-type"], "description"),
    (
        89,
        &["forwarding-status-00b", "forwarding-status-01b", "forwarding-status-10b", "forwarding-status-11b"],
        "description",
    ),
    (136, &["ipfix-flow-end-reason"], "name"),
    (230, &["ipfix-nat-event-type"], "description"),
    (233, &["ipfix-firewall-event"], "description"),
];

/// The names of values of the elements whose values people read.
pub(crate) fn values(folder: &Path, iana: &str) -> anyhow::Result<Vec<Values>> {
    let document = parse(iana)?;
    let mut all = vec![protocols(folder)?];
    for (element, registries, name) in LISTS {
        let mut names = Vec::new();
        for id in registries {
            names.extend(records(registry(&document, id)?).filter_map(|record| value(record, name)));
        }
        all.push(Values { element, names });
    }
    all.push(algorithms(folder)?);
    for list in &mut all {
        list.names.sort();
        list.names.dedup_by_key(|(value, _)| *value);
    }
    all.sort_by_key(|list| list.element);
    Ok(all)
}

/// Element 4: the keywords of IP's protocols, in lower case.
fn protocols(folder: &Path) -> anyhow::Result<Values> {
    let text = read(&folder.join("subregistry/iana_protocol_numbers.xml"))?;
    let document = parse(&text)?;
    let records = records(registry(&document, "protocol-numbers-1")?);
    let keyword = |name: String| name.split_whitespace().next().map(str::to_ascii_lowercase);
    let names = records.filter_map(|record| value(record, "name")).filter_map(|(at, name)| Some((at, keyword(name)?)));
    Ok(Values { element: 4, names: names.collect() })
}

/// Element 304: how packets are selected (RFC 5477).
fn algorithms(folder: &Path) -> anyhow::Result<Values> {
    let text = read(&folder.join("subregistry/iana_psamp_parameters.xml"))?;
    let document = parse(&text)?;
    let registry = registry(&document, "psamp-parameters-1").context("of selection algorithms")?;
    let names = records(registry).filter_map(|record| {
        let value = number(child(record, "id")?)?;
        Some((value, named(child(record, "description")?)?))
    });
    Ok(Values { element: 304, names: names.collect() })
}

fn value(record: Node<'_, '_>, name: &str) -> Option<(u16, String)> {
    Some((number(child(record, "value")?)?, named(child(record, name)?)?))
}

/// A value's name on one line, without what explains it; none where the registry says that there is none.
fn named(text: &str) -> Option<String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = name.split(" (").next().unwrap_or_default().split(": ").next().unwrap_or_default();
    let name = name.trim_end_matches('.').to_owned();
    (!matches!(name.as_str(), "" | "Reserved" | "Unassigned")).then_some(name)
}

/// A single number, decimal or hexadecimal; ranges are none.
fn number(text: &str) -> Option<u16> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |digits| u16::from_str_radix(digits, 16).ok())
}
