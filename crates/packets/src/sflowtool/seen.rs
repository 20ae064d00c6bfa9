//! What is known of one sampled packet when all records of its sample were read: the columns of a line.

use std::net::IpAddr;

use finderscope_wire::WireError;
use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{
    Block, DiscardedPacket, FlowRecord, FlowRecords, FlowSample, Interface, SampledHeader, Value as Field,
};

use super::header::{self, Found};

/// One sampled or discarded packet. A number that nobody said is 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// The number of the input interface, whatever its format.
    pub input: u32,
    /// The number of the output interface, whatever its format.
    pub output: u32,
    /// One in so many.
    pub sampling_rate: u32,
    /// From.
    pub src_mac: [u8; 6],
    /// To.
    pub dst_mac: [u8; 6],
    /// The Ethernet type.
    pub etype: u32,
    /// The VLAN on which it came: what was said last.
    pub in_vlan: u32,
    /// The VLAN on which it went.
    pub out_vlan: u32,
    /// From.
    pub source: Option<IpAddr>,
    /// To.
    pub destination: Option<IpAddr>,
    /// The transport.
    pub protocol: u32,
    /// Type of service or traffic class.
    pub tos: u32,
    /// Time to live or hop limit.
    pub ttl: u32,
    /// From; ICMP's type.
    pub src_port: u32,
    /// To; ICMP's code.
    pub dst_port: u32,
    /// TCP's.
    pub tcp_flags: u32,
    /// The frame's length.
    pub packet_size: u32,
    /// What was taken off before the header was cut.
    pub stripped: u32,
    /// Where the IP header begins, and its version.
    pub ip: Option<(usize, u8)>,
    /// Whether this is a fragment that is not the first.
    pub fragment_offset: u32,
    /// UDP's length.
    pub udp_length: u32,
    /// IPv6's flow label.
    pub flow_label: u32,
    /// The first bytes, and what they begin with.
    pub header: Option<(HeaderProtocol, &'a [u8])>,
    /// Where in them the payload begins, where that is known.
    pub payload: Option<usize>,
    /// The next router.
    pub next_hop: Option<IpAddr>,
    /// Bits of the source's prefix.
    pub src_mask: u32,
    /// Bits of the destination's prefix.
    pub dst_mask: u32,
    /// The source's AS.
    pub src_as: u32,
    /// The AS from which it came.
    pub src_peer_as: u32,
    /// The destination's AS.
    pub dst_as: u32,
    /// The AS to which it goes.
    pub dst_peer_as: u32,
    /// A request on the web.
    pub http: Option<Block<'a>>,
    /// The remote address of a socket.
    pub client: Option<IpAddr>,
    /// Why a record could not be read.
    pub damage: Option<WireError>,
}

impl<'a> Seen<'a> {
    /// What a flow sample says.
    pub fn flow(sample: &FlowSample<'a>) -> Self {
        let seen = Self { sampling_rate: sample.sampling_rate, ..Self::at(sample.input, sample.output) };
        seen.with(sample.records())
    }

    /// What is said about a packet that was thrown away.
    pub fn discarded(packet: &DiscardedPacket<'a>) -> Self {
        Self::at(packet.input, packet.output).with(packet.records())
    }

    fn at(input: Interface, output: Interface) -> Self {
        Self { input: input.value, output: output.value, ..Self::default() }
    }

    fn with(mut self, records: FlowRecords<'a>) -> Self {
        for record in records {
            match record {
                Ok(record) => self.add(&record),
                Err(error) => _ = self.damage.get_or_insert(error),
            }
        }
        self
    }

    /// The length of the IP packet as a line has it: of IPv6, the frame's without what was taken off.
    pub fn ip_size_of_line(&self) -> i64 {
        let offset = match self.ip {
            Some((offset, 4)) => offset,
            _ => 0,
        };
        i64::from(self.packet_size) - i64::from(self.stripped) - i64::try_from(offset).unwrap_or(i64::MAX)
    }

    /// The length of the IP packet.
    pub fn ip_size(&self) -> u32 {
        let offset = self.ip.map_or(0, |(offset, _)| u32::try_from(offset).unwrap_or(u32::MAX));
        self.packet_size.saturating_sub(self.stripped).saturating_sub(offset)
    }

    /// How many of the first bytes are header, where that is known; never more than there are.
    pub fn redacted(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.payload.and_then(|payload| bytes.get(..payload)).unwrap_or(bytes)
    }

