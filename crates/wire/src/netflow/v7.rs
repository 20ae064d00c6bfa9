//! NetFlow version 7: what Catalyst 5000 switches export of flows that they take past a router.
//!
//! The header has no engine and says nothing of sampling. With a flow mask that is not full, ports, and with
//! destination-only masks the source too, are zero; the flags say so.

use super::field::Field::{
    Destination, DestinationAs, DestinationMask, DestinationPort, First, Flags, FlowFlags, Input, Last, NextHop,
    Octets, Output, Packets, Protocol, RouterShortcut, Source, SourceAs, SourceMask, SourcePort, TcpFlags, Tos,
};
use super::fixed::Layout;

/// The version number in the header.
pub const VERSION: u16 = 7;

/// Records of 52 bytes.
#[rustfmt::skip]
pub static LAYOUT: Layout = Layout {
    version: VERSION,
    aggregation: 0,
    name: "flow",
    fields: &[
        Source, Destination, NextHop, Input, Output, Packets, Octets, First, Last, SourcePort, DestinationPort,
        Flags, TcpFlags, Protocol, Tos, SourceAs, DestinationAs, SourceMask, DestinationMask, FlowFlags,
        RouterShortcut,
    ],
    records_max: 27,
};
