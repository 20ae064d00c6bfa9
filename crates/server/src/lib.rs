//! The collector as a program: configuration, topology, HTTP and lifecycle.
//!
//! ```text
//! sockets ─▶ Shard (journal, intake, builders) ─▶ Writer ─▶ parts      one pair of threads a shard
//!                 │ once a second
//!                 ▼
//!               Board ─▶ HTTP: /healthz, /metrics, /api/v1/status
//! ```
//!
//! * [`config`]: the file and its defaults.
//! * [`collector::Collector`]: everything that `serve` runs, from opening to sealing.
//! * [`command`]: the line that started it.
//! * [`declared`]: columns beyond the tables' own, for those who ask.
//! * [`keeper`]: merging and retention, beside it all.
//! * [`import`]: captures into a store, through the same pipeline.
//!
//! Nothing here knows a protocol, and nothing here asks questions of the store.

mod agents;
pub mod board;
pub mod collector;
pub mod command;
pub mod config;
pub mod contact;
pub mod declared;
pub mod forward;
pub mod http;
pub mod import;
pub mod keeper;
mod metrics;
mod recover;
mod seldom;
mod shard;
pub mod status;
mod tap;
pub mod token;
mod writer;
