//! Which crate uses which: the layers of ARCHITECTURE.md, held by what cargo itself says.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate, and the crates of ours that it may name. What those use, it may use too.
const ARROWS: [(&str, &[&str]); 13] = [
    ("wire", &[]),
    ("flow", &["wire"]),
    ("intake", &["wire", "flow"]),
    ("packets", &["wire", "flow", "intake"]),
    ("journal", &["wire"]),
    ("store", &["flow", "journal"]),
    ("query", &["flow", "store"]),
    ("transport", &["wire"]),
    ("server", &["wire", "flow", "intake", "packets", "journal", "store", "query", "transport"]),
    ("finderscope", &["wire", "flow", "intake", "packets", "transport"]),
    ("cli", &["server"]),
    ("testkit", &["wire", "flow", "journal", "transport"]),
    ("xtask", &["wire", "flow", "intake"]),
];

/// Libraries that one layer hides from all others, with the crates that may name them.
const HIDDEN: [(&str, &[&str]); 9] = [
    ("datafusion", &["query"]),
    ("datafusion-datasource", &["query"]),
    ("axum", &["server"]),
    ("prometheus-client", &["server"]),
    ("toml", &["server"]),
    ("socket2", &["transport"]),
    ("pcap-parser", &["transport"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli", "xtask"]),
];

/// All that the codecs may be built on.
const WIRE_USES: [&str; 2] = ["thiserror", "zerocopy"];

struct Package {
    /// The bare name: that of its folder.
    name: String,
    /// What it is built on, by package name.
    uses: BTreeSet<String>,
    /// What its tests use beside.
    tests_use: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version=1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

fn package(package: &Value) -> Package {
    let of = |kinds: &[Option<&str>]| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let wanted = dependencies.filter(|dependency| kinds.contains(&dependency["kind"].as_str()));
        wanted.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
    };
    Package {
        name: bare(package["name"].as_str().unwrap()).to_owned(),
        uses: of(&[None, Some("build")]),
        tests_use: of(&[Some("dev")]),
    }
}

fn bare(package: &str) -> &str {
    package.strip_prefix("finderscope-").unwrap_or(package)
}

/// Whether a dependency is one of ours.
fn is_ours(name: &str) -> bool {
    name == "finderscope" || name.starts_with("finderscope-")
}

/// The crates that `name` may use, and all that those may.
fn allowed(name: &str) -> BTreeSet<&'static str> {
    let table = BTreeMap::from(ARROWS);
    let row = table.get(name).unwrap_or_else(|| panic!("{name} has no row in the table of arrows"));
    let indirect = row.iter().flat_map(|used| allowed(used));
    row.iter().copied().chain(indirect).collect()
}

#[test]
fn a_crate_uses_only_what_its_row_says() {
    for package in packages() {
        let allowed = allowed(&package.name);
        for used in package.uses.iter().filter(|used| is_ours(used)).map(|used| bare(used)) {
            assert!(allowed.contains(used), "{} uses {used}: an arrow that the design does not have", package.name);
        }
    }
}

#[test]
fn tests_use_what_their_crate_may_and_the_testkit() {
    for package in packages() {
        let allowed = allowed(&package.name);
        for used in package.tests_use.iter().filter(|used| is_ours(used)).map(|used| bare(used)) {
            let sound = used == "testkit" || used == package.name || allowed.contains(used);
            assert!(sound, "the tests of {} use {used}", package.name);
        }
    }
}

#[test]
fn nothing_but_tests_uses_the_testkit() {
    for package in packages() {
        assert!(!package.uses.contains("finderscope-testkit"), "{} is built on the testkit", package.name);
    }
}

#[test]
fn the_codecs_are_built_on_next_to_nothing() {
    let packages = packages();
    let wire = packages.iter().find(|package| package.name == "wire").unwrap();
    assert_eq!(wire.uses.iter().map(String::as_str).collect::<Vec<_>>(), WIRE_USES);
}

#[test]
fn a_big_library_shows_in_the_crate_that_hides_it_and_nowhere_else() {
    let packages = packages();
    for (library, homes) in HIDDEN {
        let users: Vec<&str> = packages
            .iter()
            .filter(|package| package.uses.contains(library))
            .map(|package| package.name.as_str())
            .collect();
        assert!(!users.is_empty(), "{library} is hidden by nobody: take it out of the table");
        assert!(
            users.iter().all(|user| homes.contains(user)),
            "{library} is named by {users:?}, not by {homes:?} alone"
        );
    }
}
