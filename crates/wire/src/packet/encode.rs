//! Writes the headers of packets, for generators of samples and for tests.

mod wrap;

pub use wrap::{Carried, Tunnelled};

use super::Address;
use crate::Writer;

/// A packet's headers: Ethernet II, VLAN tags, IP, transport.
///
/// Only headers are written. The payload is a length that the IP and UDP headers account for, since
/// samples are cut before it; TCP, UDP and ICMP check sums, which cover it, are zero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame<'a> {
    /// From.
    pub src_mac: [u8; 6],
    /// To.
    pub dst_mac: [u8; 6],
    /// VLAN tags, the outermost first.
    pub vlans: &'a [Vlan],
    /// From. Both addresses must be of one version: the source's counts.
    pub src_addr: Address,
    /// To.
    pub dst_addr: Address,
    /// Type of service, or traffic class.
    pub tos: u8,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// IPv4's identification (16 bits), or IPv6's flow label (20 bits).
    pub label: u32,
    /// What IP carries.
    pub transport: Transport,
    /// How many bytes the transport carries.
    pub payload_length: u16,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vlan {
    /// Its Ethernet type, 0x8100 or 0x88A8.
    pub tpid: u16,
    /// The VLAN, 12 bits.
    pub id: u16,
    /// The priority, 3 bits.
    pub priority: u8,
}

/// A transport header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names are the headers' own")]
pub enum Transport {
    /// TCP without options; flags are nine bits.
    Tcp { src_port: u16, dst_port: u16, sequence: u32, flags: u16 },
    /// UDP.
    Udp { src_port: u16, dst_port: u16 },
    /// ICMP, or ICMPv6 where the addresses are IPv6.
    Icmp { kind: u8, code: u8 },
    /// Another protocol, of which nothing is written.
    Other { proto: u8 },
}

impl Frame<'_> {
    /// Appends the headers to `out`, and returns how many bytes that were.
    pub fn encode(&self, out: &mut Vec<u8>) -> usize {
        let mut writer = Writer::new(out);
        self.link(&mut writer);
        let length = self.transport.length().saturating_add(self.payload_length);
        match (self.src_addr, self.dst_addr) {
            (Address::V4(src), dst) => self.v4(&mut writer, length, src, dst),
            (Address::V6(src), dst) => self.v6(&mut writer, length, src, dst),
        }
        self.transport.put(&mut writer, length);
        writer.len()
    }

    /// Addresses and VLAN tags; an Ethernet type is to follow.
    fn link(&self, writer: &mut Writer<'_>) {
        writer.bytes(&self.dst_mac).bytes(&self.src_mac);
        for vlan in self.vlans {
            writer.u16(vlan.tpid).u16(u16::from(vlan.priority) << 13 | vlan.id & 0x0FFF);
        }
    }

    /// How long the whole packet is, payload included, without check sequence.
    pub fn length(&self) -> u32 {
        let ip = match self.src_addr {
            Address::V4(_) => 20,
            Address::V6(_) => 40,
        };
        let tags = u32::try_from(self.vlans.len()).unwrap_or(u32::MAX).saturating_mul(4);
        tags.saturating_add(14 + ip + u32::from(self.transport.length()) + u32::from(self.payload_length))
    }

    fn v4(&self, writer: &mut Writer<'_>, length: u16, src: [u8; 4], dst: Address) {
        let dst = match dst {
            Address::V4(dst) => dst,
            Address::V6([.., a, b, c, d]) => [a, b, c, d],
        };
        let [.., id_high, id_low] = self.label.to_be_bytes();
        let [length_high, length_low] = length.saturating_add(20).to_be_bytes();
        let [s0, s1, s2, s3] = src;
        let [d0, d1, d2, d3] = dst;
        let (tos, ttl, proto) = (self.tos, self.ttl, self.transport.proto(false));
        let mut header = [
            [0x45, tos],
            [length_high, length_low],
            [id_high, id_low],
            [0x40, 0],
            [ttl, proto],
            [0, 0],
            [s0, s1],
            [s2, s3],
            [d0, d1],
            [d2, d3],
        ];
        header[5] = checksum(&header).to_be_bytes();
        writer.u16(0x0800).bytes(header.as_flattened());
    }

    fn v6(&self, writer: &mut Writer<'_>, length: u16, src: [u8; 16], dst: Address) {
        let dst = match dst {
            Address::V4([a, b, c, d]) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, a, b, c, d],
            Address::V6(dst) => dst,
        };
        let word = 6 << 28 | u32::from(self.tos) << 20 | self.label & 0x000F_FFFF;
        writer.u16(0x86DD).u32(word).u16(length).u8(self.transport.proto(true)).u8(self.ttl);
        writer.bytes(&src).bytes(&dst);
    }
}

impl Transport {
    const fn length(self) -> u16 {
        match self {
            Self::Tcp { .. } => 20,
            Self::Udp { .. } => 8,
            Self::Icmp { .. } => 8,
            Self::Other { .. } => 0,
        }
    }

    const fn proto(self, v6: bool) -> u8 {
        match self {
            Self::Tcp { .. } => 6,
            Self::Udp { .. } => 17,
            Self::Icmp { .. } => {
                if v6 {
                    58
                } else {
                    1
                }
            }
            Self::Other { proto } => proto,
        }
    }

    fn put(self, writer: &mut Writer<'_>, length: u16) {
        match self {
            Self::Tcp { src_port, dst_port, sequence, flags } => {
                writer.u16(src_port).u16(dst_port).u32(sequence).u32(0);
                writer.u16(5 << 12 | flags & 0x01FF).u16(u16::MAX).u32(0);
            }
            Self::Udp { src_port, dst_port } => _ = writer.u16(src_port).u16(dst_port).u16(length).u16(0),
            Self::Icmp { kind, code } => _ = writer.u8(kind).u8(code).u16(0).u32(0),
            Self::Other { .. } => {}
        }
    }
}

/// The Internet check sum (RFC 1071) of a header whose own field is zero.
fn checksum(header: &[[u8; 2]]) -> u16 {
    let sum: u32 = header.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let once = (sum & 0xFFFF) + (sum >> 16);
    !((once + (once >> 16)) as u16)
}
