//! Datagrams in, rows and counts out: every protocol, through the one public door.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod balances;
mod biflow;
mod clock;
mod columns;
mod corpus;
mod damage;
mod duplicates;
mod events;
mod fields;
mod fixed;
#[path = "../../../wire/tests/fixture/mod.rs"]
mod fixture;
mod harness;
mod limits;
mod mapping;
mod options;
mod packets;
mod restart;
mod sampling;
mod senders;
mod sequence;
mod sflow;
mod sflow_versions;
mod structured;
mod structures;
mod templates;
mod v5;
mod vendors;
mod watch;
