//! NetFlow version 8: flows that the router has added up already, by one of fourteen schemes.
//!
//! The header names the scheme, and all records of a datagram are of it. Records of schemes 6 to 8 come from Catalyst
//! switches, are flows that share a mask, and do not say how many flows they hold; those of the others do. A router
//! that runs several schemes tells of the same packets once in each.
//!
//! Readers disagree on two places, and these are as routers write them. Where a record has two prefix lengths, the
//! destination's comes first (flow-tools' `ftlib.h`; Junos has `caida-compliant` for a collector that expected the
//! other order); tshark 4.0 takes them the other way round. Scheme 9 has its interfaces before the type of service
//! ("NetFlow ToS-Based Router Aggregation", figure 2); tshark looks for them behind it.

use super::field::Field;
use super::field::Field::{
    Destination, DestinationAs, DestinationMask, DestinationPort, ExtraPackets, First, Flows, Input, Last, MarkedTos,
    Octets, Output, Packets, Pad1, Pad2, Protocol, RouterShortcut, Source, SourceAs, SourceMask, SourcePort, Tos,
};
use super::fixed::Layout;

/// The version number in the header.
pub const VERSION: u16 = 8;

/// The version of the aggregation export that routers send.
pub const AGGREGATION_VERSION: u8 = 2;

/// Every scheme, by its number.
#[rustfmt::skip]
pub static LAYOUTS: [Layout; 14] = [
    layout(1, "as", 51, &[
        Flows, Packets, Octets, First, Last, SourceAs, DestinationAs, Input, Output,
    ]),
    layout(2, "protocol-port", 51, &[
        Flows, Packets, Octets, First, Last, Protocol, Pad1, Pad2, SourcePort, DestinationPort,
    ]),
    layout(3, "source-prefix", 44, &[
        Flows, Packets, Octets, First, Last, Source, SourceMask, Pad1, SourceAs, Input, Pad2,
    ]),
    layout(4, "destination-prefix", 44, &[
        Flows, Packets, Octets, First, Last, Destination, DestinationMask, Pad1, DestinationAs, Output, Pad2,
    ]),
    layout(5, "prefix", 35, &[
        Flows, Packets, Octets, First, Last, Source, Destination, DestinationMask, SourceMask, Pad2,
        SourceAs, DestinationAs, Input, Output,
    ]),
    layout(6, "destination", 44, &[
        Destination, Packets, Octets, First, Last, Output, Tos, MarkedTos, ExtraPackets, RouterShortcut,
    ]),
    layout(7, "source-destination", 35, &[
        Destination, Source, Packets, Octets, First, Last, Output, Input, Tos, MarkedTos, Pad2, ExtraPackets,
        RouterShortcut,
    ]),
    layout(8, "full-flow", 32, &[
        Destination, Source, DestinationPort, SourcePort, Packets, Octets, First, Last, Output, Input, Tos,
        Protocol, MarkedTos, Pad1, ExtraPackets, RouterShortcut,
    ]),
    layout(9, "as-tos", 44, &[
        Flows, Packets, Octets, First, Last, SourceAs, DestinationAs, Input, Output, Tos, Pad1, Pad2,
    ]),
    layout(10, "protocol-port-tos", 44, &[
        Flows, Packets, Octets, First, Last, Protocol, Tos, Pad2, SourcePort, DestinationPort, Input, Output,
    ]),
    layout(11, "source-prefix-tos", 44, &[
        Flows, Packets, Octets, First, Last, Source, SourceMask, Tos, SourceAs, Input, Pad2,
    ]),
    layout(12, "destination-prefix-tos", 44, &[
        Flows, Packets, Octets, First, Last, Destination, DestinationMask, Tos, DestinationAs, Output, Pad2,
    ]),
    layout(13, "prefix-tos", 35, &[
        Flows, Packets, Octets, First, Last, Source, Destination, DestinationMask, SourceMask, Tos, Pad1,
        SourceAs, DestinationAs, Input, Output,
    ]),
    layout(14, "prefix-port-tos", 35, &[
        Flows, Packets, Octets, First, Last, Source, Destination, DestinationMask, SourceMask, Tos, Protocol,
        SourcePort, DestinationPort, Input, Output,
    ]),
];

const fn layout(aggregation: u8, name: &'static str, records_max: usize, fields: &'static [Field]) -> Layout {
    Layout { version: VERSION, aggregation, name, fields, records_max }
}
