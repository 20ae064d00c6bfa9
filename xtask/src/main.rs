//! Makes what the repository keeps but nobody writes by hand.
//!
//! * `registry [FOLDER]`: information elements as Rust tables, from IANA's XML and the facts on other people's.
//! * `docs`: the pages on columns, elements, NetFlow's fixed layouts and sFlow structures, from the tables in the program.
//!
//! Both print nothing when all went well; tests say when a kept file is not what would be made now.

mod docs;
mod elements;
mod facts;
mod names;
mod netflow;
mod registry;
mod source;
mod structures;
mod values;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let task = arguments.next().unwrap_or_default();
    match task.to_str() {
        Some("registry") => {
            let folder = match arguments.next() {
                Some(folder) => PathBuf::from(folder),
                None => source::fetch()?,
            };
            write(registry::PATH, &registry::generate(&folder)?)
        }
        Some("docs") => docs::pages().iter().try_for_each(|page| write(page.path, &page.text)),
        _ => bail!("usage: cargo run -p finderscope-xtask -- registry [FOLDER] | docs"),
    }
}

fn write(path: &str, text: &str) -> anyhow::Result<()> {
    let path = workspace().join(path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}

/// The root of the workspace.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in a folder of the workspace")
}
