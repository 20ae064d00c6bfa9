//! Where everything is kept where nothing else is said.

use std::path::PathBuf;

use super::ConfigError;

/// `$STATE_DIRECTORY` (systemd's), `/var/lib/finderscope` for root, else under `$XDG_DATA_HOME`.
pub fn default_data_folder() -> Result<PathBuf, ConfigError> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = variable("STATE_DIRECTORY") {
        return Ok(folder);
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/finderscope"));
    }
    let home = variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")));
    let missing = || ConfigError::Unsound("neither XDG_DATA_HOME nor HOME is set; hint: --data DIR".to_owned());
    home.map(|home| home.join("finderscope")).ok_or_else(missing)
}
