//! The one table of columns: name, type, tables, meaning.
//!
//! Names follow goflow2's `flow.proto` where it has one; the others are IANA elements in snake_case
//! or words of the sFlow specification. What each number means is decided in the manual's page on
//! semantics; this table holds the short form that `finderscope` prints and the manual lists.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::words::{Biflow, FlowType, SamplingSource, TimeSource};
use crate::{Kind, Table};

const F: u8 = Table::Flows as u8;
const C: u8 = Table::Counters as u8;
const D: u8 = Table::Drops as u8;
const E: u8 = Table::Events as u8;
const O: u8 = Table::Options as u8;
/// Every table.
const ALL: u8 = F | C | D | E | O;
/// What describes traffic.
const T: u8 = F | D | E;

struct Row {
    name: &'static str,
    kind: Kind,
    tables: u8,
    doc: &'static str,
}

macro_rules! columns {
    ($($variant:ident $name:literal $kind:expr, $tables:expr, $doc:literal;)*) => {
        /// A column of one or more tables.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum Column { $(#[doc = $doc] $variant,)* }

        impl Column {
            /// Every column, in the order of the schemas.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
        }

        const ROWS: &[Row] = &[$(Row { name: $name, kind: $kind, tables: $tables, doc: $doc },)*];
    };
}

