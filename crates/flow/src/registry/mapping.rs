//! Which column an information element fills.
//!
//! One table for IPFIX and NetFlow v9, whose field types below 128 are the same numbers, and one for the enterprises'
//! elements. Elements that are not here either have a meaning of their own (times, sampling, counters of both directions, structured data,
//! packet sections: the record plan knows them), or go to [`Column::Extra`] under their name.

use super::DataType;
use crate::Column;

/// That an element fills a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mapping {
    /// Whose number it is; 0 for IANA's and NetFlow v9's.
    pub enterprise: u32,
    /// The element's number, or NetFlow v9's field type.
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
    /// A number at this place of a list, the first being 0; zeros are places that the list did not reach.
    Item(u8),
    /// All numbers of a basicList (RFC 6313).
    Items,
    /// A differentiated services code point: the upper six bits of the byte.
    CodePoint,
    /// An IP precedence: the upper three bits of the byte.
    Precedence,
    /// An application's engine and selector (RFC 6759 section 4), as `engine:selector`.
    Application,
    /// The text of a value of this type.
    Typed(DataType),
}

const fn m(element: u16, column: Column, rank: u8) -> Mapping {
    by(element, column, rank, Conversion::Plain)
}

const fn by(element: u16, column: Column, rank: u8, conversion: Conversion) -> Mapping {
    Mapping { enterprise: 0, element, column, rank, conversion }
}

const fn of(enterprise: u32, element: u16, column: Column, rank: u8) -> Mapping {
    Mapping { enterprise, ..m(element, column, rank) }
}

/// nProbe's list of the systems on the way to the destination, one element for each.
const fn as_path(place: u8) -> Mapping {
    Mapping { enterprise: 35632, ..by(300 + place as u16, Column::AsPath, 0, Conversion::Item(place)) }
}

