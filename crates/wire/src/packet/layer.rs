//! What bytes can begin with.

use super::{Packet, Walk, ip, link, mpls, ring, wan, wifi};
use crate::{Problem, Reader};

/// What a packet's bytes begin with, in sFlow's numbers (`header_protocol`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct HeaderProtocol(pub u32);

impl HeaderProtocol {
    /// An Ethernet header.
    pub const ETHERNET: Self = Self(1);
    /// IEEE 802.4.
    pub const TOKEN_BUS: Self = Self(2);
    /// IEEE 802.5.
    pub const TOKEN_RING: Self = Self(3);
    /// FDDI.
    pub const FDDI: Self = Self(4);
    /// Frame relay.
    pub const FRAME_RELAY: Self = Self(5);
    /// X.25, its packet layer.
    pub const X25: Self = Self(6);
    /// PPP.
    pub const PPP: Self = Self(7);
    /// SMDS.
    pub const SMDS: Self = Self(8);
    /// ATM adaptation layer 5.
    pub const AAL5: Self = Self(9);
    /// ATM adaptation layer 5 with IP alone.
    pub const AAL5_IP: Self = Self(10);
    /// An IPv4 header.
    pub const IPV4: Self = Self(11);
    /// An IPv6 header.
    pub const IPV6: Self = Self(12);
    /// An MPLS label stack.
    pub const MPLS: Self = Self(13);
    /// Packet over SONET: PPP in HDLC's framing.
    pub const POS: Self = Self(14);
    /// IEEE 802.11, one frame.
    pub const WIFI_MAC: Self = Self(15);
    /// IEEE 802.11, an aggregate of frames.
    pub const WIFI_AMPDU: Self = Self(16);
    /// IEEE 802.11, one part of an aggregate of payloads.
    pub const WIFI_AMSDU: Self = Self(17);
}

/// A format that bytes can begin with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Layer {
    /// Ethernet II or IEEE 802.3, from the destination's address on.
    Ethernet,
    /// What follows this Ethernet type.
    EtherType(u16),
    /// IEEE 802.2.
    Llc,
    /// IPv4 or IPv6, told by the first four bits.
    Ip,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// An MPLS label stack (RFC 3032).
    Mpls,
    /// What an MPLS label stack carries.
    MplsPayload,
    /// What IP carries as this protocol.
    IpPayload(u8),
    /// PPP (RFC 1661), with or without HDLC's address and control.
    Ppp,
    /// A session's packet of PPPoE (RFC 2516).
    Pppoe,
    /// HDLC: PPP's framing (RFC 1662) or Cisco's.
    Hdlc,
    /// Frame relay (RFC 2427).
    FrameRelay,
    /// X.25's packet layer (RFC 1356).
    X25,
    /// IEEE 802.4.
    TokenBus,
    /// IEEE 802.5.
    TokenRing,
    /// FDDI (RFC 1390).
    Fddi,
    /// SMDS (RFC 1209).
    Smds,
    /// ATM adaptation layer 5 (RFC 2684).
    Aal5,
    /// IEEE 802.11.
    Wifi,
    /// IEEE 802.11, its header filled up to four bytes as some drivers do.
    WifiPadded,
    /// IEEE 802.11's aggregate of frames.
    WifiAmpdu,
    /// A part of IEEE 802.11's aggregate of payloads.
    WifiAmsdu,
    /// A number of sFlow that nothing is known of.
    Unknown(HeaderProtocol),
}

impl From<HeaderProtocol> for Layer {
    fn from(protocol: HeaderProtocol) -> Self {
        match protocol {
            HeaderProtocol::ETHERNET => Self::Ethernet,
            HeaderProtocol::TOKEN_BUS => Self::TokenBus,
            HeaderProtocol::TOKEN_RING => Self::TokenRing,
            HeaderProtocol::FDDI => Self::Fddi,
            HeaderProtocol::FRAME_RELAY => Self::FrameRelay,
            HeaderProtocol::X25 => Self::X25,
            HeaderProtocol::PPP => Self::Ppp,
            HeaderProtocol::SMDS => Self::Smds,
            HeaderProtocol::AAL5 => Self::Aal5,
            HeaderProtocol::AAL5_IP => Self::Ip,
            HeaderProtocol::IPV4 => Self::Ipv4,
            HeaderProtocol::IPV6 => Self::Ipv6,
            HeaderProtocol::MPLS => Self::Mpls,
            HeaderProtocol::POS => Self::Hdlc,
            HeaderProtocol::WIFI_MAC => Self::Wifi,
            HeaderProtocol::WIFI_AMPDU => Self::WifiAmpdu,
            HeaderProtocol::WIFI_AMSDU => Self::WifiAmsdu,
            other => Self::Unknown(other),
        }
    }
}

/// Reads what begins with `layer`.
pub(super) fn walk(packet: &mut Packet, layer: Layer, r: Reader<'_>) -> Walk {
    match layer {
        Layer::Ethernet => link::ethernet(packet, r),
        Layer::EtherType(etype) => link::ether_type(packet, etype, r),
        Layer::Llc => link::llc(packet, r, 0),
        Layer::Ip => ip::either(packet, r),
        Layer::Ipv4 => ip::v4(packet, r),
        Layer::Ipv6 => ip::v6(packet, r),
        Layer::Mpls => mpls::stack(packet, r),
        Layer::MplsPayload => mpls::payload(packet, None, r),
        Layer::IpPayload(proto) => {
            packet.proto = Some(proto);
            ip::payload(packet, proto, r)
        }
        Layer::Ppp => wan::ppp(packet, r),
        Layer::Pppoe => link::pppoe(packet, r),
        Layer::Hdlc => wan::hdlc(packet, r),
        Layer::FrameRelay => wan::frame_relay(packet, r),
        Layer::X25 => wan::x25(packet, r),
        Layer::Smds => wan::smds(packet, r),
        Layer::Aal5 => wan::aal5(packet, r),
        Layer::TokenBus | Layer::Fddi => ring::one_byte(packet, r),
        Layer::TokenRing => ring::token_ring(packet, r),
        Layer::Wifi => wifi::frame(packet, r, false),
        Layer::WifiPadded => wifi::frame(packet, r, true),
        Layer::WifiAmpdu => wifi::ampdu(packet, r),
        Layer::WifiAmsdu => wifi::amsdu(packet, r),
        Layer::Unknown(HeaderProtocol(number)) => Err(r.error("header_protocol", Problem::Value(number.into()))),
    }
}
