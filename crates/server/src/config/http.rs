//! `[http]`: where status, metrics and REST are, and for whom.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use crate::http::connections::Limits;

/// Longer times are no bounds.
const SECONDS_MAX: u64 = 3_600;

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
    /// How many connections there may be, live streams with them.
    pub connections: usize,
    /// How many of them from one address, or one IPv6 network of 64 bits.
    pub connections_per_address: usize,
    /// Seconds in which a request's head has to be there, and as many again for its body.
    pub request_seconds: u64,
    /// Seconds that a connection may rest between two requests.
    pub idle_seconds: u64,
    /// Seconds after which a connection ends of whose answer nothing is taken.
    pub stall_seconds: u64,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: HttpListen(Some(SocketAddr::from(([127, 0, 0, 1], 8008)))),
            open: false,
            tokens: Vec::new(),
            hosts: Vec::new(),
            connections: 256,
            connections_per_address: 64,
            request_seconds: 10,
            idle_seconds: 60,
            stall_seconds: 30,
        }
    }
}

impl Http {
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, seconds) in [
            ("request_seconds", self.request_seconds),
            ("idle_seconds", self.idle_seconds),
            ("stall_seconds", self.stall_seconds),
        ] {
            if !(1..=SECONDS_MAX).contains(&seconds) {
                return Err(format!("http.{name}: {seconds} is not from 1 to {SECONDS_MAX}"));
            }
        }
        if self.connections == 0 || self.connections_per_address == 0 {
            return Err("http.connections: 0 lets nobody in; hint: http.listen = \"off\"".to_owned());
        }
        self.check_credentials()
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            connections: self.connections,
            per_address: self.connections_per_address,
            request: Duration::from_secs(self.request_seconds),
            idle: Duration::from_secs(self.idle_seconds),
            stall: Duration::from_secs(self.stall_seconds),
        }
    }

    /// Off loopback there is no HTTP without credentials (semantics of strangers).
    fn check_credentials(&self) -> Result<(), String> {
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
