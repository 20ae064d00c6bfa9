//! Flow records: what an agent knows about one packet.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::aggregation::Aggregation;
use super::extended::{ExtendedMpls, ExtendedNat, ExtendedRouter, ExtendedSwitch, ExtendedUrl, ExtendedUser};
use super::gateway::ExtendedGateway;
use super::layouts::Layout;
use super::xdr::Padding;
use super::{Block, Tag, xdr};
use crate::packet::HeaderProtocol;
use crate::{Reader, WireError};

/// One record of a flow sample. Names are the specification's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FlowRecord<'a> {
    /// 0:1 `sampled_header`.
    SampledHeader(SampledHeader<'a>),
    /// 0:2 `sampled_ethernet`.
    SampledEthernet(SampledEthernet),
    /// 0:3 `sampled_ipv4`.
    SampledIpv4(SampledIpv4),
    /// 0:4 `sampled_ipv6`.
    SampledIpv6(SampledIpv6),
    /// 0:1001 `extended_switch`.
    ExtendedSwitch(ExtendedSwitch),
    /// 0:1002 `extended_router`.
    ExtendedRouter(ExtendedRouter),
    /// 0:1003 `extended_gateway`.
    ExtendedGateway(ExtendedGateway<'a>),
    /// 0:1004 `extended_user`.
    ExtendedUser(ExtendedUser<'a>),
    /// 0:1005 `extended_url`.
    ExtendedUrl(ExtendedUrl<'a>),
    /// 0:1006 `extended_mpls`.
    ExtendedMpls(ExtendedMpls<'a>),
    /// 0:1007 `extended_nat`.
    ExtendedNat(ExtendedNat),
    /// 0:1016 `extended_80211_aggregation`.
    Aggregation(Aggregation<'a>),
    /// 0:1036 `extended_egress_queue`: the queue's number.
    EgressQueue(u32),
    /// Any other structure of the public list: its fields can be had by name.
    Other(Block<'a>),
    /// A structure that nobody published.
    Unknown {
        /// Which one.
        tag: Tag,
        /// Its bytes.
        body: &'a [u8],
    },
}

impl<'a> FlowRecord<'a> {
    /// Reads the record of this tag; `body` holds it and nothing else.
    #[inline]
    pub(super) fn read(tag: Tag, body: Reader<'a>) -> Result<Self, WireError> {
        if tag.enterprise != 0 {
            return Self::by_layout(tag, body);
        }
        match Self::read_typed(tag.format, &mut body.clone()) {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Self::by_layout(tag, body),
            Err(error) => Self::read_unpadded(tag.format, body).ok_or(error),
        }
    }

    /// Reads a record whose strings and addresses the agent has not padded, where that fits to the byte.
    #[cold]
    fn read_unpadded(format: u32, mut body: Reader<'a>) -> Option<Self> {
        let r = &mut body;
        let record = match format {
            2 => Self::SampledEthernet(SampledEthernet::read(r, Padding::Absent).ok()?),
            1004 => Self::ExtendedUser(ExtendedUser::read(r, Padding::Absent).ok()?),
            1005 => Self::ExtendedUrl(ExtendedUrl::read(r, Padding::Absent).ok()?),
            _ => return None,
        };
        r.is_empty().then_some(record)
    }

    /// Reads one of sFlow.org's structures that have a type of their own; none for all others.
    #[inline]
    pub(super) fn read_typed(format: u32, r: &mut Reader<'a>) -> Result<Option<Self>, WireError> {
        Ok(Some(match format {
            1 => Self::SampledHeader(SampledHeader::read(r)?),
            2 => Self::SampledEthernet(SampledEthernet::read(r, Padding::Present)?),
            3 => Self::SampledIpv4(SampledIpv4::read(r)?),
            4 => Self::SampledIpv6(SampledIpv6::read(r)?),
            1001 => Self::ExtendedSwitch(ExtendedSwitch::read(r)?),
            1002 => Self::ExtendedRouter(ExtendedRouter::read(r)?),
            1003 => Self::ExtendedGateway(ExtendedGateway::read(r)?),
            1004 => Self::ExtendedUser(ExtendedUser::read(r, Padding::Present)?),
            1005 => Self::ExtendedUrl(ExtendedUrl::read(r, Padding::Present)?),
            1006 => Self::ExtendedMpls(ExtendedMpls::read(r)?),
            1007 => Self::ExtendedNat(ExtendedNat::read(r)?),
            1016 => Self::Aggregation(Aggregation::read(r)?),
            1036 => Self::EgressQueue(r.u32("extended_egress_queue.queue")?),
            _ => return Ok(None),
        }))
    }

    fn by_layout(tag: Tag, body: Reader<'a>) -> Result<Self, WireError> {
        match Layout::flow(tag) {
            Some(layout) => Block::read(layout, body).map(Self::Other),
            None => Ok(Self::Unknown { tag, body: body.rest() }),
        }
    }

    /// The record's tag.
    pub const fn tag(&self) -> Tag {
        match self {
            Self::SampledHeader(_) => Tag::new(0, 1),
            Self::SampledEthernet(_) => Tag::new(0, 2),
            Self::SampledIpv4(_) => Tag::new(0, 3),
            Self::SampledIpv6(_) => Tag::new(0, 4),
            Self::ExtendedSwitch(_) => Tag::new(0, 1001),
            Self::ExtendedRouter(_) => Tag::new(0, 1002),
            Self::ExtendedGateway(_) => Tag::new(0, 1003),
            Self::ExtendedUser(_) => Tag::new(0, 1004),
            Self::ExtendedUrl(_) => Tag::new(0, 1005),
            Self::ExtendedMpls(_) => Tag::new(0, 1006),
            Self::ExtendedNat(_) => Tag::new(0, 1007),
            Self::Aggregation(_) => Tag::AGGREGATION,
            Self::EgressQueue(_) => Tag::new(0, 1036),
            Self::Other(block) => block.layout().tag,
            Self::Unknown { tag, .. } => *tag,
        }
    }

    /// The structure's name in the public list, where it has one.
    pub fn name(&self) -> Option<&'static str> {
        Layout::flow(self.tag()).map(|layout| layout.name)
    }
}

/// `sampled_header`: the first bytes of the packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampledHeader<'a> {
    /// What the header begins with.
    pub protocol: HeaderProtocol,
    /// The length of the packet as it was, on layer 2 with its check sequence.
    pub frame_length: u32,
    /// How many bytes were taken off before the header was cut: the check sequence, outer tags.
    pub stripped: u32,
    /// The bytes.
    pub header: &'a [u8],
}

impl<'a> SampledHeader<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            protocol: HeaderProtocol(r.u32("sampled_header.protocol")?),
            frame_length: r.u32("sampled_header.frame_length")?,
            stripped: r.u32("sampled_header.stripped")?,
            header: xdr::opaque(r, "sampled_header.header", Padding::Present)?,
        })
    }

    /// The form of versions 2 and 4, which do not say what was taken off.
    pub(super) fn read_plain(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            protocol: HeaderProtocol(r.u32("sampled_header.protocol")?),
            frame_length: r.u32("sampled_header.frame_length")?,
            stripped: 0,
            header: xdr::opaque(r, "sampled_header.header", Padding::Present)?,
        })
    }
}

