//! `[senders]` and `[[exporter]]`: who may send, and what the operator knows about them.

use std::net::IpAddr;

use serde::Deserialize;

/// `[senders]`
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Senders {
    /// Whether everybody else is refused.
    pub require: bool,
    /// Addresses and networks that may send.
    pub allow: Vec<Network>,
}

/// An address with a prefix length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    /// Any address in it.
    pub address: IpAddr,
    /// Bits that count.
    pub prefix: u8,
}

impl Network {
    /// Whether an address is in it.
    pub fn contains(self, address: IpAddr) -> bool {
        finderscope_intake::Network { address: self.address, prefix: self.prefix }.contains(address)
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is neither an address nor a network such as 10.0.0.0/8");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(widest), str::parse).map_err(|_| bad())?;
        if prefix > widest { Err(bad()) } else { Ok(Self { address, prefix }) }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// `[[exporter]]`: what the operator knows about one.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Exporter {
    /// Its address, or a network of exporters that are alike.
    pub address: Network,
    /// A name for people.
    pub name: Option<String>,
    /// One in how many packets it really samples, whatever it says.
    pub sampling_rate: Option<u64>,
    /// What to assume while it says nothing.
    pub assumed_sampling_rate: Option<u64>,
    /// Whether its NetFlow v9 templates have enterprise numbers as IPFIX has.
    #[serde(default)]
    pub v9_enterprise_numbers: bool,
}
