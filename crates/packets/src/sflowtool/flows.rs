//! The names of flow records.

use std::net::IpAddr;

use finderscope_wire::sflow::{
    Aggregation, Block, ExtendedGateway, FlowRecord, SampledEthernet, SampledHeader, SampledIpv4, SampledIpv6, Tag,
    Value as Field,
};

use super::header::{self, Found};
use super::names::{self, FLOWS};
use super::teller::Teller;
use super::value::Value;
use super::{Names, Part, words};

/// Tells the names of a record, and before them its tag, where the datagram has tags.
pub(super) fn record<N: Names>(record: &FlowRecord<'_>, tagged: bool, teller: &mut Teller<'_, N>) {
    let tag = record.tag();
    teller.open(Part::Record(tag));
    if tagged {
        teller.tell("flowBlock_tag", Value::Tag(tag));
    }
    match record {
        FlowRecord::SampledHeader(it) => sampled_header(it, tagged, teller),
        FlowRecord::SampledEthernet(it) => ethernet(it, "ETHERNET", "", teller),
        FlowRecord::SampledIpv4(it) => ip(&it.into(), "IPV4", "", teller),
        FlowRecord::SampledIpv6(it) => ip(&it.into(), "IPV6", "", teller),
        FlowRecord::ExtendedSwitch(it) => {
            teller.tell("extendedType", Value::Word("SWITCH"));
            teller.number("in_vlan", it.src_vlan);
            teller.number("in_priority", it.src_priority);
            teller.number("out_vlan", it.dst_vlan);
            teller.number("out_priority", it.dst_priority);
        }
        FlowRecord::ExtendedRouter(it) => {
            teller.tell("extendedType", Value::Word("ROUTER"));
            teller.tell("nextHop", Value::Address(it.nexthop));
            teller.number("srcSubnetMask", it.src_mask_len);
            teller.number("dstSubnetMask", it.dst_mask_len);
        }
        FlowRecord::ExtendedGateway(it) => gateway(it, tagged, teller),
        FlowRecord::ExtendedUser(it) => {
            teller.tell("extendedType", Value::Word("USER"));
            if tagged {
                teller.number("src_user_charset", it.src_charset);
                teller.number("dst_user_charset", it.dst_charset);
            }
            teller.tell("src_user", Value::Text(it.src_user));
            teller.tell("dst_user", Value::Text(it.dst_user));
        }
        FlowRecord::ExtendedUrl(it) => {
            teller.tell("extendedType", Value::Word("URL"));
            teller.number("url_direction", it.direction);
            teller.tell("url", Value::Text(it.url));
            teller.tell("host", Value::Text(it.host));
        }
        FlowRecord::ExtendedMpls(it) => {
            teller.tell("extendedType", Value::Word("MPLS"));
            teller.tell("mpls_nexthop", Value::Address(it.nexthop));
            teller.tell("mpls_input_stack", Value::Labels(it.in_stack));
            teller.tell("mpls_output_stack", Value::Labels(it.out_stack));
        }
        FlowRecord::ExtendedNat(it) => {
            teller.tell("extendedType", Value::Word("NAT"));
            teller.tell("nat_src", Value::Address(it.src_address));
            teller.tell("nat_dst", Value::Address(it.dst_address));
        }
        FlowRecord::EgressQueue(queue) => {
            teller.tell("extendedType", Value::Word("egress_queue"));
            teller.number("egress_queue_id", *queue);
        }
        FlowRecord::Aggregation(it) => return aggregation(it, tagged, teller),
        FlowRecord::Other(it) => block(it, teller),
        FlowRecord::Unknown { .. } => {}
    }
    teller.close(Part::Record(tag));
}

