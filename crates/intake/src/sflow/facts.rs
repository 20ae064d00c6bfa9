//! What the records of one sample say, gathered before its row is written.

use std::net::IpAddr;

use finderscope_wire::WireError;
use finderscope_wire::packet::{Address, Packet};
use finderscope_wire::sflow::{
    Block, ExtendedGateway, ExtendedMpls, ExtendedNat, ExtendedRouter, ExtendedSwitch, ExtendedUrl, ExtendedUser,
    FlowRecord, FlowRecords, SampledEthernet, SampledHeader, SampledIpv4, SampledIpv6, Tag, Value,
};

use super::row::has_no_priorities;
use crate::ledger::Reasons;

const ICMP: u32 = 1;
const ICMPV6: u32 = 58;

/// The records of a sample; of several of one kind, the first.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    pub(super) header: Option<SampledHeader<'a>>,
    /// What the header says, filled up by what other records say of the same packet.
    pub(super) packet: Packet,
    pub(super) length: Option<u32>,
    pub(super) switch: Option<ExtendedSwitch>,
    pub(super) router: Option<ExtendedRouter>,
    pub(super) gateway: Option<ExtendedGateway<'a>>,
    pub(super) user: Option<ExtendedUser<'a>>,
    pub(super) url: Option<ExtendedUrl<'a>>,
    pub(super) mpls: Option<ExtendedMpls<'a>>,
    pub(super) nat: Option<ExtendedNat>,
    pub(super) nat_ports: Option<(u32, u32)>,
    pub(super) egress_queue: Option<u32>,
    /// Whether there are structures that only have names.
    pub(super) others: bool,
    /// The first damage.
    pub(super) error: Option<WireError>,
    sound: bool,
}

/// `extended_nat_port`.
const NAT_PORT: &str = "extended_nat_port";

impl<'a> Facts<'a> {
    /// Reads all records. Those that nobody published are counted in `notes`.
    pub(super) fn read(records: FlowRecords<'a>, notes: &mut Reasons) -> Self {
        let mut facts = Self::default();
        let (mut ethernet, mut ipv4, mut ipv6, mut socket) = (None, None, None, None);
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    facts.error.get_or_insert(error);
                    continue;
                }
            };
            facts.sound = true;
            match record {
                FlowRecord::SampledHeader(header) => _ = facts.header.get_or_insert(header),
                FlowRecord::SampledEthernet(record) => _ = ethernet.get_or_insert(record),
                FlowRecord::SampledIpv4(record) => _ = ipv4.get_or_insert(record),
                FlowRecord::SampledIpv6(record) => _ = ipv6.get_or_insert(record),
                FlowRecord::ExtendedSwitch(record) => _ = facts.switch.get_or_insert(record),
                FlowRecord::ExtendedRouter(record) => _ = facts.router.get_or_insert(record),
                FlowRecord::ExtendedGateway(record) => _ = facts.gateway.get_or_insert(record),
                FlowRecord::ExtendedUser(record) => _ = facts.user.get_or_insert(record),
                FlowRecord::ExtendedUrl(record) => _ = facts.url.get_or_insert(record),
                FlowRecord::ExtendedMpls(record) => _ = facts.mpls.get_or_insert(record),
                FlowRecord::ExtendedNat(record) => _ = facts.nat.get_or_insert(record),
                FlowRecord::EgressQueue(queue) => _ = facts.egress_queue.get_or_insert(queue),
                FlowRecord::Other(block) if block.layout().name == NAT_PORT => {
                    let mut ports = block.fields().filter_map(|(_, value)| match value {
                        Value::U32(port) => Some(port),
                        _ => None,
                    });
                    facts.nat_ports = ports.next().zip(ports.next());
                }
                FlowRecord::Other(block) => {
                    facts.others = true;
                    if socket.is_none() {
                        socket = Socket::read(&block);
                    }
                }
                FlowRecord::Aggregation(_) => facts.others = true,
                FlowRecord::Unknown { tag, .. } => notes.add(format!("unknown flow record {tag}"), 1),
            }
        }
        facts.settle(ethernet, ipv4, ipv6);
        if let (Some(socket), None, None) = (socket, facts.header, facts.length) {
            socket.write(&mut facts.packet);
        }
        facts
    }

    /// Whether there is only damage, and nothing to make a row of.
    pub(super) const fn is_void(&self) -> bool {
        !self.sound && self.error.is_some()
    }

    /// Whether nothing is known but the packet, a switch's VLANs and a route.
    pub(super) fn is_plain(&self) -> bool {
        let more = self.others || self.gateway.is_some() || self.user.is_some() || self.url.is_some();
        let translated = self.nat.is_some() || self.nat_ports.is_some();
        has_no_priorities(self.switch.as_ref())
            && !(more || translated || self.mpls.is_some() || self.egress_queue.is_some())
    }

    /// The header's bytes come before fields that the agent read from them.
    fn settle(&mut self, ethernet: Option<SampledEthernet>, ipv4: Option<SampledIpv4>, ipv6: Option<SampledIpv6>) {
        if let Some(header) = self.header {
            self.packet = Packet::parse(header.protocol, header.header);
        }
        self.length = self
            .header
            .map(|header| header.frame_length)
            .or(ipv4.map(|ip| ip.length))
            .or(ipv6.map(|ip| ip.length))
            .or(ethernet.map(|ethernet| ethernet.length));
        let packet = &mut self.packet;
        if let Some(ethernet) = ethernet {
            packet.src_mac.get_or_insert(ethernet.src_mac);
            packet.dst_mac.get_or_insert(ethernet.dst_mac);
            packet.etype = packet.etype.or(u16::try_from(ethernet.etype).ok());
        }
        if packet.src_addr.is_some() {
            return;
        }
        if let Some(ip) = ipv4 {
            packet.src_addr = Some(Address::V4(ip.src_ip.octets()));
            packet.dst_addr = Some(Address::V4(ip.dst_ip.octets()));
            network(packet, ip.protocol, ip.tos, ip.src_port, ip.dst_port, ip.tcp_flags);
        } else if let Some(ip) = ipv6 {
            packet.src_addr = Some(Address::V6(ip.src_ip.octets()));
            packet.dst_addr = Some(Address::V6(ip.dst_ip.octets()));
            network(packet, ip.protocol, ip.priority, ip.src_port, ip.dst_port, ip.tcp_flags);
        }
    }
}

