//! `[http]`: where status, metrics and REST are, and for whom.

use std::net::SocketAddr;

use serde::Deserialize;

/// `[http]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port; `off` for none.
    pub listen: HttpListen,
    /// Whether everybody who can connect may do everything. Needed, or tokens, off loopback.
    pub open: bool,
    /// Bearer tokens that are let in, beside the one that the server makes for itself.
    pub tokens: Vec<String>,
    /// Names under which the server may be addressed, beside loopback's and its own address.
    pub hosts: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: HttpListen(Some(SocketAddr::from(([127, 0, 0, 1], 8008)))),
            open: false,
            tokens: Vec::new(),
            hosts: Vec::new(),
        }
    }
}

impl Http {
    /// Off loopback there is no HTTP without credentials (semantics of strangers).
    pub(super) fn check(&self) -> Result<(), String> {
        match self.listen.0 {
            Some(address) if !address.ip().is_loopback() && self.tokens.is_empty() && !self.open => Err(format!(
                "http.listen: {address} can be reached from other machines; hint: set http.tokens, or http.open = true"
            )),
            _ => Ok(()),
        }
    }
}

/// Where HTTP listens, if it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HttpListen(pub Option<SocketAddr>);

impl std::str::FromStr for HttpListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let address = text.parse().or_else(|error| match text.strip_prefix(':') {
            Some(port) => format!("127.0.0.1:{port}").parse(),
            None => Err(error),
        });
        let hint = |_| format!("'{text}' is not an address with a port, such as 127.0.0.1:8008, nor `off`");
        address.map(|address| Self(Some(address))).map_err(hint)
    }
}

impl<'de> Deserialize<'de> for HttpListen {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
