//! The manual against what it is about: links, dependencies, configuration keys and commands.
//!
//! A page that lists things is complete, or this says what it lacks.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page: those of the manual, and those at the root.
fn pages() -> Vec<PathBuf> {
    let folders = [workspace(), workspace().join("docs")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The anchors of a page: its headings in lower case, with dashes.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// Words between backquotes.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if let Some(anchor) = anchor {
                let known = anchors(&std::fs::read_to_string(&target).unwrap());
                assert!(known.contains(anchor), "{}: {link}: there are {known:?}", page.display());
            }
        }
    }
}

#[test]
fn every_page_of_the_manual_is_in_its_index() {
    let index = read("docs/index.md");
    for page in pages().iter().filter(|page| page.parent().unwrap().ends_with("docs")) {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(name == "index.md" || links(&index).any(|link| link == name), "docs/index.md does not lead to {name}");
    }
}

#[test]
fn every_dependency_is_listed_and_none_else() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version=1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(workspace()).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let dependencies = packages.flat_map(|package| package["dependencies"].as_array().unwrap());
    let names = dependencies.map(|dependency| dependency["name"].as_str().unwrap());
    let used: BTreeSet<&str> = names.filter(|name| !name.starts_with("finderscope")).collect();

    let page = read("docs/dependencies.md");
    let missing: Vec<_> = used.iter().filter(|name| !quoted(&page).contains(*name)).collect();
    assert!(missing.is_empty(), "docs/dependencies.md lacks {missing:?}");
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    let listed: Vec<&str> = cells.flat_map(|cell| cell.split(',')).map(|name| name.trim().trim_matches('`')).collect();
    let gone: Vec<_> = listed.iter().filter(|name| !used.contains(*name)).collect();
    assert!(gone.is_empty(), "docs/dependencies.md lists {gone:?}, which nobody uses");
}

/// All code that reads the configuration: a file for each subject.
fn configuration() -> String {
    let folder = workspace().join("crates/server/src/config");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "rs"));
    paths
        .iter()
        .fold(read("crates/server/src/config.rs"), |source, path| source + &std::fs::read_to_string(path).unwrap())
}

#[test]
fn every_configuration_key_is_explained() {
    let source = configuration();
    let page = read("docs/configuration.md");
    // Fields of structs that serde reads: whatever stands between their derive and their closing brace.
    let structs = source.split("deny_unknown_fields)]\npub struct ").skip(1);
    let bodies: Vec<&str> = structs.map(|rest| rest.split("\n}").next().unwrap()).collect();
    assert!(bodies.len() >= 12, "the configuration is no longer where this test looks for it");
    for body in bodies {
        // What serde skips is no key.
        let body = body.replace("#[serde(skip)]\n    pub ", "");
        let mut renamed = None;
        for line in body.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("#[serde(rename = \"") {
                renamed = rest.split('"').next();
            }
            let Some(field) = line.strip_prefix("pub ").and_then(|rest| rest.split(':').next()) else { continue };
            let key = renamed.take().unwrap_or(field);
            // A table, one of many (`[[exporter]]`, `[[forward.to]]`), or a key.
            let tables = [format!("`[{key}]`"), format!("`[[{key}]]`"), format!(".{key}]]`")];
            let is_table = tables.iter().any(|table| page.contains(table));
            assert!(is_table || quoted(&page).contains(key), "docs/configuration.md lacks `{key}`");
        }
    }
}

#[test]
fn every_command_has_a_section() {
    let source = read("crates/cli/src/main.rs");
    let commands = source.split("enum Command {").nth(1).unwrap().split("\n}").next().unwrap();
    let names = commands.lines().filter_map(|line| line.trim().split_once('(')).map(|(name, _)| name.to_lowercase());
    let page = read("docs/commands.md");
    for name in names {
        assert!(page.contains(&format!("\n## {name}\n")), "docs/commands.md lacks `{name}`");
    }
}
