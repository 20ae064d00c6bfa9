//! A target as people write it: an address, a port, and whose datagrams it gets.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use serde_json::Value;

use crate::agents::Agents;

/// sFlow's port.
pub const DEFAULT_PORT: u16 = 6343;
/// Whose datagrams one target gets, by name; more get all.
const AGENTS_MAX: usize = 10_000;

/// Where sFlow datagrams go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// The collector.
    pub to: SocketAddr,
    pub(crate) agents: Agents,
}

/// What is wrong with a target.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct TargetError {
    field: &'static str,
    problem: String,
}

/// As it is written, in JSON or TOML.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    address: String,
    port: Option<u16>,
    #[serde(default)]
    agents: Vec<String>,
}

impl Target {
    /// Checks what somebody wants.
    pub fn new(address: &str, port: Option<u16>, agents: &[String]) -> Result<Self, TargetError> {
        let wrong = |field, problem: String| TargetError { field, problem };
        let ip = |field, text: &str| match text.trim().parse::<IpAddr>() {
            Ok(ip) => Ok(ip.to_canonical()),
            Err(_) => Err(wrong(field, format!("'{text}' is no address, such as 10.1.2.3 or 2001:db8::1"))),
        };
        let address = ip("address", address)?;
        if address.is_unspecified() {
            return Err(wrong("address", format!("{address} is nobody's address")));
        }
        let port = port.unwrap_or(DEFAULT_PORT);
        if port == 0 {
            return Err(wrong("port", "0 is no port".to_owned()));
        }
        if agents.len() > AGENTS_MAX {
            return Err(wrong("agents", format!("more than {AGENTS_MAX}; hint: leave them out, and all are sent")));
        }
        let agents = agents.iter().map(|agent| ip("agents", agent)).collect::<Result<_, _>>()?;
        Ok(Self { to: SocketAddr::new(address, port), agents: Agents::new(agents) })
    }

    /// Reads the object of a request.
    pub fn read(body: &Value) -> Result<Self, TargetError> {
        let whole = |problem: String| TargetError { field: "forwarding", problem };
        if !body.is_object() {
            return Err(whole("an object is wanted, such as {\"address\": \"10.1.2.3\", \"port\": 6343}".to_owned()));
        }
        let written = Written::deserialize(body).map_err(|error| whole(error.to_string()))?;
        Self::new(&written.address, written.port, &written.agents)
    }

    /// The object that [`Self::read`] reads.
    pub fn to_json(&self) -> Value {
        let mut object = serde_json::json!({ "address": self.to.ip(), "port": self.to.port() });
        if !self.agents.are_all() {
            object["agents"] = serde_json::json!(self.agents.iter().collect::<Vec<_>>());
        }
        object
    }

    /// Whose datagrams it gets; all where there are none.
    pub fn agents(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.agents.iter()
    }
}
