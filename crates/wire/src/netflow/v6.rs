//! NetFlow version 6: version 5, and what encapsulation costs.
//!
//! The header is version 5's. A record has the bytes that encapsulation adds on either side, and the next hop within
//! the peer; few exporters ever sent it.

use super::field::Field::{
    Destination, DestinationAs, DestinationMask, DestinationPort, First, Input, InputEncapsulation, Last, NextHop,
    Octets, Output, OutputEncapsulation, Packets, Pad1, PeerNextHop, Protocol, Source, SourceAs, SourceMask,
    SourcePort, TcpFlags, Tos,
};
use super::fixed::Layout;

/// The version number in the header.
pub const VERSION: u16 = 6;

/// Records of 52 bytes.
#[rustfmt::skip]
pub static LAYOUT: Layout = Layout {
    version: VERSION,
    aggregation: 0,
    name: "flow",
    fields: &[
        Source, Destination, NextHop, Input, Output, Packets, Octets, First, Last, SourcePort, DestinationPort,
        Pad1, TcpFlags, Protocol, Tos, SourceAs, DestinationAs, SourceMask, DestinationMask,
        InputEncapsulation, OutputEncapsulation, PeerNextHop,
    ],
    records_max: 27,
};
