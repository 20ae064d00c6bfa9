//! NetFlow: version 5 ([`v5`]), the older and rarer versions 1, 6, 7 and 8 ([`fixed`]), and version 9 ([`v9`], RFC 3954).
//!
//! Version 9 shares its sets, templates and data records with IPFIX; those live in [`crate::ipfix`]
//! and take a [`Dialect`](crate::ipfix::Dialect) where the two differ. Here are the headers, and the
//! one thing that all versions have in common: times in milliseconds since the exporter booted.

mod field;
pub mod fixed;
mod time;
pub mod v1;
pub mod v5;
pub mod v6;
pub mod v7;
pub mod v8;
pub mod v9;

pub use time::{UptimeZero, flow_times_ns, uptime_to_ns};

use crate::{Problem, WireError};

/// The version that a NetFlow or IPFIX datagram claims in its first two bytes.
pub fn version(datagram: &[u8]) -> Option<u16> {
    datagram.first_chunk().copied().map(u16::from_be_bytes)
}

/// Refuses a count of more records than any datagram holds: what claims it is another protocol on the same port.
fn countable(count: u16, header: usize, record: usize) -> Result<(), WireError> {
    let maximum = usize::from(u16::MAX).saturating_sub(header) / record;
    let problem = Problem::TooLong { length: count.into(), maximum };
    if usize::from(count) > maximum { Err(WireError::new("count", 2, problem)) } else { Ok(()) }
}
