//! The configuration file: TOML, every key known, errors with the key and its line.
//!
//! What a file does not say has a default that is safe and works: the three usual ports on UDP,
//! HTTP on loopback, everything else by the tables of the manual.

mod age;
mod forward;
pub mod goflow2;
mod intake;
mod live;
pub mod map;
mod size;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use finderscope_transport::endpoint::Endpoint;
use serde::Deserialize;

use crate::declared::Declared;

pub use age::Age;
pub use forward::{Forward, ForwardTo};
pub use live::Live;
pub use map::Map;
pub use size::Size;

/// Ports that are listened on where nothing else is said: sFlow, NetFlow, IPFIX.
pub const DEFAULT_LISTENERS: [&str; 3] = ["udp://:6343", "udp://:2055", "udp://:4739"];

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder that everything is kept in; without it the usual place of the system.
    pub data: Option<PathBuf>,
    /// Endpoints to listen on.
    pub listen: Vec<Listen>,
    /// Threads that receive and decode; 0 means one per core.
    pub shards: usize,
    /// HTTP: status, metrics, REST.
    pub http: Http,
    /// UDP sockets.
    pub udp: Udp,
    /// The journal of datagrams.
    pub journal: Journal,
    /// When rows become visible to queries.
    pub store: Store,
    /// Who looks on.
    pub live: Live,
    /// To whom datagrams are sent on.
    pub forward: Forward,
    /// Who may send.
    pub senders: Senders,
    /// Bounds on what senders can make us keep.
    pub limits: Limits,
    /// What the operator knows about single exporters.
    #[serde(rename = "exporter")]
    pub exporters: Vec<Exporter>,
    /// How templates are told apart.
    pub templates: Templates,
    /// Elements to columns.
    #[serde(rename = "map")]
    pub maps: Vec<Map>,
    /// goflow2's mapping file, whose entries come behind those of `maps`.
    pub map_file: Option<PathBuf>,
    /// What that file says.
    #[serde(skip)]
    pub mapped: goflow2::Mapping,
}

impl Default for Config {
    fn default() -> Self {
        let listen = DEFAULT_LISTENERS.iter().map(|url| Listen(url.parse().expect("the default endpoints are sound")));
        Self {
            data: None,
            listen: listen.collect(),
            shards: 0,
            http: Http::default(),
            udp: Udp::default(),
            journal: Journal::default(),
            store: Store::default(),
            live: Live::default(),
            forward: Forward::default(),
            senders: Senders::default(),
            limits: Limits::default(),
            exporters: Vec::new(),
            templates: Templates::default(),
            maps: Vec::new(),
            map_file: None,
            mapped: goflow2::Mapping::default(),
        }
    }
}

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

/// `[journal]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// The share of the disk that all journals together may take.
    pub limit: Size,
    /// The size of one file.
    pub segment: Size,
}

impl Default for Journal {
    fn default() -> Self {
        Self { limit: Size(16_000_000_000), segment: Size(64_000_000) }
    }
}

/// `[store]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Seconds after which received rows are closed into parts that queries read: 1 to 4.
    pub cut_seconds: u64,
    /// How long rows are kept; for ever where nothing is said.
    pub keep: Option<Age>,
    /// How long totals are kept; as long as rows where nothing is said.
    pub keep_totals: Option<Age>,
    /// How large parts, indexes and totals may be together.
    pub max_size: Option<Size>,
    /// Parts of a running hour that are merged into one.
    pub merge_parts: usize,
}

impl Default for Store {
    fn default() -> Self {
        let merge_parts = finderscope_store::keeper::Rules::default().gather_parts;
        Self { cut_seconds: 3, keep: None, keep_totals: None, max_size: None, merge_parts }
    }
}

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

/// `[limits]`: each has a metric of its name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Exporters that are remembered; the idlest that is not listed goes first.
    pub exporters: Option<usize>,
    /// Templates of one exporter.
    pub templates_per_exporter: Option<usize>,
    /// Fields of one template.
    pub fields_per_template: Option<usize>,
    /// Bytes of data without a template, per exporter.
    pub waiting_per_exporter: Option<Size>,
    /// Bytes of data without a template, of all exporters.
    pub waiting: Option<Size>,
    /// Seconds that data waits for its template.
    pub waiting_seconds: Option<u64>,
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