    #[inline]
    fn add(&mut self, record: &FlowRecord<'a>) {
        match record {
            FlowRecord::SampledHeader(it) => self.sampled_header(it),
            FlowRecord::SampledEthernet(it) => {
                (self.src_mac, self.dst_mac, self.etype) = (it.src_mac, it.dst_mac, it.etype);
            }
            FlowRecord::SampledIpv4(it) => {
                self.addresses(it.src_ip.into(), it.dst_ip.into());
                self.layer3(it.length, it.protocol, it.tos);
                self.layer4(it.src_port, it.dst_port, it.tcp_flags);
            }
            FlowRecord::SampledIpv6(it) => {
                self.addresses(it.src_ip.into(), it.dst_ip.into());
                self.layer3(it.length, it.protocol, it.priority);
                self.layer4(it.src_port, it.dst_port, it.tcp_flags);
            }
            FlowRecord::ExtendedSwitch(it) => (self.in_vlan, self.out_vlan) = (it.src_vlan, it.dst_vlan),
            FlowRecord::ExtendedRouter(it) => {
                (self.next_hop, self.src_mask, self.dst_mask) = (it.nexthop, it.src_mask_len, it.dst_mask_len);
            }
            FlowRecord::ExtendedGateway(it) => {
                (self.src_as, self.src_peer_as) = (it.src_as, it.src_peer_as);
                self.dst_as = it.dst_as().unwrap_or(0);
                self.dst_peer_as = it.dst_peer_as().unwrap_or(0);
            }
            FlowRecord::Other(block) => self.block(block),
            _ => {}
        }
    }

    fn sampled_header(&mut self, it: &SampledHeader<'a>) {
        (self.packet_size, self.stripped) = (it.frame_length, it.stripped);
        self.header = Some((it.protocol, it.header));
        header::decode(it.protocol, it.header, &mut |found| match found {
            Found::DstMac(mac) => self.dst_mac = mac,
            Found::SrcMac(mac) => self.src_mac = mac,
            Found::Vlan { id, .. } => self.in_vlan = id.into(),
            Found::Etype(etype) => self.etype = etype.into(),
            Found::Ipv4(offset) => self.ip = Some((offset, 4)),
            Found::Ipv6(offset) => self.ip = Some((offset, 6)),
            Found::Source(address) => self.source = Some(address),
            Found::Destination(address) => self.destination = Some(address),
            Found::Protocol(number) => self.protocol = number.into(),
            Found::Tos(tos) => self.tos = tos.into(),
            Found::Ttl(ttl) => self.ttl = ttl.into(),
            Found::FragmentOffset(offset) => self.fragment_offset = offset.into(),
            Found::Icmp(kind, code) => (self.src_port, self.dst_port) = (kind.into(), code.into()),
            Found::TcpPorts(source, destination) => {
                (self.src_port, self.dst_port) = (source.into(), destination.into())
            }
            Found::TcpFlags(flags) => self.tcp_flags = flags.into(),
            Found::Udp(source, destination, length) => {
                (self.src_port, self.dst_port) = (source.into(), destination.into());
                self.udp_length = length.into();
            }
            Found::Label(label) => self.flow_label = label,
            Found::Payload(at) => self.payload = Some(at),
            _ => {}
        });
    }

    fn addresses(&mut self, source: IpAddr, destination: IpAddr) {
        (self.source, self.destination) = (Some(source), Some(destination));
    }

    /// The fields of an IP header that came without its bytes: its length is the packet's.
    fn layer3(&mut self, length: u32, protocol: u32, tos: u32) {
        (self.packet_size, self.protocol, self.tos) = (length, protocol, tos);
        let version = if self.source.is_some_and(|source| source.is_ipv6()) { 6 } else { 4 };
        self.ip = Some((0, version));
        self.stripped = 0;
    }

    const fn layer4(&mut self, source: u32, destination: u32, flags: u32) {
        (self.src_port, self.dst_port) = (source, destination);
        self.tcp_flags = if self.protocol == 6 { flags } else { 0 };
    }

    /// A socket's addresses stand for the packet's, its remote one is the client's.
    fn block(&mut self, block: &Block<'a>) {
        match (block.layout().tag.enterprise, block.layout().tag.format) {
            (0, 2100 | 2101) => {
                for (name, value) in block.fields() {
                    match (name, value) {
                        ("local_ip", Field::Ip(address)) => self.source = Some(address),
                        ("remote_ip", Field::Ip(address)) => {
                            self.destination = Some(address);
                            self.client = Some(address);
                        }
                        _ => {}
                    }
                }
            }
            (0, 2201 | 2206) => self.http = Some(*block),
            _ => {}
        }
    }
}