fn sampled_header<N: Names>(it: &SampledHeader<'_>, says_stripped: bool, teller: &mut Teller<'_, N>) {
    teller.tell("flowSampleType", Value::Word("HEADER"));
    teller.number("headerProtocol", it.protocol.0);
    teller.number("sampledPacketSize", it.frame_length);
    if says_stripped {
        teller.number("strippedBytes", it.stripped);
    }
    teller.tell("headerLen", Value::Number(it.header.len() as u64));
    teller.tell("headerBytes", Value::Bytes(it.header));
    let ip_size = |offset: usize| {
        Value::Signed(i64::from(it.frame_length) - i64::from(it.stripped) - i64::try_from(offset).unwrap_or(i64::MAX))
    };
    let mut six = false;
    header::decode(it.protocol, it.header, &mut |found| match found {
        Found::DstMac(mac) => teller.tell("dstMAC", Value::Mac(mac)),
        Found::SrcMac(mac) => teller.tell("srcMAC", Value::Mac(mac)),
        Found::TxMac(mac) => teller.tell("txMAC", Value::Mac(mac)),
        Found::RxMac(mac) => teller.tell("rxMAC", Value::Mac(mac)),
        Found::Vlan { depth, id, priority } => {
            teller.tell_nth("decodedVLAN", depth, Value::Number(id.into()));
            teller.tell_nth("decodedPriority", depth, Value::Number(priority.into()));
        }
        Found::SnapOui(oui) => teller.tell("VSNAP_OUI", Value::Bytes(&oui)),
        Found::Etype(etype) => teller.number("ethernet_type", etype.into()),
        Found::Ipv4(offset) => teller.tell("IPSize", ip_size(offset)),
        Found::Ipv6(offset) => {
            six = true;
            teller.tell("IPSize", ip_size(offset));
        }
        Found::TotalLength(length) => teller.number("ip.tot_len", length.into()),
        Found::Label(label) => teller.tell("IP6_label", Value::Hex(label)),
        Found::PayloadLength(0) => teller.tell("IPV6_payloadLen", Value::Word("<jumbo>")),
        Found::PayloadLength(length) => teller.number("IPV6_payloadLen", length.into()),
        Found::Source(address) => teller.tell(if six { "srcIP6" } else { "srcIP" }, Value::Address(Some(address))),
        Found::Destination(address) => {
            teller.tell(if six { "dstIP6" } else { "dstIP" }, Value::Address(Some(address)));
        }
        Found::Protocol(number) => teller.number("IPProtocol", number.into()),
        Found::Tos(tos) => teller.number("IPTOS", tos.into()),
        Found::Ttl(ttl) => teller.number("IPTTL", ttl.into()),
        Found::Id(id) => teller.number("IPID", id.into()),
        Found::FragmentOffset(offset) => teller.number("IPFragmentOffset", offset.into()),
        Found::Extension { nth, number } => teller.tell_again("IP6HeaderExtension", nth, Value::Number(number.into())),
        Found::Icmp(kind, code) => {
            teller.number("ICMPType", kind.into());
            teller.number("ICMPCode", code.into());
        }
        Found::TcpPorts(source, destination) => {
            teller.number("TCPSrcPort", source.into());
            teller.number("TCPDstPort", destination.into());
        }
        Found::TcpFlags(flags) => teller.number("TCPFlags", flags.into()),
        Found::Udp(source, destination, length) => {
            teller.number("UDPSrcPort", source.into());
            teller.number("UDPDstPort", destination.into());
            teller.number("UDPBytes", length.into());
        }
        Found::Payload(_) => {}
        Found::NotDecoded => teller.tell("NO_DECODE", Value::Numbered("headerProtocol=", it.protocol.0, "")),
    });
}

fn ethernet<N: Names>(it: &SampledEthernet, kind: &'static str, prefix: &'static str, teller: &mut Teller<'_, N>) {
    teller.tell("flowSampleType", Value::Word(kind));
    teller.prefix = prefix;
    teller.number("ethernet_type", it.etype);
    teller.number("ethernet_len", it.length);
    teller.tell("ethernet_src", Value::Mac(it.src_mac));
    teller.tell("ethernet_dst", Value::Mac(it.dst_mac));
    teller.prefix = "";
}

/// What `sampled_ipv4` and `sampled_ipv6` have in common.
#[derive(Clone, Copy, Debug, Default)]
struct Ip {
    length: u32,
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    protocol: u32,
    tos: u32,
    ports: (u32, u32),
    tcp_flags: u32,
}

impl From<&SampledIpv4> for Ip {
    fn from(it: &SampledIpv4) -> Self {
        Self {
            length: it.length,
            source: Some(it.src_ip.into()),
            destination: Some(it.dst_ip.into()),
            protocol: it.protocol,
            tos: it.tos,
            ports: (it.src_port, it.dst_port),
            tcp_flags: it.tcp_flags,
        }
    }
}

