//! Which column an information element fills.
//!
//! One table for IPFIX and NetFlow v9, whose field types below 128 are the same numbers. Elements that are not
//! here either have a meaning of their own (times, sampling, counters of both directions, structured data,
//! packet sections: the record plan knows them), or go to [`Column::Extra`] under their name.

use crate::Column;

/// That an element fills a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mapping {
    /// IANA's number, or NetFlow v9's field type.
    pub element: u16,
    /// What it fills.
    pub column: Column,
    /// Which element is taken where a record has several for the column: the lowest rank.
    pub rank: u8,
    /// How the column's cell is had from the element's value.
    pub conversion: Conversion,
}

/// How a column's cell is had from an element's value.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Conversion {
    /// The value as it is: an integer of any size up to the column's, an address, a name.
    Plain,
    /// The value's second lowest byte: the type in `type * 256 + code`.
    HighByte,
    /// The value's lowest byte: the code in `type * 256 + code`.
    LowByte,
    /// The low 12 bits: a VLAN's number without its priority.
    Vlan,
    /// The top three bits of a byte: IP's fragmentation flags.
    TopBits,
    /// A 3-byte label stack entry: its upper 20 bits, at this place of the stack, the top being 0.
    Label(u8),
    /// An application's engine and selector (RFC 6759 section 4), as `engine:selector`.
    Application,
}

const fn m(element: u16, column: Column, rank: u8) -> Mapping {
    Mapping { element, column, rank, conversion: Conversion::Plain }
}

const fn by(element: u16, column: Column, rank: u8, conversion: Conversion) -> Mapping {
    Mapping { element, column, rank, conversion }
}

