//! NetFlow v5, v9 and IPFIX, from outside: round trips, damage, the habits of real exporters, the corpus.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod corpus;
mod damage;
mod decoded;
mod encoding;
mod fixed;
mod ipfix;
mod numbers;
mod records;
mod templates;
mod v5;
mod v9;