impl From<&SampledIpv6> for Ip {
    fn from(it: &SampledIpv6) -> Self {
        Self {
            length: it.length,
            source: Some(it.src_ip.into()),
            destination: Some(it.dst_ip.into()),
            protocol: it.protocol,
            tos: it.priority,
            ports: (it.src_port, it.dst_port),
            tcp_flags: it.tcp_flags,
        }
    }
}

fn ip<N: Names>(it: &Ip, kind: &'static str, prefix: &'static str, teller: &mut Teller<'_, N>) {
    teller.tell("flowSampleType", Value::Word(kind));
    teller.prefix = prefix;
    let (source, destination, tos) = match it.source {
        Some(IpAddr::V6(_)) => ("srcIP6", "dstIP6", "priority"),
        _ => ("srcIP", "dstIP", "IPTOS"),
    };
    teller.number("sampledPacketSize", it.length);
    teller.number("IPSize", it.length);
    teller.tell(source, Value::Address(it.source));
    teller.tell(destination, Value::Address(it.destination));
    teller.number("IPProtocol", it.protocol);
    teller.number(tos, it.tos);
    transport(it.protocol, it.ports, it.tcp_flags, teller);
    teller.prefix = "";
}

fn transport<N: Names>(protocol: u32, (source, destination): (u32, u32), flags: u32, teller: &mut Teller<'_, N>) {
    match protocol {
        // Agents that fill in one of the two have the type in the second.
        1 => teller.number("ICMPType", destination),
        6 => {
            teller.number("TCPSrcPort", source);
            teller.number("TCPDstPort", destination);
            teller.number("TCPFlags", flags);
        }
        17 => {
            teller.number("UDPSrcPort", source);
            teller.number("UDPDstPort", destination);
        }
        _ => {}
    }
}

fn gateway<N: Names>(it: &ExtendedGateway<'_>, has_nexthop: bool, teller: &mut Teller<'_, N>) {
    teller.tell("extendedType", Value::Word("GATEWAY"));
    if has_nexthop {
        teller.tell("bgp_nexthop", Value::Address(it.nexthop));
    }
    teller.number("my_as", it.router_as);
    teller.number("src_as", it.src_as);
    teller.number("src_peer_as", it.src_peer_as);
    teller.tell("dst_as_path", Value::Path(it.dst_as_path));
    teller.number("dst_as", it.dst_as().unwrap_or(0));
    teller.number("dst_peer_as", it.dst_peer_as().unwrap_or(0));
    teller.tell("BGP_communities", Value::Numbers(it.communities));
    teller.number("BGP_localpref", it.local_pref);
}

/// Each frame of an aggregate is a record of its own, so that no name comes twice in one, and then come the frame's.
fn aggregation<N: Names>(it: &Aggregation<'_>, tagged: bool, teller: &mut Teller<'_, N>) {
    let part = Part::Record(Tag::new(0, 1016));
    teller.number("aggregation_num_pdus", it.pdu_count());
    for (at, records) in it.pdus().enumerate() {
        if at > 0 {
            teller.open(part);
            teller.tell("flowBlock_tag", Value::Tag(Tag::new(0, 1016)));
        }
        teller.tell("aggregation_pdu", Value::Number(at as u64));
        teller.close(part);
        for inner in records {
            match inner {
                Ok(inner) => record(&inner, tagged, teller),
                Err(error) => teller.hurt(error),
            }
        }
    }
    if it.pdus().next().is_none() {
        teller.close(part);
    }
}

/// A record that is read field by field.
fn block<N: Names>(block: &Block<'_>, teller: &mut Teller<'_, N>) {
    let tag = block.layout().tag;
    if let Some(row) = names::find(FLOWS, tag) {
        return teller.row(row, block);
    }
    match (tag.enterprise, tag.format) {
        (0, 1012) => teller.tell("vlan_tunnel", Value::Vlans(block.bytes().get(4..).unwrap_or_default())),
        (0, 1021) => ethernet(&layer2(block), "tunnel_l2_out_ETHERNET", "tunnel_l2_out_", teller),
        (0, 1022) => ethernet(&layer2(block), "tunnel_l2_in_ETHERNET", "tunnel_l2_in_", teller),
        (0, 1023) => ip(&layer3(block), "tunnel_ipv4_out_IPV4", "tunnel_ipv4_out_", teller),
        (0, 1024) => ip(&layer3(block), "tunnel_ipv4_in_IPV4", "tunnel_ipv4_in_", teller),
        (0, 1025) => ip(&layer3(block), "tunnel_ipv6_out_IPV6", "tunnel_ipv6_out_", teller),
        (0, 1026) => ip(&layer3(block), "tunnel_ipv6_in_IPV6", "tunnel_ipv6_in_", teller),
        (0, 2200) => memcache_operation(block, teller),
        (0, 2202) => app_operation(block, teller),
        (0, 2209) => tcp_info(block, teller),
        _ => {}
    }
}

