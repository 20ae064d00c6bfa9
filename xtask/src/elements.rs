//! Information elements out of a registry's XML: numbers and names, no prose.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use roxmltree::{Document, Node, ParsingOptions};

/// One information element.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) id: u16,
    pub(crate) name: String,
    pub(crate) data_type: String,
    pub(crate) semantics: String,
    pub(crate) units: String,
}

/// The text of a registry's file.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// The file as a tree.
pub(crate) fn parse(text: &str) -> anyhow::Result<Document<'_>> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).context("reading XML")
}

/// The registry of that `id`, at any depth.
pub(crate) fn registry<'a>(document: &'a Document<'_>, id: &str) -> anyhow::Result<Node<'a, 'a>> {
    document
        .descendants()
        .find(|node| node.tag_name().name() == "registry" && node.attribute("id") == Some(id))
        .with_context(|| format!("there is no registry {id}"))
}

/// The records that stand directly in `registry`.
pub(crate) fn records<'a>(registry: Node<'a, 'a>) -> impl Iterator<Item = Node<'a, 'a>> {
    registry.children().filter(|node| node.tag_name().name() == "record")
}

/// The text of the child of that name, trimmed; none where it is missing or empty.
pub(crate) fn child<'a>(record: Node<'a, 'a>, name: &str) -> Option<&'a str> {
    let node = record.children().find(|node| node.tag_name().name() == name)?;
    node.text().map(str::trim).filter(|text| !text.is_empty())
}

/// The elements of a file, by number. Ranges, reserved numbers and nameless ones are left out.
pub(crate) fn elements(text: &str) -> anyhow::Result<Vec<Element>> {
    let document = parse(text)?;
    let mut elements = Vec::new();
    for record in records(registry(&document, "ipfix-information-elements")?) {
        elements.extend(element(record)?);
    }
    elements.sort_by_key(|element| element.id);
    if let Some(pair) = elements.windows(2).find(|pair| pair[0].id == pair[1].id) {
        bail!("element {} stands twice in the registry", pair[0].id);
    }
    Ok(elements)
}

fn element(record: Node<'_, '_>) -> anyhow::Result<Option<Element>> {
    let (Some(name), Some(data_type)) = (child(record, "name"), child(record, "dataType")) else {
        return Ok(None);
    };
    let number = child(record, "elementId").with_context(|| format!("{name} has no number"))?;
    Ok(Some(Element {
        id: number.parse().with_context(|| format!("{name} has the number {number}"))?,
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        semantics: child(record, "dataTypeSemantics").unwrap_or("default").to_owned(),
        units: child(record, "units").unwrap_or("none").to_owned(),
    }))
}