/// Every mapping, by element.
#[rustfmt::skip]
pub static MAPPINGS: &[Mapping] = &[
    m(1,   Column::Bytes, 0),                // octetDeltaCount
    m(2,   Column::Packets, 0),              // packetDeltaCount
    m(4,   Column::Proto, 0),                // protocolIdentifier
    m(5,   Column::IpTos, 0),                // ipClassOfService
    m(6,   Column::TcpFlags, 0),             // tcpControlBits
    m(7,   Column::SrcPort, 0),              // sourceTransportPort
    m(8,   Column::SrcAddr, 0),              // sourceIPv4Address
    m(9,   Column::SrcNet, 0),               // sourceIPv4PrefixLength
    m(10,  Column::InIf, 0),                 // ingressInterface
    m(11,  Column::DstPort, 0),              // destinationTransportPort
    m(12,  Column::DstAddr, 0),              // destinationIPv4Address
    m(13,  Column::DstNet, 0),               // destinationIPv4PrefixLength
    m(14,  Column::OutIf, 0),                // egressInterface
    m(15,  Column::NextHop, 0),              // ipNextHopIPv4Address
    m(16,  Column::SrcAs, 0),                // bgpSourceAsNumber
    m(17,  Column::DstAs, 0),                // bgpDestinationAsNumber
    m(18,  Column::BgpNextHop, 0),           // bgpNextHopIPv4Address
    m(23,  Column::PostBytes, 0),            // postOctetDeltaCount
    m(24,  Column::PostPackets, 0),          // postPacketDeltaCount
    m(25,  Column::MinimumIpTotalLength, 0), // minimumIpTotalLength
    m(26,  Column::MaximumIpTotalLength, 0), // maximumIpTotalLength
    m(27,  Column::SrcAddr, 1),              // sourceIPv6Address
    m(28,  Column::DstAddr, 1),              // destinationIPv6Address
    m(29,  Column::SrcNet, 1),               // sourceIPv6PrefixLength
    m(30,  Column::DstNet, 1),               // destinationIPv6PrefixLength
    m(31,  Column::Ipv6FlowLabel, 0),        // flowLabelIPv6
    by(32, Column::IcmpType, 1, Conversion::HighByte), // icmpTypeCodeIPv4
    by(32, Column::IcmpCode, 1, Conversion::LowByte),
    m(48,  Column::SamplerId, 1),            // samplerId
    m(52,  Column::MinimumTtl, 0),           // minimumTTL
    m(53,  Column::MaximumTtl, 0),           // maximumTTL
    m(54,  Column::FragmentId, 0),           // fragmentIdentification
    m(56,  Column::SrcMac, 0),               // sourceMacAddress
    m(57,  Column::DstMac, 1),               // postDestinationMacAddress
    m(58,  Column::VlanId, 0),               // vlanId
    m(59,  Column::DstVlan, 0),              // postVlanId
    m(61,  Column::FlowDirection, 0),        // flowDirection
    m(62,  Column::NextHop, 1),              // ipNextHopIPv6Address
    m(63,  Column::BgpNextHop, 1),           // bgpNextHopIPv6Address
    by(70, Column::MplsLabel, 0, Conversion::Label(0)), // mplsTopLabelStackSection
    by(71, Column::MplsLabel, 0, Conversion::Label(1)), // mplsLabelStackSection2
    by(72, Column::MplsLabel, 0, Conversion::Label(2)),
    by(73, Column::MplsLabel, 0, Conversion::Label(3)),
    by(74, Column::MplsLabel, 0, Conversion::Label(4)),
    by(75, Column::MplsLabel, 0, Conversion::Label(5)),
    by(76, Column::MplsLabel, 0, Conversion::Label(6)),
    by(77, Column::MplsLabel, 0, Conversion::Label(7)),
    by(78, Column::MplsLabel, 0, Conversion::Label(8)),
    by(79, Column::MplsLabel, 0, Conversion::Label(9)), // mplsLabelStackSection10
    m(80,  Column::DstMac, 0),               // destinationMacAddress
    m(81,  Column::SrcMac, 1),               // postSourceMacAddress
    m(85,  Column::Bytes, 1),                // octetTotalCount
    m(86,  Column::Packets, 1),              // packetTotalCount
    m(88,  Column::FragmentOffset, 0),       // fragmentOffset
    m(89,  Column::ForwardingStatus, 0),     // forwardingStatus
    by(95, Column::App, 1, Conversion::Application), // applicationId
    m(96,  Column::App, 0),                  // applicationName
    m(128, Column::NextHopAs, 0),            // bgpNextAdjacentAsNumber
    m(136, Column::FlowEndReason, 0),        // flowEndReason
    m(138, Column::ObservationPointId, 0),   // observationPointId
    by(139, Column::IcmpType, 2, Conversion::HighByte), // icmpTypeCodeIPv6
    by(139, Column::IcmpCode, 2, Conversion::LowByte),
    m(148, Column::FlowId, 0),               // flowId
    m(176, Column::IcmpType, 0),             // icmpTypeIPv4
    m(177, Column::IcmpCode, 0),             // icmpCodeIPv4
    m(178, Column::IcmpType, 0),             // icmpTypeIPv6
    m(179, Column::IcmpCode, 0),             // icmpCodeIPv6
    m(184, Column::TcpSequenceNumber, 0),    // tcpSequenceNumber
    m(192, Column::IpTtl, 0),                // ipTTL
    by(197, Column::IpFlags, 0, Conversion::TopBits), // fragmentFlags
    m(225, Column::PostNatSrcAddr, 0),       // postNATSourceIPv4Address
    m(226, Column::PostNatDstAddr, 0),       // postNATDestinationIPv4Address
    m(227, Column::PostNaptSrcPort, 0),      // postNAPTSourceTransportPort
    m(228, Column::PostNaptDstPort, 0),      // postNAPTDestinationTransportPort
    m(230, Column::NatEvent, 0),             // natEvent
    m(233, Column::FirewallEvent, 0),        // firewallEvent
    m(234, Column::IngressVrfId, 0),         // ingressVRFID
    m(235, Column::EgressVrfId, 0),          // egressVRFID
    by(243, Column::VlanId, 1, Conversion::Vlan), // dot1qVlanId
    m(252, Column::InIf, 1),                 // ingressPhysicalInterface
    m(253, Column::OutIf, 1),                // egressPhysicalInterface
    by(254, Column::DstVlan, 1, Conversion::Vlan), // postDot1qVlanId
    m(256, Column::Etype, 0),                // ethernetType
    m(281, Column::PostNatSrcAddr, 1),       // postNATSourceIPv6Address
    m(282, Column::PostNatDstAddr, 1),       // postNATDestinationIPv6Address
    m(302, Column::SamplerId, 0),            // selectorId
    m(371, Column::UserName, 0),             // userName
    // Cisco ASA's own field types of NetFlow v9; IPFIX has no such numbers.
    m(40000, Column::UserName, 1),
    m(40001, Column::PostNatSrcAddr, 2),
    m(40002, Column::PostNatDstAddr, 2),
    m(40003, Column::PostNaptSrcPort, 1),
    m(40004, Column::PostNaptDstPort, 1),
    m(40005, Column::FirewallEvent, 1),
];

/// The columns that an IANA element or a NetFlow v9 field type fills: none, one, or two.
pub fn mappings(element: u16) -> &'static [Mapping] {
    let from = MAPPINGS.partition_point(|mapping| mapping.element < element);
    let until = MAPPINGS.partition_point(|mapping| mapping.element <= element);
    &MAPPINGS[from..until]
}

/// The column that an element fills, the first where it fills two. Enterprises' elements fill none, and neither
/// do reverse ones here: which row of a biflow they belong to is for the reader of records to know.
pub fn column_of(enterprise: Option<u32>, id: u16) -> Option<Column> {
    match enterprise {
        None | Some(0) => mappings(id).first().map(|mapping| mapping.column),
        Some(_) => None,
    }
}