/// The ends of a transaction that a program reports, where no packet was sampled (sFlow Host Structures: 2100, 2101).
/// The remote end asked, so it is the source.
struct Socket {
    protocol: u32,
    local: IpAddr,
    remote: IpAddr,
    local_port: u32,
    remote_port: u32,
}

impl Socket {
    fn read(block: &Block<'_>) -> Option<Self> {
        if block.layout().tag != Tag::new(0, 2100) && block.layout().tag != Tag::new(0, 2101) {
            return None;
        }
        let mut fields = block.fields().map(|(_, value)| value);
        let mut next = || fields.next();
        match (next()?, next()?, next()?, next()?, next()?) {
            (
                Value::U32(protocol),
                Value::Ip(local),
                Value::Ip(remote),
                Value::U32(local_port),
                Value::U32(remote_port),
            ) => Some(Self { protocol, local, remote, local_port, remote_port }),
            _ => None,
        }
    }

    fn write(&self, packet: &mut Packet) {
        packet.src_addr = Some(self.remote.into());
        packet.dst_addr = Some(self.local.into());
        packet.proto = u8::try_from(self.protocol).ok();
        packet.src_port = u16::try_from(self.remote_port).ok();
        packet.dst_port = u16::try_from(self.local_port).ok();
    }
}

fn network(packet: &mut Packet, protocol: u32, tos: u32, src_port: u32, dst_port: u32, flags: u32) {
    packet.proto = u8::try_from(protocol).ok();
    packet.ip_tos = u8::try_from(tos).ok();
    if protocol == ICMP || protocol == ICMPV6 {
        packet.icmp_type = u8::try_from(src_port).ok();
        packet.icmp_code = u8::try_from(dst_port).ok();
        return;
    }
    packet.src_port = u16::try_from(src_port).ok();
    packet.dst_port = u16::try_from(dst_port).ok();
    packet.tcp_flags = u16::try_from(flags).ok();
}