columns! {
    Type "type" Kind::Word(FlowType::WORDS), ALL, "Protocol and version of the datagram, in goflow2's words";
    TimeReceivedNs "time_received_ns" Kind::Time, ALL, "When the kernel received the datagram; a capture's own time when a file is read";
    TimeExportNs "time_export_ns" Kind::Time, ALL, "The exporter's clock in the datagram's header; sFlow has none";
    ExporterAddress "exporter_address" Kind::Address, ALL, "Source address of the datagram";
    SamplerAddress "sampler_address" Kind::Address, ALL, "The sFlow agent's address, else the exporter's";
    ObservationDomainId "observation_domain_id" Kind::U32, ALL, "IPFIX observation domain, NetFlow v9 source id, NetFlow v5 engine type and id (type * 256 + id; v8: aggregation scheme * 65536 + these), sFlow sub-agent";
    SequenceNum "sequence_num" Kind::U32, ALL, "Sequence number in the datagram's header; NetFlow v1 has none";
    TimeFlowStartNs "time_flow_start_ns" Kind::Time, T, "When the flow began";
    TimeFlowEndNs "time_flow_end_ns" Kind::Time, T, "When the flow ended, or its last packet so far";
    TimeSource "time_source" Kind::Word(TimeSource::WORDS), T, "Where the flow's times are from: absolute, uptime, sample, corrected (by the exporter's clock offset) or assumed (the receive time)";
    SamplingRate "sampling_rate" Kind::U64, T, "One in how many packets was looked at; 1 when known to be unsampled, null while unknown";
    SamplingSource "sampling_source" Kind::Word(SamplingSource::WORDS), T, "Where the sampling rate is known from";
    Bytes "bytes" Kind::U64, T, "Bytes, as the exporter said: frames with FCS for sFlow, IP lengths for NetFlow and IPFIX";
    Packets "packets" Kind::U64, T, "Packets, as the exporter said";
    BytesL3 "bytes_l3" Kind::U64, T, "Bytes from the IP header on, where that is not what `bytes` says; queries read it filled in";
    Biflow "biflow" Kind::Word(Biflow::WORDS), T, "Which direction of a two-way record (RFC 5103) this row is";
    SrcAddr "src_addr" Kind::Address, T, "Source IP address";
    DstAddr "dst_addr" Kind::Address, T, "Destination IP address";
    SrcPort "src_port" Kind::U16, T, "Source port";
    DstPort "dst_port" Kind::U16, T, "Destination port; for ICMP as many exporters send it, type * 256 + code";
    Proto "proto" Kind::U8, T, "IP protocol number";
    TcpFlags "tcp_flags" Kind::U16, T, "TCP flags, all of the flow's packets or-ed";
    IpTos "ip_tos" Kind::U8, T, "IPv4 type of service or IPv6 traffic class";
    InIf "in_if" Kind::U32, T | C, "Interface (ifIndex) that the packets came in by";
    OutIf "out_if" Kind::U32, T, "Interface (ifIndex) that the packets went out by";
    SrcAs "src_as" Kind::U32, T, "Autonomous system of the source";
    DstAs "dst_as" Kind::U32, T, "Autonomous system of the destination";
    NextHop "next_hop" Kind::Address, T, "Next router's address";
    NextHopAs "next_hop_as" Kind::U32, T, "Autonomous system of the next hop";
    SrcNet "src_net" Kind::U8, T, "Prefix length of the source's route";
    DstNet "dst_net" Kind::U8, T, "Prefix length of the destination's route";
    BgpNextHop "bgp_next_hop" Kind::Address, T, "BGP's next hop";
    BgpCommunities "bgp_communities" Kind::List, T, "BGP communities";
    AsPath "as_path" Kind::List, T, "Autonomous systems on the way to the destination";
    Etype "etype" Kind::U16, T, "Ethernet type";
    SrcMac "src_mac" Kind::Mac, T, "Source MAC address";
    DstMac "dst_mac" Kind::Mac, T, "Destination MAC address";
    VlanId "vlan_id" Kind::U16, T, "VLAN of the packets as seen";
    SrcVlan "src_vlan" Kind::U16, T, "VLAN on the side of the source";
    DstVlan "dst_vlan" Kind::U16, T, "VLAN on the side of the destination";
    IpTtl "ip_ttl" Kind::U8, T, "IP time to live or hop limit";
    IpFlags "ip_flags" Kind::U8, T, "IPv4 fragmentation flags: 4 reserved, 2 do not fragment, 1 more fragments";
    FragmentId "fragment_id" Kind::U32, T, "IP identification";
    FragmentOffset "fragment_offset" Kind::U16, T, "IP fragment offset, in units of 8 bytes";
    Ipv6FlowLabel "ipv6_flow_label" Kind::U32, T, "IPv6 flow label";
    IcmpType "icmp_type" Kind::U8, T, "ICMP type";
    IcmpCode "icmp_code" Kind::U8, T, "ICMP code";
    TcpSequenceNumber "tcp_sequence_number" Kind::U32, T, "TCP sequence number of the sampled packet";
    ForwardingStatus "forwarding_status" Kind::U8, T, "What the device did with the packets (RFC 7270 section 4.12)";
    FlowDirection "flow_direction" Kind::U8, T, "Where the flow was seen: 0 ingress, 1 egress";
    FlowEndReason "flow_end_reason" Kind::U8, T, "Why the record was sent: 1 idle, 2 active, 3 end seen, 4 forced, 5 lack of resources";
    ObservationPointId "observation_point_id" Kind::U64, T, "Where in the exporter the flow was seen";
    SamplerId "sampler_id" Kind::U64, T, "The sampler or selector that the record names";
    SubAgentId "sub_agent_id" Kind::U32, T | C, "sFlow sub-agent";
    SourceIdClass "source_id_class" Kind::U32, T | C, "sFlow data source's class: 0 interface, 1 VLAN, 2 entity, 3 logical";
    SourceIdIndex "source_id_index" Kind::U32, T | C, "sFlow data source's index";
    SampleSequence "sample_sequence" Kind::U32, T | C, "Sequence number of the sFlow sample within its data source";
    SamplePool "sample_pool" Kind::U32, T, "Packets that the sFlow sampler could have taken so far";
    SampleDrops "sample_drops" Kind::U32, T, "Samples that the sFlow agent had to drop so far";
    MplsLabel "mpls_label" Kind::List, T, "MPLS labels, top first";
    Dot1qCustomerVlanId "dot1q_customer_vlan_id" Kind::U16, T, "Second VLAN tag of the packets as seen";
    IgmpType "igmp_type" Kind::U8, T, "IGMP type";
    IpsecSpi "ipsec_spi" Kind::U32, T, "Security parameter index of ESP or an authentication header";
    Tunnel "tunnel" Kind::Text, T, "Tunnel that the packet is in, such as vxlan; of several in each other all, the outermost first, as in erspan2/vxlan";
    TunnelId "tunnel_id" Kind::U32, T, "Innermost tunnel's number: VNI, GRE key, TEID, session, label, as its kind has it";
    InnerSrcMac "inner_src_mac" Kind::Mac, T, "Source MAC address inside the innermost tunnel";
    InnerDstMac "inner_dst_mac" Kind::Mac, T, "Destination MAC address inside the innermost tunnel";
    InnerVlanId "inner_vlan_id" Kind::U16, T, "VLAN inside the innermost tunnel";
    InnerEtype "inner_etype" Kind::U16, T, "Ethernet type inside the innermost tunnel";
    InnerSrcAddr "inner_src_addr" Kind::Address, T, "Source IP address inside the innermost tunnel";
    InnerDstAddr "inner_dst_addr" Kind::Address, T, "Destination IP address inside the innermost tunnel";
    InnerProto "inner_proto" Kind::U8, T, "IP protocol number inside the innermost tunnel";
    InnerSrcPort "inner_src_port" Kind::U16, T, "Source port inside the innermost tunnel";
    InnerDstPort "inner_dst_port" Kind::U16, T, "Destination port inside the innermost tunnel";
    IngressVrfId "ingress_vrf_id" Kind::U32, T, "VRF that the packets came in by";
    EgressVrfId "egress_vrf_id" Kind::U32, T, "VRF that the packets went out by";
    MinimumIpTotalLength "minimum_ip_total_length" Kind::U64, T, "Length of the smallest packet";
    MaximumIpTotalLength "maximum_ip_total_length" Kind::U64, T, "Length of the largest packet";
    MinimumTtl "minimum_ttl" Kind::U8, T, "Smallest time to live seen";
    MaximumTtl "maximum_ttl" Kind::U8, T, "Largest time to live seen";
    App "app" Kind::Text, T, "Application, by name or as engine:selector (RFC 6759)";
    UserName "user_name" Kind::Text, T, "User of the source";
    FlowId "flow_id" Kind::U64, T, "The exporter's own number of the flow or connection";
    PostNatSrcAddr "post_nat_src_addr" Kind::Address, T, "Source address after translation";
    PostNatDstAddr "post_nat_dst_addr" Kind::Address, T, "Destination address after translation";
    PostNaptSrcPort "post_napt_src_port" Kind::U16, T, "Source port after translation";
    PostNaptDstPort "post_napt_dst_port" Kind::U16, T, "Destination port after translation";
    PostBytes "post_bytes" Kind::U64, T, "Bytes after the device's changes (element 23)";
    PostPackets "post_packets" Kind::U64, T, "Packets after the device's changes (element 24)";
    FirewallEvent "firewall_event" Kind::U8, E, "Firewall event: 1 created, 2 deleted, 3 denied, 4 alert, 5 update";
    NatEvent "nat_event" Kind::U8, E, "NAT event (RFC 8158)";
    DropReason "drop_reason" Kind::Text, D, "Why the packet was discarded, in sFlow's words";
    DropReasonCode "drop_reason_code" Kind::U32, D, "Why the packet was discarded, as a number";
    Structure "structure" Kind::Text, C, "The sFlow counter structure, such as if_counters or host_cpu";
    IfIndex "if_index" Kind::U32, C, "Interface that the counters belong to";
    IfType "if_type" Kind::U32, C, "IANA ifType";
    IfSpeed "if_speed" Kind::U64, C, "Bits a second";
    IfDirection "if_direction" Kind::U32, C, "Duplex: 1 full, 2 half, 3 in, 4 out";
    IfStatus "if_status" Kind::U32, C, "Bit 0 admin up, bit 1 oper up";
    IfInOctets "if_in_octets" Kind::U64, C, "Bytes received";
    IfInUcastPkts "if_in_ucast_pkts" Kind::U32, C, "Unicast packets received";
    IfInMulticastPkts "if_in_multicast_pkts" Kind::U32, C, "Multicast packets received";
    IfInBroadcastPkts "if_in_broadcast_pkts" Kind::U32, C, "Broadcast packets received";
    IfInDiscards "if_in_discards" Kind::U32, C, "Packets received and discarded";
    IfInErrors "if_in_errors" Kind::U32, C, "Packets received with errors";
    IfInUnknownProtos "if_in_unknown_protos" Kind::U32, C, "Packets received of unknown protocols";
    IfOutOctets "if_out_octets" Kind::U64, C, "Bytes sent";
    IfOutUcastPkts "if_out_ucast_pkts" Kind::U32, C, "Unicast packets sent";
    IfOutMulticastPkts "if_out_multicast_pkts" Kind::U32, C, "Multicast packets sent";
    IfOutBroadcastPkts "if_out_broadcast_pkts" Kind::U32, C, "Broadcast packets sent";
    IfOutDiscards "if_out_discards" Kind::U32, C, "Packets to be sent and discarded";
    IfOutErrors "if_out_errors" Kind::U32, C, "Packets not sent for errors";
    IfPromiscuousMode "if_promiscuous_mode" Kind::U32, C, "Whether the interface takes all frames";
    OptionScope "scope" Kind::Text, O, "What the option is about, such as `interface=5`";
    OptionSubject "subject" Kind::Text, O, "Whose name or rate the element tells, wherever the record says it: `interface=5`, `sampler=1`, `vrf=10`, `application=13:53`, `template=256`, or `exporter` for its own rate";
    OptionElement "element" Kind::Text, O, "The element's name";
    OptionValue "value" Kind::Text, O, "The element's value, as text";
    OptionTemplateId "template_id" Kind::U16, O, "The options template of the record";
    Extra "extra" Kind::Map, ALL, "Elements that no column takes, by name (`pen/id` where there is no name)";
}

impl Column {
    /// Names of columns that no table has: questions compute them, or look them up.
    pub const DERIVED: [&str; 10] = [
        "bytes_scaled",
        "packets_scaled",
        "in_if_name",
        "out_if_name",
        "in_if_alias",
        "out_if_alias",
        "sampler_name",
        "ingress_vrf_name",
        "egress_vrf_name",
        "app_name",
    ];

    /// How many columns there are.
    pub const COUNT: usize = Self::ALL.len();

    const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The name in SQL, JSON, CSV and filters.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The type of its cells.
    pub const fn kind(self) -> Kind {
        self.row().kind
    }

    /// One line on what it means, with its unit.
    pub const fn doc(self) -> &'static str {
        self.row().doc
    }

    /// Whether `table` has it.
    pub const fn is_in(self, table: Table) -> bool {
        self.row().tables & table as u8 != 0
    }

    /// The column of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        static NAMES: LazyLock<HashMap<&str, Column>> =
            LazyLock::new(|| Column::ALL.iter().map(|&column| (column.name(), column)).collect());
        NAMES.get(name).copied()
    }
}
