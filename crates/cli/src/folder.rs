//! Where the store is when nobody says where.

use std::path::PathBuf;

use anyhow::bail;

/// `$STATE_DIRECTORY` (systemd's), `/var/lib/finderscope` for root, else under `$XDG_DATA_HOME`.
pub fn default() -> anyhow::Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = variable("STATE_DIRECTORY") {
        return Ok(folder);
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/finderscope"));
    }
    match variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share"))) {
        Some(home) => Ok(home.join("finderscope")),
        None => bail!("neither XDG_DATA_HOME nor HOME is set; hint: --data DIR"),
    }
}
