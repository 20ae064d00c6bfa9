//! The registry of information elements as a Rust file.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;

use crate::elements::{Element, child, elements, parse, read};
use crate::facts;
use crate::names::{snake_case, variant};
use crate::values::{Values, values};

/// The file that is made, from the workspace's root.
pub(crate) const PATH: &str = "crates/flow/src/registry/generated.rs";

/// Enterprises whose elements come with IANA's: file, private enterprise number.
const ENTERPRISES: [(&str, u32); 3] = [("nokia.xml", 637), ("huawei.xml", 2011), ("vmware.xml", 6876)];

/// The Rust file for the XML in `folder`.
pub(crate) fn generate(folder: &Path) -> anyhow::Result<String> {
    let iana = read(&folder.join("iana_ipfix_information_elements.xml"))?;
    let mut out = head(&updated(&iana)?);

    let rows: Vec<String> = elements(&iana)?.iter().map(|element| row(0, element)).collect();
    out.push_str(&table("IANA's elements, by number.", "IANA", &rows));
    let mut others = facts::elements()?;
    for (file, number) in ENTERPRISES {
        let text = read(&folder.join(file))?;
        let elements = elements(&text).with_context(|| format!("in {file}"))?;
        others.extend(elements.into_iter().map(|element| ((number, element.id), element)));
    }
    let rows = |v9: bool| -> Vec<String> {
        let of_table = others.iter().filter(|((enterprise, _), _)| (*enterprise == 0) == v9);
        of_table.map(|((enterprise, _), element)| row(*enterprise, element)).collect()
    };
    out.push_str(&table("NetFlow v9's field types that IPFIX never took over, by number.", "NETFLOW9", &rows(true)));
    out.push_str(&table("Enterprises' elements, by enterprise and number.", "ENTERPRISE", &rows(false)));
    out.push_str(&value_tables(&values(folder, &iana)?));
    Ok(out)
}

fn head(updated: &str) -> String {
    format!(
        "//! Information elements and names of their values. Generated; do not edit.\n\
         //!\n\
         //! Made by `cargo run -p finderscope-xtask -- registry` from IANA's registry of {updated}\n\
         //! and from the facts in `xtask/facts`.\n\
         \n\
         use super::element::{{Element, e}};\n\
         use super::types::{{DataType as D, Semantics as S, Units as U}};\n\
         \n\
         /// When IANA last changed its registry.\n\
         pub(super) const UPDATED: &str = {updated:?};\n"
    )
}

fn updated(iana: &str) -> anyhow::Result<String> {
    let document = parse(iana)?;
    Ok(child(document.root_element(), "updated").context("the registry has no date")?.to_owned())
}

fn row(enterprise: u32, element: &Element) -> String {
    format!(
        "e({enterprise}, {}, {:?}, {:?}, D::{}, S::{}, U::{})",
        element.id,
        element.name,
        snake_case(&element.name),
        variant(&element.data_type),
        variant(&element.semantics),
        variant(&element.units),
    )
}

fn table(doc: &str, name: &str, rows: &[String]) -> String {
    let mut out = format!("\n/// {doc}\n#[rustfmt::skip]\npub(super) static {name}: [Element; {}] = [\n", rows.len());
    for row in rows {
        let _ = writeln!(out, "    {row},");
    }
    out.push_str("];\n");
    out
}

fn value_tables(lists: &[Values]) -> String {
    let mut out = String::from(
        "\n/// Names of values: element, then value and name, both by number.\n#[rustfmt::skip]\n\
         pub(super) static VALUES: &[(u16, &[(u16, &str)])] = &[\n",
    );
    for list in lists {
        let _ = writeln!(out, "    ({}, &[", list.element);
        for (value, name) in &list.names {
            let _ = writeln!(out, "        ({value}, {name:?}),");
        }
        out.push_str("    ]),\n");
    }
    out.push_str("];\n");
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::Write;

    use super::{PATH, generate};
    use crate::{source, workspace};

    #[test]
    fn the_kept_registry_is_what_the_xml_says() {
        let Some(folder) = source::at_hand() else {
            writeln!(std::io::stderr(), "skipped: the package with the registries' XML is not at hand").unwrap();
            return;
        };
        let kept = std::fs::read_to_string(workspace().join(PATH)).unwrap();
        let made = generate(&folder).unwrap();
        assert!(kept == made, "{PATH} is stale: cargo run -p finderscope-xtask -- registry");
    }
}
