//! `[forward]`: to whom sFlow datagrams are sent on.

use serde::Deserialize;

use super::Network;
use crate::forward::{DEFAULT_PORT, NAME_CHARS_MAX, TARGETS_MAX, Target, TargetError};

/// `[forward]`
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Forward {
    /// Addresses and networks to which also those may forward who have no token.
    pub allow: Vec<Network>,
    /// Targets that are always there.
    pub to: Vec<ForwardTo>,
}

/// `[[forward.to]]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ForwardTo {
    /// What it is called.
    pub name: String,
    /// The collector's address.
    pub address: String,
    /// Its port.
    pub port: Option<u16>,
    /// Whose datagrams it gets; all where nobody is named.
    #[serde(default)]
    pub agents: Vec<String>,
}

impl Forward {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.to.len() > TARGETS_MAX {
            return Err(format!("forward.to: there can be {TARGETS_MAX} targets"));
        }
        for (at, to) in self.to.iter().enumerate() {
            if to.name.is_empty() || to.name.chars().count() > NAME_CHARS_MAX {
                return Err(format!("forward.to.name: '{}' has not 1 to {NAME_CHARS_MAX} characters", to.name));
            }
            if self.to[..at].iter().any(|other| other.name == to.name) {
                return Err(format!("forward.to.name: '{}' is there twice", to.name));
            }
            to.target().map_err(|error| format!("forward.to ({}): {error}", to.name))?;
        }
        Ok(())
    }
}

impl ForwardTo {
    /// Its port, or sFlow's.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    pub(crate) fn target(&self) -> Result<Target, TargetError> {
        Target::new(&self.address, self.port, &self.agents)
    }
}