/// `sampled_ethernet`: the Ethernet header's fields, where the agent has no bytes of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampledEthernet {
    /// The length of the packet, without layer 2 encapsulation and its bytes.
    pub length: u32,
    /// From.
    pub src_mac: [u8; 6],
    /// To.
    pub dst_mac: [u8; 6],
    /// The Ethernet type.
    pub etype: u32,
}

impl SampledEthernet {
    fn read(r: &mut Reader<'_>, padding: Padding) -> Result<Self, WireError> {
        Ok(Self {
            length: r.u32("sampled_ethernet.length")?,
            src_mac: xdr::mac(r, "sampled_ethernet.src_mac", padding)?,
            dst_mac: xdr::mac(r, "sampled_ethernet.dst_mac", padding)?,
            etype: r.u32("sampled_ethernet.type")?,
        })
    }
}

/// `sampled_ipv4`: the IPv4 header's fields, where the agent has no bytes of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampledIpv4 {
    /// The length of the IP packet.
    pub length: u32,
    /// The transport protocol.
    pub protocol: u32,
    /// From.
    pub src_ip: Ipv4Addr,
    /// To.
    pub dst_ip: Ipv4Addr,
    /// From, TCP and UDP; for ICMP the type.
    pub src_port: u32,
    /// To, TCP and UDP; for ICMP the code.
    pub dst_port: u32,
    /// TCP flags.
    pub tcp_flags: u32,
    /// Type of service.
    pub tos: u32,
}

impl SampledIpv4 {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            length: r.u32("sampled_ipv4.length")?,
            protocol: r.u32("sampled_ipv4.protocol")?,
            src_ip: xdr::ipv4(r, "sampled_ipv4.src_ip")?,
            dst_ip: xdr::ipv4(r, "sampled_ipv4.dst_ip")?,
            src_port: r.u32("sampled_ipv4.src_port")?,
            dst_port: r.u32("sampled_ipv4.dst_port")?,
            tcp_flags: r.u32("sampled_ipv4.tcp_flags")?,
            tos: r.u32("sampled_ipv4.tos")?,
        })
    }
}

/// `sampled_ipv6`: the IPv6 header's fields, where the agent has no bytes of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampledIpv6 {
    /// The length of the IP packet.
    pub length: u32,
    /// The transport protocol.
    pub protocol: u32,
    /// From.
    pub src_ip: Ipv6Addr,
    /// To.
    pub dst_ip: Ipv6Addr,
    /// From, TCP and UDP; for ICMPv6 the type.
    pub src_port: u32,
    /// To, TCP and UDP; for ICMPv6 the code.
    pub dst_port: u32,
    /// TCP flags.
    pub tcp_flags: u32,
    /// Traffic class.
    pub priority: u32,
}

impl SampledIpv6 {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            length: r.u32("sampled_ipv6.length")?,
            protocol: r.u32("sampled_ipv6.protocol")?,
            src_ip: xdr::ipv6(r, "sampled_ipv6.src_ip")?,
            dst_ip: xdr::ipv6(r, "sampled_ipv6.dst_ip")?,
            src_port: r.u32("sampled_ipv6.src_port")?,
            dst_port: r.u32("sampled_ipv6.dst_port")?,
            tcp_flags: r.u32("sampled_ipv6.tcp_flags")?,
            priority: r.u32("sampled_ipv6.priority")?,
        })
    }
}
