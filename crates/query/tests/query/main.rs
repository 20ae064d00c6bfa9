//! Questions and their answers. One binary, since each links the planner.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;
mod filter;
mod frames;
mod groups;
mod index;
mod names;
mod parts;
mod rollups;
mod sieve;
mod sql;
mod store;
mod totals;
