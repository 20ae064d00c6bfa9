//! The sampled header: from Ethernet to transport, as far as the bytes go.
//!
//! [`Packet::parse`] walks over the first bytes of a packet and keeps what a flow needs. It never
//! fails: a header that is cut, or wrong, ends the walk, what was whole before is there, and
//! [`Packet::problem`] says why and where. So a sample of 64 bytes whose TCP header is cut after the
//! ports still has its ports.
//!
//! The walk goes from layer to layer in three modules: `link` (Ethernet II and IEEE 802.3 with
//! LLC/SNAP, VLAN tags, MPLS), `ip` (RFC 791, RFC 8200 with its extension headers) and `transport`
//! (TCP, UDP, UDP-Lite, SCTP, DCCP, ICMP). Lengths in headers narrow the walk and never widen it, and each loop is bounded.
//!
//! Tunnels (GRE, VXLAN, Geneve, IP in IP) are not entered: the walk ends at the outermost transport
//! header, and [`Packet::payload_offset`] is where a tunnel's inner packet would be parsed from.
//!
//! [`Frame`] writes such headers.

mod encode;
mod ip;
mod link;
mod transport;

pub use encode::{Frame, Transport, Vlan};

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Problem, Reader, WireError};

/// What a packet's bytes begin with, in sFlow's numbers (`header_protocol`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct HeaderProtocol(pub u32);

impl HeaderProtocol {
    /// An Ethernet header.
    pub const ETHERNET: Self = Self(1);
    /// An IPv4 header.
    pub const IPV4: Self = Self(11);
    /// An IPv6 header.
    pub const IPV6: Self = Self(12);
    /// An MPLS label stack.
    pub const MPLS: Self = Self(13);
}

/// An address of a packet, of its natural length.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

impl Address {
    /// The bytes, 4 or 16.
    pub const fn bytes(&self) -> &[u8] {
        match self {
            Self::V4(bytes) => bytes,
            Self::V6(bytes) => bytes,
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        match address {
            Address::V4(bytes) => Ipv4Addr::from(bytes).into(),
            Address::V6(bytes) => Ipv6Addr::from(bytes).into(),
        }
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => Self::V6(address.octets()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::from(*self).fmt(f)
    }
}

/// What a packet's headers say. A field is none where its header is not there, or is cut before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Packet {
    /// Ethernet: from.
    pub src_mac: Option<[u8; 6]>,
    /// Ethernet: to.
    pub dst_mac: Option<[u8; 6]>,
    /// The outermost VLAN.
    pub vlan_id: Option<u16>,
    /// The outermost VLAN tag's priority.
    pub vlan_priority: Option<u8>,
    /// The second VLAN.
    pub inner_vlan_id: Option<u16>,
    /// The second VLAN tag's priority.
    pub inner_vlan_priority: Option<u8>,
    /// How many VLAN tags were stepped over.
    pub vlan_tags: u8,
    /// The Ethernet type behind all VLAN tags. None for IEEE 802.3 without SNAP.
    pub etype: Option<u16>,
    /// How many MPLS labels were stepped over.
    pub mpls_labels: u8,
    /// The outermost MPLS label.
    pub mpls_label: Option<u32>,
    /// 4 or 6.
    pub ip_version: Option<u8>,
    /// IP: from.
    pub src_addr: Option<Address>,
    /// IP: to.
    pub dst_addr: Option<Address>,
    /// The transport protocol: for IPv6, behind all extension headers that are there.
    pub proto: Option<u8>,
    /// Type of service, or traffic class.
    pub ip_tos: Option<u8>,
    /// Time to live, or hop limit.
    pub ip_ttl: Option<u8>,
    /// The three bits before the fragment offset: 2 is "don't fragment", 1 "more fragments". IPv6 has only the latter.
    pub ip_flags: Option<u8>,
    /// Names the datagram to which a fragment belongs; 16 bits in IPv4.
    pub fragment_id: Option<u32>,
    /// Where in it the fragment goes, in units of eight bytes.
    pub fragment_offset: Option<u16>,
    /// The flow label.
    pub ipv6_flow_label: Option<u32>,
    /// The IP packet's length with its header. None where it is left open (a jumbogram, an offloaded segment).
    pub ip_total_length: Option<u32>,
    /// From which port.
    pub src_port: Option<u16>,
    /// To which port.
    pub dst_port: Option<u16>,
    /// TCP flags, nine bits: NS is bit 8.
    pub tcp_flags: Option<u16>,
    /// The TCP sequence number.
    pub tcp_sequence: Option<u32>,
    /// The length that UDP says.
    pub udp_length: Option<u16>,
    /// The ICMP or ICMPv6 type.
    pub icmp_type: Option<u8>,
    /// The ICMP or ICMPv6 code.
    pub icmp_code: Option<u8>,
    /// Where the IP header begins.
    pub l3_offset: Option<usize>,
    /// Where the transport header begins.
    pub l4_offset: Option<usize>,
    /// Where the bytes after the last header begin, if headers are whole so far.
    pub payload_offset: Option<usize>,
    /// Why the walk ended before the end of the headers.
    pub problem: Option<WireError>,
}

impl Packet {
    /// Reads the headers of a packet that begins with `protocol`. Offsets, those of errors too, count from the first of `bytes`.
    pub fn parse(protocol: HeaderProtocol, bytes: &[u8]) -> Self {
        let mut packet = Self::default();
        let reader = Reader::new(bytes);
        let walk = match protocol {
            HeaderProtocol::ETHERNET => link::ethernet(&mut packet, reader),
            HeaderProtocol::IPV4 => ip::v4(&mut packet, reader),
            HeaderProtocol::IPV6 => ip::v6(&mut packet, reader),
            HeaderProtocol::MPLS => link::mpls(&mut packet, reader),
            HeaderProtocol(other) => Err(reader.error("header_protocol", Problem::Value(other.into()))),
        };
        packet.problem = walk.err();
        packet
    }

    /// The transport's ports, where both are known.
    pub fn ports(&self) -> Option<(u16, u16)> {
        self.src_port.zip(self.dst_port)
    }

    /// Whether this is a fragment that is not the first, and so has no transport header.
    pub fn is_later_fragment(&self) -> bool {
        self.fragment_offset.is_some_and(|offset| offset > 0)
    }
}

/// How a layer ended: well, or where.
type Walk = Result<(), WireError>;

#[cfg(test)]
mod tests;
