//! Columns from the first bytes of a packet: sFlow's sampled headers, and IPFIX's packet sections (elements 313, 315, 316).

use finderscope_flow::{Builder, Column};
use finderscope_wire::packet::Packet;

/// Writes one cell into each column that the packet knows and `is_free` allows; all others stay behind, and become null.
pub(crate) fn write(packet: &Packet, builder: &mut Builder, is_free: impl Fn(Column) -> bool) {
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
    if let Some(label) = packet.mpls_label
        && (writer.is_free)(C::MplsLabel)
    {
        writer.builder.list(C::MplsLabel).push(std::iter::once(label));
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
}