/// `[templates]`
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Templates {
    /// What tells exporters' templates apart.
    pub scope: TemplateScope,
    /// Seconds after which an IPFIX template that was not sent again is forgotten; none by default.
    pub timeout_seconds: Option<u64>,
}

/// What a template belongs to, beside version and domain.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum TemplateScope {
    /// The exporter's address.
    #[default]
    Address,
    /// Its address and source port, as RFC 7011 has it.
    Port,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A key or value is wrong.
    #[error("{}:{line}: {message}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Which key, and what is wrong with it.
        message: String,
    },
    /// Sound TOML that cannot work.
    #[error("{0}")]
    Unsound(String),
}

impl Config {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let read = |error| ConfigError::Read { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(read)?;
        Self::parse(&text, path)
    }

    /// Parses and checks the text of the file `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
            ConfigError::Key { path: path.to_owned(), line, message: error.message().trim().to_owned() }
        })?;
        if let Some(file) = &config.map_file {
            // It lies beside the configuration, from wherever that is read.
            let beside = path.parent().map_or_else(|| file.clone(), |folder| folder.join(file));
            config.mapped = goflow2::read(&beside)?;
        }
        config.check()?;
        Ok(config)
    }

    /// What types cannot say.
    pub fn check(&self) -> Result<(), ConfigError> {
        let unsound = |message: String| Err(ConfigError::Unsound(message));
        if self.listen.is_empty() {
            return unsound("listen: there must be at least one endpoint".to_owned());
        }
        if !(1..=4).contains(&self.store.cut_seconds) {
            return unsound(format!("store.cut_seconds: {} is not from 1 to 4", self.store.cut_seconds));
        }
        if self.store.merge_parts < 2 {
            return unsound(format!("store.merge_parts: {} parts cannot be merged", self.store.merge_parts));
        }
        if let (Some(totals), Some(rows)) = (self.store.keep_totals, self.store.keep)
            && totals < rows
        {
            return unsound(format!("store.keep_totals: {totals} is less than store.keep, which is {rows}"));
        }
        if self.store.max_size == Some(Size(0)) {
            return unsound("store.max_size: 0 keeps nothing".to_owned());
        }
        if self.shards > finderscope_transport::udp::SHARDS_MAX {
            return unsound(format!("shards: {} is over {}", self.shards, finderscope_transport::udp::SHARDS_MAX));
        }
        if self.exporters.iter().any(|exporter| exporter.sampling_rate == Some(0)) {
            return unsound("exporter.sampling_rate: 0 is no rate; 1 means unsampled".to_owned());
        }
        self.declared()?;
        self.live.check().map_err(ConfigError::Unsound)?;
        self.forward.check().map_err(ConfigError::Unsound)?;
        self.check_http()
    }

    /// What the decoder is told of elements; the last that fits counts.
    pub fn rules(&self) -> Vec<finderscope_intake::MapRule> {
        self.mapped.rules.iter().cloned().chain(self.maps.iter().map(Map::rule)).collect()
    }

    /// Columns beyond the program's own.
    pub fn declared(&self) -> Result<Vec<Declared>, ConfigError> {
        map::declared(self.rules().iter()).map_err(ConfigError::Unsound)
    }

    /// Off loopback there is no HTTP without credentials (semantics of strangers).
    fn check_http(&self) -> Result<(), ConfigError> {
        match self.http.listen.0 {
            Some(address) if !address.ip().is_loopback() && self.http.tokens.is_empty() && !self.http.open => {
                Err(ConfigError::Unsound(format!(
                    "http.listen: {address} can be reached from other machines; hint: set http.tokens, or http.open = true"
                )))
            }
            _ => Ok(()),
        }
    }

    /// How many shards that is on this machine.
    pub fn shard_count(&self) -> usize {
        match self.shards {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            shards => shards,
        }
    }

    /// The data folder: as configured, else where the system keeps such things.
    pub fn data_folder(&self) -> Result<PathBuf, ConfigError> {
        self.data.clone().map_or_else(default_data_folder, Ok)
    }
}

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

#[cfg(test)]
mod tests;
