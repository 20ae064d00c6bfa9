//! The middle of a URL: a host, a port, or both.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use super::EndpointError;

/// A host and a port, either of which may be missing: a listener without a host listens everywhere.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct HostPort {
    /// The host; none means all addresses of this machine.
    pub host: Option<Host>,
    /// The port; none means the protocol's own.
    pub port: Option<u16>,
}

/// A machine, by address or by a name that is still to be looked up.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name.
    Name(String),
}

impl HostPort {
    /// Reads `HOST:PORT`, `[IPV6]:PORT`, `:PORT` or `HOST`.
    pub(super) fn parse(text: &str) -> Result<Self, EndpointError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or(EndpointError::Bracket)?;
                let ip = address.parse().map_err(|_| EndpointError::Ipv6(address.to_owned()))?;
                let port = match port.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if port.is_empty() => None,
                    None => return Err(EndpointError::Host(text.to_owned())),
                };
                (Some(Host::Address(IpAddr::V6(ip))), port)
            }
            None => {
                let (host, port) = match text.rsplit_once(':') {
                    Some((host, _)) if host.contains(':') => return Err(EndpointError::Unbracketed(text.to_owned())),
                    Some((host, port)) => (host, Some(port)),
                    None => (text, None),
                };
                let host = if host.is_empty() { None } else { Some(Host::parse(host)?) };
                (host, port)
            }
        };
        Ok(Self { host, port: port.map(parse_port).transpose()? })
    }

    /// The address without asking anybody, where the host is an address and the port given or `port` is taken.
    pub fn address(&self, port: u16) -> Option<SocketAddr> {
        match self.host {
            Some(Host::Address(ip)) => Some(SocketAddr::new(ip, self.port.unwrap_or(port))),
            _ => None,
        }
    }

    /// Looks the host up; `port` counts where none was given. Without a host there is nothing to look up, and no address.
    ///
    /// May wait for name servers.
    pub fn resolve(&self, port: u16) -> io::Result<Vec<SocketAddr>> {
        let port = self.port.unwrap_or(port);
        match &self.host {
            None => Ok(Vec::new()),
            Some(Host::Address(ip)) => Ok(vec![SocketAddr::new(*ip, port)]),
            Some(Host::Name(name)) => Ok((name.as_str(), port).to_socket_addrs()?.collect()),
        }
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, EndpointError> {
        if let Ok(ip) = text.parse() {
            return Ok(Self::Address(IpAddr::V4(ip)));
        }
        // What looks like an address but is none (10.0.0.256, 10.0.0) would be looked up as a name otherwise.
        let numeric = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if numeric || text.len() > 253 || text.starts_with('-') || !text.chars().all(allowed) {
            return Err(EndpointError::Host(text.to_owned()));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

fn parse_port(text: &str) -> Result<u16, EndpointError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = if digits { text.parse().ok() } else { None };
    port.ok_or_else(|| EndpointError::Port(text.to_owned()))
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(Host::Address(IpAddr::V6(ip))) => write!(f, "[{ip}]")?,
            Some(Host::Address(IpAddr::V4(ip))) => write!(f, "{ip}")?,
            Some(Host::Name(name)) => f.write_str(name)?,
            None => {}
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
