//! What stands behind the question mark of an endpoint.

use std::fmt;

use super::{EndpointError, Scheme};

/// Query parameters in their order; each is one that its scheme knows, and stands once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Options(Vec<(&'static str, String)>);

/// An option that a scheme knows, for the manual.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OptionSpec {
    /// The name before the equals sign.
    pub name: &'static str,
    /// What it does.
    pub help: &'static str,
}

const fn option(name: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec { name, help }
}

const UDP: &[OptionSpec] = &[
    option("receive_buffer", "Bytes that the kernel may queue for each socket"),
    option("ipv6_only", "true: an IPv6 address takes no IPv4"),
];
const TLS: &[OptionSpec] = &[
    option("ca", "PEM file with the authorities that vouch for the peer"),
    option("cert", "PEM file with this end's certificate chain"),
    option("key", "PEM file with the certificate's private key"),
    option("name", "The name that the peer's certificate must have, where it is not the host"),
    option("insecure", "true: take any certificate (logged at each connection)"),
];
const SSH: &[OptionSpec] = &[
    option("command", "The program to run at the other end (finderscope)"),
    option("identity", "File with the private key for ssh"),
];
const KAFKA: &[OptionSpec] = &[
    option("group", "Consumer group"),
    option("ca", "PEM file with the authorities that vouch for the brokers"),
    option("cert", "PEM file with the client's certificate chain"),
    option("key", "PEM file with the certificate's private key"),
];

impl Scheme {
    /// The query parameters that the scheme knows.
    pub const fn options(self) -> &'static [OptionSpec] {
        match self {
            Self::Udp => UDP,
            Self::Tls | Self::Dtls | Self::Relay => TLS,
            Self::Ssh => SSH,
            Self::Kafka => KAFKA,
            Self::Tcp | Self::Sctp | Self::RelayTcp | Self::Hex | Self::Pcap => &[],
        }
    }
}

impl Options {
    pub(super) fn parse(scheme: Scheme, query: &str) -> Result<Self, EndpointError> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| EndpointError::OptionValue(pair.to_owned()))?;
            let known = scheme.options().iter().find(|option| option.name == key);
            let name = known.ok_or_else(|| EndpointError::Option { scheme, key: key.to_owned() })?.name;
            if options.value(name).is_some() {
                return Err(EndpointError::OptionTwice(name));
            }
            let value = decode(value).ok_or_else(|| EndpointError::Escape { key: name, value: value.to_owned() })?;
            options.0.push((name, value));
        }
        Ok(options)
    }

    /// The option's value, if it was given.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// All that were given.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// Whether none was given.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `%XX` is a byte (RFC 3986 section 2.1); nothing else is special, so paths need no escapes.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let digits = escaped.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = escaped.get(2..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, value)) in self.iter().enumerate() {
            write!(f, "{}{key}=", if at == 0 { '?' } else { '&' })?;
            for char in value.chars() {
                match char {
                    '%' | '&' | '#' | ' ' | '\0'..='\x1f' | '\x7f' => write!(f, "%{:02X}", u32::from(char))?,
                    _ => write!(f, "{char}")?,
                }
            }
        }
        Ok(())
    }
}
