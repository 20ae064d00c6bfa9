//! Where the registries' XML is: in the folder `registry` of a published package.
//!
//! The package is no dependency of anything here; it only carries the files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

const PACKAGE: &str = "netgauze-flow-pkt";
const VERSION: &str = "0.13.0";

/// The folder with the XML, fetched from the package registry when it is not at hand.
pub(crate) fn fetch() -> anyhow::Result<PathBuf> {
    if let Some(folder) = at_hand() {
        return Ok(folder);
    }
    let project = tempfile::tempdir().context("making a folder for a project that fetches the package")?;
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{PACKAGE} = \"={VERSION}\"\n\n[workspace]\n"
    );
    fs::write(project.path().join("Cargo.toml"), manifest)?;
    fs::create_dir(project.path().join("src"))?;
    fs::write(project.path().join("src/lib.rs"), "")?;

    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1"])
        .current_dir(project.path())
        .output()
        .context("running cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("reading cargo's metadata")?;
    folder_of_package(&metadata).with_context(|| format!("cargo's metadata does not name {PACKAGE}"))
}

fn folder_of_package(metadata: &serde_json::Value) -> Option<PathBuf> {
    let packages = metadata["packages"].as_array()?;
    let package = packages.iter().find(|package| package["name"] == PACKAGE)?;
    Some(PathBuf::from(package["manifest_path"].as_str()?).parent()?.join("registry"))
}

/// The folder with the XML where cargo has unpacked the package before.
pub(crate) fn at_hand() -> Option<PathBuf> {
    let sources = cargo_home()?.join("registry/src");
    let registries = fs::read_dir(sources).ok()?;
    let folders = registries.flatten().map(|entry| entry.path().join(format!("{PACKAGE}-{VERSION}/registry")));
    folders.into_iter().find(|folder| folder.is_dir())
}

fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
