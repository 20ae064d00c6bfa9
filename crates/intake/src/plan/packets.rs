//! Columns from the first bytes of a packet: sFlow's sampled headers, and IPFIX's packet sections (elements 313 to 317).

use finderscope_flow::{Builder, Column};
use finderscope_wire::packet::{Packet, TUNNELS_MAX};

/// IPv4's and IPv6's Ethernet types.
const ETYPES: [(u8, u16); 2] = [(4, 0x0800), (6, 0x86DD)];

/// Writes one cell into each column that the packet knows and `is_free` allows; all others stay behind, and become null.
/// `bytes` are those that the packet was read from.
pub(crate) fn write(packet: &Packet, bytes: &[u8], builder: &mut Builder, is_free: impl Fn(Column) -> bool) {
    use Column as C;
    let mut writer = Writer { builder, is_free };
    writer.u64(C::SrcMac, packet.src_mac.map(mac));
    writer.u64(C::DstMac, packet.dst_mac.map(mac));
    writer.u16(C::VlanId, packet.vlan_id);
    writer.u16(C::Etype, packet.etype);
    writer.address(C::SrcAddr, packet.src_addr.as_ref().map(|address| address.bytes()));
    writer.address(C::DstAddr, packet.dst_addr.as_ref().map(|address| address.bytes()));
    writer.u8(C::Proto, packet.proto);
    writer.u8(C::IpTos, packet.ip_tos);
    writer.u8(C::IpTtl, packet.ip_ttl);
    writer.u8(C::IpFlags, packet.ip_flags);
    writer.u32(C::FragmentId, packet.fragment_id);
    writer.u16(C::FragmentOffset, packet.fragment_offset);
    writer.u32(C::Ipv6FlowLabel, packet.ipv6_flow_label);
    writer.u16(C::SrcPort, packet.src_port);
    writer.u16(C::DstPort, packet.dst_port);
    writer.u16(C::TcpFlags, packet.tcp_flags);
    writer.u32(C::TcpSequenceNumber, packet.tcp_sequence);
    writer.u8(C::IcmpType, packet.icmp_type);
    writer.u8(C::IcmpCode, packet.icmp_code);
    writer.u8(C::IgmpType, packet.igmp_type);
    writer.u32(C::IpsecSpi, packet.ipsec_spi);
    if packet.vlan_tags > 1 {
        writer.u16(C::Dot1qCustomerVlanId, packet.inner_vlan_id);
    }
    if packet.mpls_labels > 0 && (writer.is_free)(C::MplsLabel) {
        writer.builder.list(C::MplsLabel).push(packet.labels(bytes));
    }
    if packet.tunnel.is_some() {
        writer.tunnel(packet, bytes);
    }
}

/// A MAC address in the lower 48 bits.
pub(crate) const fn mac([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

struct Writer<'b, F> {
    builder: &'b mut Builder,
    is_free: F,
}

macro_rules! cells {
    ($($name:ident $type:ty;)*) => {$(
        fn $name(&mut self, column: Column, value: Option<$type>) {
            if let Some(value) = value && (self.is_free)(column) {
                self.builder.$name(column).push(value);
            }
        }
    )*};
}

impl<F: Fn(Column) -> bool> Writer<'_, F> {
    cells! {
        u8 u8;
        u16 u16;
        u32 u32;
        u64 u64;
        address &[u8];
    }

    /// The tunnels' names, the innermost one's number, and the packet in it.
    #[cold]
    fn tunnel(&mut self, outer: &Packet, bytes: &[u8]) {
        use Column as C;
        let (mut names, mut id, mut inner) = (String::new(), None, None);
        let mut packet = *outer;
        for _ in 0..TUNNELS_MAX {
            let Some(tunnel) = packet.tunnel else { break };
            if !names.is_empty() {
                names.push('/');
            }
            names.push_str(tunnel.kind.name());
            id = tunnel.id;
            let Some(next) = packet.inner(bytes) else { break };
            packet = next;
            inner = Some(next);
        }
        if (self.is_free)(C::Tunnel) {
            self.builder.text(C::Tunnel).push(names.as_bytes());
        }
        self.u32(C::TunnelId, id);
        if let Some(inner) = &inner {
            self.inner(inner);
        }
    }

    fn inner(&mut self, inner: &Packet) {
        use Column as C;
        self.u64(C::InnerSrcMac, inner.src_mac.map(mac));
        self.u64(C::InnerDstMac, inner.dst_mac.map(mac));
        self.u16(C::InnerVlanId, inner.vlan_id);
        let by_version =
            || ETYPES.iter().find(|(version, _)| Some(*version) == inner.ip_version).map(|(_, etype)| *etype);
        self.u16(C::InnerEtype, inner.etype.or_else(by_version));
        self.address(C::InnerSrcAddr, inner.src_addr.as_ref().map(|address| address.bytes()));
        self.address(C::InnerDstAddr, inner.dst_addr.as_ref().map(|address| address.bytes()));
        self.u8(C::InnerProto, inner.proto);
        self.u16(C::InnerSrcPort, inner.src_port);
        self.u16(C::InnerDstPort, inner.dst_port);
    }
}
