//! The configuration file: TOML, every key known, errors with the key and its line.
//!
//! What a file does not say has a default that is safe and works: the three usual ports on UDP,
//! HTTP on loopback, everything else by the tables of the manual.

mod age;
mod folder;
mod forward;
pub mod goflow2;
mod http;
mod intake;
mod limits;
mod listen;
mod live;
pub mod map;
mod senders;
mod size;
mod store;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::declared::Declared;

pub use age::Age;
pub use folder::default_data_folder;
pub use forward::{Forward, ForwardTo};
pub use http::{Http, HttpListen};
pub use limits::{Limits, TemplateScope, Templates};
pub use listen::{DEFAULT_LISTENERS, Listen, Udp};
pub use live::Live;
pub use map::Map;
pub use senders::{Exporter, Network, Senders};
pub use size::Size;
pub use store::{Journal, Store};

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
        if self.shards > finderscope_transport::udp::SHARDS_MAX {
            return unsound(format!("shards: {} is over {}", self.shards, finderscope_transport::udp::SHARDS_MAX));
        }
        if self.exporters.iter().any(|exporter| exporter.sampling_rate == Some(0)) {
            return unsound("exporter.sampling_rate: 0 is no rate; 1 means unsampled".to_owned());
        }
        self.declared()?;
        let parts = [self.store.check(), self.live.check(), self.forward.check(), self.http.check()];
        parts.into_iter().collect::<Result<(), String>>().map_err(ConfigError::Unsound)
    }

    /// What the decoder is told of elements; the last that fits counts.
    pub fn rules(&self) -> Vec<finderscope_intake::MapRule> {
        self.mapped.rules.iter().cloned().chain(self.maps.iter().map(Map::rule)).collect()
    }

    /// Columns beyond the program's own.
    pub fn declared(&self) -> Result<Vec<Declared>, ConfigError> {
        map::declared(self.rules().iter()).map_err(ConfigError::Unsound)
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

#[cfg(test)]
mod tests;
