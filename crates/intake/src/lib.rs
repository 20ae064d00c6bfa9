//! Datagrams in, columns out: templates, record plans, sampling, sequences, times, sender rules.
//!
//! [`Intake`] is handed one [`Delivery`](finderscope_wire::delivery::Delivery) after the other and writes rows into
//! [`Tables`](finderscope_flow::Tables). It has no socket, no clock and no lock: bytes, receive times and its own state
//! decide everything, so that a replay of the same deliveries gives the same rows and the same counts.
//!
//! ```text
//! delivery ─▶ sender rules ─▶ exporter ─▶ duplicate? ─▶ v5 ─────────────────────────▶ columns
//!                                                       v1, v6, v7, v8 ────▶ plans ─▶ columns
//!                              (state)                  v9, IPFIX ─▶ sets ─▶ plans ─▶ columns
//!                                                       sFlow ─▶ samples ───────────▶ columns
//! ```
//!
//! A template is compiled once into a plan; a data set is then transposed column by column into the builders, and a
//! record never exists as a struct. Data that comes before its template waits for it. Everything that is received ends
//! in one place of the three balances ([`Ledger`]), and everything that strangers can make us keep has a limit with a
//! name ([`Limits`]).
//!
//! What it does not do: it opens nothing, stores nothing, and joins no names.

mod cells;
mod clock;
mod config;
mod context;
mod datagram;
mod duplicate;
mod exporter;
mod exporters;
mod fixed;
mod foresight;
mod intake;
mod learn;
mod learned;
mod ledger;
mod mapping;
mod netflow5;
mod operate;
mod options;
mod pass;
mod plan;
mod sampling;
mod sequence;
mod sets;
mod sflow;
mod state;
mod status;
mod structured;
mod subject;
mod template;
mod text;
mod waiting;
mod watch;

pub use config::{Config, ExporterConfig, Limits, Network, Senders, TemplateScope};
pub use datagram::Protocol;
pub use intake::{Intake, SENDER_NOT_LISTED};
pub use ledger::{Datagrams, Ledger, Reasons, Records, Sets};
pub use mapping::{MapProtocol, MapRule, MapTarget, MapType, can_be_mapped};
pub use plan::field_name;
pub use sequence::SequenceCounts;
pub use sflow::{Place, counter_place, flow_place};
pub use state::StateError;
pub use status::{DomainStatus, ExporterStatus, SamplerStatus};
pub use watch::{
    ErrorEvent, OptionsEvent, PacketSection, Quiet, SampleKind, TemplateChange, TemplateEvent, Trouble, Watch,
};
