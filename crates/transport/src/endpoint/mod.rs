//! Endpoints: the URLs that every command takes for input and output.
//!
//! | written | means |
//! |---|---|
//! | `udp://[ADDR][:PORT]`, `:PORT`, `ADDR:PORT` | datagrams |
//! | `tcp://`, `tls://`, `dtls://`, `sctp://` | IPFIX sessions (RFC 7011 section 10) |
//! | `relay://`, `relay+tcp://` | deliveries to or from another finderscope; with TLS, or plain |
//! | `ssh://[USER@]HOST[:PORT]` | the other end is run over the system's ssh |
//! | `hex:FILE`, `pcap:FILE` | one datagram a line in lower-case hex; a capture file. `-` is standard input or output |
//! | `kafka://BROKER[:PORT][,…]/TOPIC` | deliveries in a topic |
//!
//! Network endpoints take options as query parameters (`tls://c:4740?ca=ca.pem`; [`Scheme::options`] lists them), and one that
//! is not known is an error. Default ports belong to protocols, so they are the caller's. This is text in, value out, and back by
//! `Display`: nothing is looked up or opened, and which endpoints a command takes is its own matter.

mod host;
mod options;
mod parse;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

pub use host::{Host, HostPort};
pub use options::{OptionSpec, Options};
pub use parse::EndpointError;

/// Where datagrams come from or go to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// A listener's address, or a peer's, and how to speak with it.
    Network(Scheme, HostPort, Options),
    /// The other end is started over ssh.
    Ssh {
        /// Whom to log in as, where it is not ssh's own choice.
        user: Option<String>,
        /// The machine.
        host: HostPort,
        /// Query parameters.
        options: Options,
    },
    /// One datagram a line, in hex.
    Hex(File),
    /// A capture file, pcap or pcapng.
    Pcap(File),
    /// A Kafka topic.
    Kafka {
        /// The brokers to begin with.
        brokers: Vec<HostPort>,
        /// The topic.
        topic: String,
        /// Query parameters.
        options: Options,
    },
}

/// A file, or the standard stream.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum File {
    /// `-`: standard input or output.
    Standard,
    /// A path.
    Path(PathBuf),
}

/// Every way to carry datagrams, by the name before its colon.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// Datagrams.
    Udp,
    /// IPFIX over TCP.
    Tcp,
    /// IPFIX over TLS.
    Tls,
    /// IPFIX over DTLS.
    Dtls,
    /// IPFIX over SCTP.
    Sctp,
    /// Deliveries over TLS.
    Relay,
    /// Deliveries over plain TCP.
    RelayTcp,
    /// Deliveries over ssh.
    Ssh,
    /// Lines of hex.
    Hex,
    /// A capture file.
    Pcap,
    /// A Kafka topic.
    Kafka,
}

impl Scheme {
    /// All of them, in the manual's order.
    pub const ALL: [Self; 11] = [
        Self::Udp,
        Self::Tcp,
        Self::Tls,
        Self::Dtls,
        Self::Sctp,
        Self::Relay,
        Self::RelayTcp,
        Self::Ssh,
        Self::Hex,
        Self::Pcap,
        Self::Kafka,
    ];

    /// The name before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Dtls => "dtls",
            Self::Sctp => "sctp",
            Self::Relay => "relay",
            Self::RelayTcp => "relay+tcp",
            Self::Ssh => "ssh",
            Self::Hex => "hex",
            Self::Pcap => "pcap",
            Self::Kafka => "kafka",
        }
    }

    /// Whether the name is followed by a file's name and nothing else.
    pub const fn is_file(self) -> bool {
        matches!(self, Self::Hex | Self::Pcap)
    }
}

impl Endpoint {
    /// The word before the colon.
    pub const fn scheme(&self) -> Scheme {
        match self {
            Self::Network(scheme, ..) => *scheme,
            Self::Ssh { .. } => Scheme::Ssh,
            Self::Hex(_) => Scheme::Hex,
            Self::Pcap(_) => Scheme::Pcap,
            Self::Kafka { .. } => Scheme::Kafka,
        }
    }

    /// The query parameters; files have none.
    pub const fn options(&self) -> Option<&Options> {
        match self {
            Self::Network(_, _, options) | Self::Ssh { options, .. } | Self::Kafka { options, .. } => Some(options),
            Self::Hex(_) | Self::Pcap(_) => None,
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        parse::endpoint(text)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme().name();
        match self {
            Self::Network(_, host, options) => write!(f, "{scheme}://{host}{options}"),
            Self::Ssh { user, host, options } => {
                write!(f, "{scheme}://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                write!(f, "{host}{options}")
            }
            Self::Hex(file) | Self::Pcap(file) => write!(f, "{scheme}:{file}"),
            Self::Kafka { brokers, topic, options } => {
                let brokers: Vec<String> = brokers.iter().map(HostPort::to_string).collect();
                write!(f, "{scheme}://{}/{topic}{options}", brokers.join(","))
            }
        }
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("-"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
