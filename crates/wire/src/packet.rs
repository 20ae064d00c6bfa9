//! The headers of a packet: from its link to its transport, as far as the bytes go, and through tunnels.
//!
//! [`Packet::parse`] walks over the first bytes of a packet and keeps what a flow needs. It never
//! fails: a header that is cut, or wrong, ends the walk, what was whole before is there, and
//! [`Packet::problem`] says why and where. So a sample of 64 bytes whose TCP header is cut after the
//! ports still has its ports.
//!
//! The walk goes from layer to layer in modules: `link` (Ethernet II and IEEE 802.3 with LLC/SNAP, VLAN tags,
//! PPPoE), `mpls`, `wan` (PPP, HDLC, frame relay, X.25, ATM, SMDS), `ring` (token ring, token bus, FDDI), `wifi`,
//! `ip` (RFC 791, RFC 8200 with its extension headers) and `transport` (TCP, UDP, UDP-Lite, SCTP, DCCP, ICMP, IGMP, and IPsec as far as it is
//! plain). Lengths in headers narrow the walk and never widen it, and each loop is bounded.
//!
//! A walk ends where a tunnel begins: [`Packet::tunnel`] says what kind it is and where the packet inside begins.
//! [`Packet::inner`] reads that one in turn, and [`layers`] all of them, one [`Packet`] each. A packet
//! without a tunnel pays nothing for this.
//!
//! [`Brief`] reads the headers that nearly all packets have in fewer steps, and leaves all others to the walk.
//!
//! [`Frame`] writes such headers, and [`Tunnelled`] puts packets into tunnels.

mod brief;
mod encode;
mod ip;
mod layer;
mod link;
mod mpls;
mod ring;
mod transport;
mod tunnel;
mod wan;
mod wifi;

pub use brief::Brief;
pub use encode::{Carried, Frame, Transport, Tunnelled, Vlan};
pub use layer::{HeaderProtocol, Layer};
pub use tunnel::{Layers, TUNNELS_MAX, Tunnel, TunnelKind, layers};

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Reader, WireError};

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
    /// Ethernet: from; of a frame in a frame, the outer.
    pub src_mac: Option<[u8; 6]>,
    /// Ethernet: to; of a frame in a frame, the outer.
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
    /// Where the label stack begins, if there are labels.
    pub mpls_offset: u32,
    /// 4 or 6.
    pub ip_version: Option<u8>,
    /// IP: from.
    pub src_addr: Option<Address>,
    /// IP: to.
    pub dst_addr: Option<Address>,
    /// The transport protocol: behind all extension headers of IPv6 that are there, and behind an authentication header.
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
    /// The IGMP type.
    pub igmp_type: Option<u8>,
    /// The security parameter index of an ESP or authentication header.
    pub ipsec_spi: Option<u32>,
    /// Where the IP header begins.
    pub l3_offset: Option<u32>,
    /// Where the transport header begins.
    pub l4_offset: Option<u32>,
    /// Where the bytes after the last header begin, if headers are whole so far.
    pub payload_offset: Option<u32>,
    /// The tunnel that the packet is part of, if it is.
    pub tunnel: Option<Tunnel>,
    /// Why the walk ended before the end of the headers.
    pub problem: Option<WireError>,
    /// How many Ethernet headers were read: a bridged frame has its own.
    frames: u8,
}

impl Packet {
    /// Reads the headers of a packet that begins with `layer`. Offsets, those of errors too, count from the first of `bytes`.
    ///
    /// Of what only links carry (a pseudowire, a provider's backbone), the network and transport fields are those of
    /// the first IP header inside: an outer one does not exist.
    pub fn parse(layer: impl Into<Layer>, bytes: &[u8]) -> Self {
        Self::read(layer.into(), bytes, Reader::new(bytes))
    }

    /// Reads the packet inside the tunnel, where there is one and it can be read. `bytes` are those of this packet.
    pub fn inner(&self, bytes: &[u8]) -> Option<Self> {
        let inside = self.tunnel?.inner?;
        Some(Self::read(inside.layer, bytes, inside.reader(bytes)?))
    }

    fn read(layer: Layer, bytes: &[u8], reader: Reader<'_>) -> Self {
        let mut packet = Self::default();
        let walk = match layer {
            Layer::Ethernet => link::ethernet(&mut packet, reader),
            layer => layer::walk(&mut packet, layer, reader),
        };
        packet.problem = walk.err();
        if packet.tunnel.is_some() && packet.src_addr.is_none() {
            tunnel::take_network(&mut packet, bytes);
        }
        packet
    }

    /// The MPLS labels, the top first. `bytes` are those that this was read from.
    pub fn labels<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = u32> + Clone + use<'a> {
        mpls::labels(self, bytes)
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
