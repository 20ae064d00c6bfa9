//! NetFlow version 1: no sequence number, no autonomous systems, no prefix lengths.
//!
//! Its protocol, type of service and TCP flags stand in another order than in version 5, behind two bytes of padding.

use super::field::Field::{
    Destination, DestinationPort, First, Input, Last, NextHop, Octets, Output, Packets, Pad1, Pad2, Pad4, Protocol,
    Source, SourcePort, TcpFlags, Tos,
};
use super::fixed::Layout;

/// The version number in the header.
pub const VERSION: u16 = 1;

/// Records of 48 bytes, of which the last seven say nothing.
#[rustfmt::skip]
pub static LAYOUT: Layout = Layout {
    version: VERSION,
    aggregation: 0,
    name: "flow",
    fields: &[
        Source, Destination, NextHop, Input, Output, Packets, Octets, First, Last, SourcePort, DestinationPort,
        Pad2, Protocol, Tos, TcpFlags, Pad1, Pad2, Pad4,
    ],
    records_max: 24,
};
