//! Fitting packets into a stream, all of whose packets begin with the same kind of header.

use finderscope_wire::packet::{self, HeaderProtocol};

use crate::{LinkType, Packet};

/// Says which packets a stream can hold, and in which shape.
#[derive(Debug)]
pub struct Shape {
    link: LinkType,
    make_ethernet: bool,
    made: Vec<u8>,
}

/// A packet as a stream holds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shaped<'a> {
    /// Its first bytes.
    pub bytes: &'a [u8],
    /// Its whole length as the device counted it: with the check sequence and what was stripped.
    pub frame_length: u32,
    /// The length of what the bytes are the beginning of.
    pub true_length: u32,
}

/// Who a made header is from and to, where that is not known: locally administered, nobody's hardware.
const NOBODY: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1]];
const ETHERNET_BYTES: usize = 14;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;
const MPLS: u16 = 0x8847;

impl Shape {
    /// For streams of this link type. With `make_ethernet`, whatever holds an IP packet or labels gets an Ethernet header
    /// instead of its own, in streams of Ethernet.
    pub const fn new(link: LinkType, make_ethernet: bool) -> Self {
        Self { link, make_ethernet, made: Vec::new() }
    }

    /// The link type.
    pub const fn link(&self) -> LinkType {
        self.link
    }

    /// The packet in the stream's shape; none where it has none.
    #[inline]
    pub fn fit<'a>(&'a mut self, packet: &Packet<'a>) -> Option<Shaped<'a>> {
        let Packet { bytes, frame_length, .. } = *packet;
        self.fit_header(packet.protocol, &Shaped { bytes, frame_length, true_length: packet.true_length() })
    }

    /// The same of a packet's first bytes and lengths.
    #[inline]
    pub fn fit_header<'a>(&'a mut self, protocol: HeaderProtocol, header: &Shaped<'a>) -> Option<Shaped<'a>> {
        if self.link.takes(protocol) {
            let held = u32::try_from(header.bytes.len()).unwrap_or(u32::MAX);
            return Some(Shaped { frame_length: header.frame_length.max(held), ..*header });
        }
        if self.make_ethernet && self.link == LinkType::ETHERNET { self.make(protocol, header) } else { None }
    }

    #[cold]
    fn make(&mut self, protocol: HeaderProtocol, header: &Shaped<'_>) -> Option<Shaped<'_>> {
        let parsed = packet::Packet::parse(protocol, header.bytes);
        let (etype, at) = inside(&parsed, protocol)?;
        let at = usize::try_from(at).ok()?;
        let rest = header.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        self.made.clear();
        self.made.extend_from_slice(&parsed.dst_mac.unwrap_or(NOBODY[0]));
        self.made.extend_from_slice(&parsed.src_mac.unwrap_or(NOBODY[1]));
        self.made.extend_from_slice(&etype.to_be_bytes());
        self.made.extend_from_slice(rest);
        let held = u32::try_from(self.made.len()).unwrap_or(u32::MAX);
        let swap = |length: u32| (length.saturating_sub(at as u32)).saturating_add(ETHERNET_BYTES as u32).max(held);
        let (frame_length, true_length) = (swap(header.frame_length), swap(header.true_length));
        Some(Shaped { bytes: &self.made, frame_length, true_length })
    }
}

/// What an Ethernet header would announce, and where it begins.
fn inside(parsed: &packet::Packet, protocol: HeaderProtocol) -> Option<(u16, u32)> {
    if parsed.mpls_labels > 0 {
        return Some((MPLS, parsed.mpls_offset));
    }
    match (parsed.ip_version, parsed.l3_offset) {
        (Some(4), Some(at)) => Some((IPV4, at)),
        (Some(6), Some(at)) => Some((IPV6, at)),
        // A header that is cut inside IP is still announced by what carries it.
        _ => match protocol {
            HeaderProtocol::IPV4 => Some((IPV4, 0)),
            HeaderProtocol::IPV6 => Some((IPV6, 0)),
            HeaderProtocol::MPLS => Some((MPLS, 0)),
            _ => Some((parsed.etype?, parsed.payload_offset?)),
        },
    }
}
