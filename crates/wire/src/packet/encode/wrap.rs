//! Writes tunnels: the headers between an outer frame and the packet inside.

use super::{Frame, Transport};
use crate::Writer;
use crate::packet::TunnelKind;

/// A packet in a tunnel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tunnelled<'a> {
    /// The tunnel's own headers. Their transport and payload length follow from the rest, and what is set there is not looked at.
    pub outer: Frame<'a>,
    /// Which tunnel.
    pub kind: TunnelKind,
    /// Its number, as many bits of it as the kind has.
    pub id: u32,
    /// What is inside.
    pub inner: Carried<'a>,
}

/// What a tunnel carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carried<'a> {
    /// An Ethernet frame.
    Ethernet(&'a [u8]),
    /// An IPv4 packet.
    Ipv4(&'a [u8]),
    /// An IPv6 packet.
    Ipv6(&'a [u8]),
}

impl<'a> Carried<'a> {
    const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Ethernet(bytes) | Self::Ipv4(bytes) | Self::Ipv6(bytes) => bytes,
        }
    }

    /// As GRE, Geneve and NVGRE number it.
    const fn etype(self) -> u16 {
        match self {
            Self::Ethernet(_) => 0x6558,
            Self::Ipv4(_) => 0x0800,
            Self::Ipv6(_) => 0x86DD,
        }
    }

    const fn ppp(self) -> u16 {
        match self {
            Self::Ethernet(_) => 0x0031,
            Self::Ipv4(_) => 0x0021,
            Self::Ipv6(_) => 0x0057,
        }
    }

    const fn proto(self) -> u8 {
        match self {
            Self::Ethernet(_) => 143,
            Self::Ipv4(_) => 4,
            Self::Ipv6(_) => 41,
        }
    }
}

/// What the outer IP header announces.
enum Over {
    Ip(u8),
    Udp(u16),
    Ethernet(u16),
}

impl Tunnelled<'_> {
    /// Appends the whole packet to `out`. Kinds that carry only one sort of packet are written as if it were that.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut header = Vec::new();
        let over = self.header(&mut Writer::new(&mut header));
        let length = u16::try_from(header.len() + self.inner.bytes().len()).unwrap_or(u16::MAX);
        let frame = |transport| Frame { transport, payload_length: length, ..self.outer };
        match over {
            Over::Ip(proto) => _ = frame(Transport::Other { proto }).encode(out),
            Over::Udp(dst_port) => _ = frame(Transport::Udp { src_port: 50_000, dst_port }).encode(out),
            Over::Ethernet(etype) => {
                let mut writer = Writer::new(out);
                self.outer.link(&mut writer);
                writer.u16(etype);
            }
        }
        out.extend_from_slice(&header);
        out.extend_from_slice(self.inner.bytes());
    }

    fn header(&self, writer: &mut Writer<'_>) -> Over {
        let id = self.id;
        let etype = self.inner.etype();
        match self.kind {
            TunnelKind::Gre => _ = writer.u16(0x2000).u16(etype).u32(id),
            TunnelKind::Nvgre => _ = writer.u16(0x2000).u16(etype).u32(id << 8),
            TunnelKind::Pptp => {
                let length = u16::try_from(self.inner.bytes().len() + 4).unwrap_or(u16::MAX);
                writer.u16(0x3001).u16(0x880B).u16(length).u16(id as u16).u32(1).u16(0xFF03).u16(self.inner.ppp());
            }
            TunnelKind::Erspan1 => _ = writer.u16(0).u16(0x88BE),
            TunnelKind::Erspan2 => _ = writer.u16(0x1000).u16(0x88BE).u32(1).u32(1 << 28 | id & 0x3FF).u32(0),
            TunnelKind::Erspan3 => {
                let frame_type = if matches!(self.inner, Carried::Ethernet(_)) { 0 } else { 2 << 10 };
                writer.u16(0x1000).u16(0x22EB).u32(1).u32(2 << 28 | id & 0x3FF).u32(0).u32(frame_type);
            }
            TunnelKind::IpInIp | TunnelKind::Srv6 => return Over::Ip(self.inner.proto()),
            TunnelKind::EtherIp => {
                writer.u16(3 << 12);
                return Over::Ip(97);
            }
            TunnelKind::MplsInIp => {
                writer.u32(id << 12 | 0x140);
                return Over::Ip(137);
            }
            TunnelKind::MplsInUdp => {
                writer.u32(id << 12 | 0x140);
                return Over::Udp(6635);
            }
            TunnelKind::Vxlan => {
                writer.u32(0x0800_0000).u32(id << 8);
                return Over::Udp(4789);
            }
            TunnelKind::VxlanGpe => {
                writer.u32(0x0C00_0000 | self.next_protocol()).u32(id << 8);
                return Over::Udp(4790);
            }
            TunnelKind::Geneve => {
                // One option of eight bytes, so that readers have something to step over.
                writer.u8(2).u8(0).u16(etype).u32(id << 8).u16(0x0102).u8(0x80).u8(1).u32(7);
                return Over::Udp(6081);
            }
            TunnelKind::GtpU => {
                // A sequence number and a PDU session's extension header, as 5G's base stations send.
                let length = u16::try_from(self.inner.bytes().len() + 8).unwrap_or(u16::MAX);
                writer.u8(0x36).u8(255).u16(length).u32(id).u16(1).u8(0).u8(0x85).u32(0x0100_0900);
                return Over::Udp(2152);
            }
            TunnelKind::L2tp2 => {
                let length = u16::try_from(self.inner.bytes().len() + 12).unwrap_or(u16::MAX);
                writer.u16(0x4002).u16(length).u32(id).u16(0xFF03).u16(self.inner.ppp());
                return Over::Udp(1701);
            }
            TunnelKind::L2tp3 => {
                writer.u32(id);
                return Over::Ip(115);
            }
            TunnelKind::Teredo => return Over::Udp(3544),
            TunnelKind::Nsh => {
                writer.u16(0x0FC2).u8(2).u8(self.next_protocol() as u8).u32(id << 8 | 0xFF);
                return Over::Ethernet(0x894F);
            }
            TunnelKind::Pseudowire => {
                writer.u32(id << 12 | 0x140).u32(0);
                return Over::Ethernet(0x8847);
            }
            TunnelKind::Backbone => {
                writer.u32(id & 0x00FF_FFFF);
                return Over::Ethernet(0x88E7);
            }
            TunnelKind::WireGuard => {
                writer.u32(0x0400_0000).bytes(&id.to_le_bytes()).u64(0);
                return Over::Udp(51820);
            }
        }
        Over::Ip(47)
    }

    /// As VXLAN's extension and service function chains number it.
    const fn next_protocol(&self) -> u32 {
        match self.inner {
            Carried::Ipv4(_) => 1,
            Carried::Ipv6(_) => 2,
            Carried::Ethernet(_) => 3,
        }
    }
}
