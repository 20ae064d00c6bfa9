//! `--map`: what is said about elements, where there is no server's configuration.

use std::path::{Path, PathBuf};

use finderscope_intake::MapRule;
use finderscope_query::{UserColumn, UserKind};
use finderscope_server::config::{Config, goflow2, map};
use finderscope_server::declared::Declared;

/// Which columns elements fill.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct MapArgs {
    /// Which columns elements fill: a configuration with [[map]], or goflow2's mapping (.yaml, .yml)
    #[arg(long = "map", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl MapArgs {
    /// Whether a file was named.
    pub const fn is_given(&self) -> bool {
        self.file.is_some()
    }

    /// What the file says; what in it has no meaning here is said on stderr.
    pub fn rules(&self) -> anyhow::Result<Vec<MapRule>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let (rules, warnings) = match is_yaml(file) {
            true => goflow2::read(file).map(|mapping| (mapping.rules, mapping.warnings))?,
            false => Config::read(file).map(|config| (config.rules(), config.mapped.warnings))?,
        };
        for warning in warnings {
            crate::say(format_args!("{warning}"));
        }
        Ok(rules)
    }
}

fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// The columns that rules declare.
pub fn columns(rules: &[MapRule]) -> anyhow::Result<Vec<UserColumn>> {
    let declared = map::declared(rules.iter()).map_err(anyhow::Error::msg)?;
    Ok(declared.into_iter().map(column).collect())
}

/// A column as questions have it.
pub fn column(declared: Declared) -> UserColumn {
    UserColumn { name: declared.column, kind: UserKind::by_word(&declared.kind).unwrap_or_default() }
}