/// A tunnel's header on layer 2, which is laid out as `sampled_ethernet`.
fn layer2(block: &Block<'_>) -> SampledEthernet {
    let mut ethernet = SampledEthernet { length: 0, src_mac: [0; 6], dst_mac: [0; 6], etype: 0 };
    for (name, value) in block.fields() {
        match (name, value) {
            ("length", Field::U32(length)) => ethernet.length = length,
            ("src_mac", Field::Mac(mac)) => ethernet.src_mac = mac,
            ("dst_mac", Field::Mac(mac)) => ethernet.dst_mac = mac,
            ("type", Field::U32(etype)) => ethernet.etype = etype,
            _ => {}
        }
    }
    ethernet
}

/// A tunnel's header on layer 3, which is laid out as `sampled_ipv4` or `sampled_ipv6`.
fn layer3(block: &Block<'_>) -> Ip {
    let mut ip = Ip::default();
    for (name, value) in block.fields() {
        match (name, value) {
            ("length", Field::U32(number)) => ip.length = number,
            ("protocol", Field::U32(number)) => ip.protocol = number,
            ("src_ip", Field::Ip(address)) => ip.source = Some(address),
            ("dst_ip", Field::Ip(address)) => ip.destination = Some(address),
            ("src_port", Field::U32(number)) => ip.ports.0 = number,
            ("dst_port", Field::U32(number)) => ip.ports.1 = number,
            ("tcp_flags", Field::U32(number)) => ip.tcp_flags = number,
            ("tos" | "priority", Field::U32(number)) => ip.tos = number,
            _ => {}
        }
    }
    ip
}

fn memcache_operation<N: Names>(block: &Block<'_>, teller: &mut Teller<'_, N>) {
    teller.tell("flowSampleType", Value::Word("memcache"));
    let names = [
        "memcache_op_protocol",
        "memcache_op_cmd",
        "memcache_op_key",
        "memcache_op_nkeys",
        "memcache_op_value_bytes",
        "memcache_op_duration_uS",
        "memcache_op_status",
    ];
    for (name, (_, value)) in names.into_iter().zip(block.fields()) {
        match value {
            Field::Text(key) => teller.tell(name, Value::Encoded(key)),
            value => teller.field(name, value),
        }
    }
}

fn app_operation<N: Names>(block: &Block<'_>, teller: &mut Teller<'_, N>) {
    teller.tell("flowSampleType", Value::Word("applicationOperation"));
    let names = [
        "application",
        "operation",
        "attributes",
        "status_descr",
        "request_bytes",
        "response_bytes",
        "duration_uS",
        "status",
    ];
    for (name, (_, value)) in names.into_iter().zip(block.fields()) {
        match value {
            Field::U32(status) if name == "status" => teller.tell(name, words::app_status(status)),
            value => teller.field(name, value),
        }
    }
}

fn tcp_info<N: Names>(block: &Block<'_>, teller: &mut Teller<'_, N>) {
    let names = [
        "tcpinfo_direction",
        "tcpinfo_send_mss",
        "tcpinfo_receive_mss",
        "tcpinfo_unacked_pkts",
        "tcpinfo_lost_pkts",
        "tcpinfo_retrans_pkts",
        "tcpinfo_path_mtu",
        "tcpinfo_rtt_uS",
        "tcpinfo_rtt_uS_var",
        "tcpinfo_send_congestion_win",
        "tcpinfo_reordering",
        "tcpinfo_rtt_uS_min",
    ];
    for (name, (_, value)) in names.into_iter().zip(block.fields()) {
        match value {
            Field::U32(direction) if name == "tcpinfo_direction" => teller.tell(name, words::direction(direction)),
            value => teller.field(name, value),
        }
    }
}