/// Every mapping, by enterprise and element.
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
    m(33,  Column::IgmpType, 0),             // igmpType
    m(44,  Column::SrcAddr, 3),              // sourceIPv4Prefix
    m(45,  Column::DstAddr, 3),              // destinationIPv4Prefix
    m(48,  Column::SamplerId, 1),            // samplerId
    m(52,  Column::MinimumTtl, 0),           // minimumTTL
    m(53,  Column::MaximumTtl, 0),           // maximumTTL
    m(54,  Column::FragmentId, 0),           // fragmentIdentification
    m(56,  Column::SrcMac, 0),               // sourceMacAddress
    m(57,  Column::DstMac, 1),               // postDestinationMacAddress
    m(58,  Column::VlanId, 0),               // vlanId
    m(58,  Column::SrcVlan, 0),
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
    m(169, Column::DstAddr, 4),              // destinationIPv6Prefix
    m(170, Column::SrcAddr, 4),              // sourceIPv6Prefix
    m(171, Column::PostBytes, 1),            // postOctetTotalCount
    m(172, Column::PostPackets, 1),          // postPacketTotalCount
    m(176, Column::IcmpType, 0),             // icmpTypeIPv4
    m(177, Column::IcmpCode, 0),             // icmpCodeIPv4
    m(178, Column::IcmpType, 0),             // icmpTypeIPv6
    m(179, Column::IcmpCode, 0),             // icmpCodeIPv6
    m(180, Column::SrcPort, 1),              // udpSourcePort
    m(181, Column::DstPort, 1),              // udpDestinationPort
    m(182, Column::SrcPort, 2),              // tcpSourcePort
    m(183, Column::DstPort, 2),              // tcpDestinationPort
    m(184, Column::TcpSequenceNumber, 0),    // tcpSequenceNumber
    m(192, Column::IpTtl, 0),                // ipTTL
    by(195, Column::IpTos, 1, Conversion::CodePoint), // ipDiffServCodePoint
    by(196, Column::IpTos, 2, Conversion::Precedence), // ipPrecedence
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
    by(245, Column::Dot1qCustomerVlanId, 0, Conversion::Vlan), // dot1qCustomerVlanId
    m(252, Column::InIf, 1),                 // ingressPhysicalInterface
    m(253, Column::OutIf, 1),                // egressPhysicalInterface
    by(254, Column::DstVlan, 1, Conversion::Vlan), // postDot1qVlanId
    m(256, Column::Etype, 0),                // ethernetType
    m(281, Column::PostNatSrcAddr, 1),       // postNATSourceIPv6Address
    m(282, Column::PostNatDstAddr, 1),       // postNATDestinationIPv6Address
    m(295, Column::IpsecSpi, 0),             // IPSecSPI
    m(302, Column::SamplerId, 0),            // selectorId
    m(371, Column::UserName, 0),             // userName
    by(483, Column::BgpCommunities, 2, Conversion::Item(0)), // bgpCommunity
    by(484, Column::BgpCommunities, 1, Conversion::Items), // bgpSourceCommunityList
    by(485, Column::BgpCommunities, 0, Conversion::Items), // bgpDestinationCommunityList
    // Field types of NetFlow v9 alone: Cisco ASA's and Palo Alto's. IPFIX has no such numbers.
    m(40000, Column::UserName, 1),
    m(40001, Column::PostNatSrcAddr, 2),
    m(40002, Column::PostNatDstAddr, 2),
    m(40003, Column::PostNaptSrcPort, 1),
    m(40004, Column::PostNaptDstPort, 1),
    m(40005, Column::FirewallEvent, 1),
    m(56701, Column::App, 2),
    m(56702, Column::UserName, 2),
    // Cisco's performance records name client and server in place of source and destination.
    of(9, 12236, Column::SrcAddr, 5),        // clientIPv4Address
    of(9, 12237, Column::DstAddr, 5),        // serverIPv4Address
    of(9, 12238, Column::SrcAddr, 6),        // clientIPv6Address
    of(9, 12239, Column::DstAddr, 6),        // serverIPv6Address
    of(9, 12240, Column::SrcPort, 5),        // clientTransportPort
    of(9, 12241, Column::DstPort, 5),        // serverTransportPort
    of(3054, 111, Column::App, 4),           // ixiaL7ApplicationName
    of(5951, 152, Column::App, 4),           // netscalerAppName
    of(5951, 205, Column::UserName, 4),      // netscalerAaaUsername
    of(5951, 250, Column::UserName, 5),      // netscalerIcaUsername
    of(6871, 14, Column::TcpFlags, 1),       // initialTCPFlags
    of(6871, 15, Column::TcpFlags, 1),       // unionTCPFlags
    // VMware tells what is inside its VXLAN.
    of(6876, 880, Column::InnerProto, 0),    // tenantProtocol
    of(6876, 881, Column::InnerSrcAddr, 0),  // tenantSourceIPv4
    of(6876, 882, Column::InnerDstAddr, 0),  // tenantDestIPv4
    of(6876, 883, Column::InnerSrcAddr, 1),  // tenantSourceIPv6
    of(6876, 884, Column::InnerDstAddr, 1),  // tenantDestIPv6
    of(6876, 886, Column::InnerSrcPort, 0),  // tenantSourcePort
    of(6876, 887, Column::InnerDstPort, 0),  // tenantDestPort
    of(9789, 2, Column::App, 4),             // afcProtocolName
    of(15397, 1, Column::App, 4),            // proceraService
    of(35632, 119, Column::App, 4),          // L7_PROTO_NAME
    of(35632, 121, Column::UserName, 4),     // FLOW_USER_NAME
    as_path(0), as_path(1), as_path(2), as_path(3), as_path(4), // DST_AS_PATH_1 and on
    as_path(5), as_path(6), as_path(7), as_path(8), as_path(9),
];

/// The columns that an element fills: none, one, or two. `enterprise` is 0 for IANA's and NetFlow v9's.
pub fn mappings(enterprise: u32, element: u16) -> &'static [Mapping] {
    let key = |mapping: &Mapping| (mapping.enterprise, mapping.element);
    let from = MAPPINGS.partition_point(|mapping| key(mapping) < (enterprise, element));
    let until = MAPPINGS.partition_point(|mapping| key(mapping) <= (enterprise, element));
    &MAPPINGS[from..until]
}

/// The column that an element fills, the first where it fills two. Reverse elements fill none here: which row of a
/// biflow they belong to is for the reader of records to know.
pub fn column_of(enterprise: Option<u32>, id: u16) -> Option<Column> {
    mappings(enterprise.unwrap_or(0), id).first().map(|mapping| mapping.column)
}
