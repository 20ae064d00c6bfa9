//! Codecs for flow telemetry, both ways and without IO: bytes in, views and values out, and back.
//!
//! Every decoder here takes a byte slice that a stranger may have written. It never panics, never
//! allocates by a count that the bytes claim, and says what is wrong with the field and its offset
//! ([`WireError`]). No clock, no socket, no `unsafe`.
//!
//! * [`netflow`]: NetFlow v1, v5 to v8 and v9 (RFC 3954); [`ipfix`]: RFC 7011; [`sflow`]: sFlow
//!   versions 2, 4 and 5.
//! * [`packet`]: the sampled header, from Ethernet to transport.
//! * [`delivery`]: the one frame in which datagrams are kept and carried.

#![deny(clippy::indexing_slicing)]

pub mod delivery;
mod error;
pub mod ipfix;
pub mod netflow;
pub mod packet;
mod reader;
pub mod sflow;
mod writer;

pub use error::{Problem, WireError};
pub use reader::Reader;
pub use writer::Writer;
