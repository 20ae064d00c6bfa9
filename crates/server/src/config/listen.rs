//! `listen` and `[udp]`: where datagrams come in.

use finderscope_transport::endpoint::Endpoint;
use serde::Deserialize;

use super::Size;

/// Ports that are listened on where nothing else is said: sFlow, NetFlow, IPFIX.
pub const DEFAULT_LISTENERS: [&str; 3] = ["udp://:6343", "udp://:2055", "udp://:4739"];

/// An endpoint to listen on.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen(pub Endpoint);

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The line that is told is the list's; the value says which of its members is meant.
        text.parse().map(Self).map_err(|error| serde::de::Error::custom(format!("'{text}': {error}")))
    }
}

/// `[udp]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Udp {
    /// What to ask the kernel for, for each socket.
    pub receive_buffer: Size,
}

impl Default for Udp {
    fn default() -> Self {
        Self { receive_buffer: Size(finderscope_transport::udp::RECEIVE_BUFFER_BYTES as u64) }
    }
}
