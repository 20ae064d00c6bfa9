//! Packets as nearly all are, read at once: Ethernet with at most one VLAN tag, IPv4 without options or IPv6 without
//! extension headers, and TCP, UDP or ICMP, each header whole.
//!
//! A collector reads hundreds of thousands of headers a second, and the walk of [`Packet::parse`] asks of each byte whether
//! it is there. Here that is asked once a header, and whatever is out of the ordinary is left to the walk. There is no
//! second opinion: [`Brief::read`] says what [`Brief::of`] says of the packet that the walk makes, or nothing.

use super::tunnel::may_be_tunnel;
use super::{Address, Packet};

/// What the headers of a packet without tunnels and labels say, in few bytes. A field that [`Brief::has`] does not name is zero.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Brief {
    /// The fields that are there, a bit each.
    pub has: u32,
    /// [`Packet::src_addr`], and zeros behind an address of four bytes.
    pub src_addr: [u8; 16],
    /// [`Packet::dst_addr`], likewise.
    pub dst_addr: [u8; 16],
    /// [`Packet::src_mac`], in the lower 48 bits.
    pub src_mac: u64,
    /// [`Packet::dst_mac`], in the lower 48 bits.
    pub dst_mac: u64,
    /// [`Packet::l3_offset`].
    pub l3_offset: u32,
    /// [`Packet::fragment_id`].
    pub fragment_id: u32,
    /// [`Packet::ipv6_flow_label`].
    pub ipv6_flow_label: u32,
    /// [`Packet::tcp_sequence`].
    pub tcp_sequence: u32,
    /// [`Packet::vlan_id`].
    pub vlan_id: u16,
    /// [`Packet::etype`].
    pub etype: u16,
    /// [`Packet::fragment_offset`].
    pub fragment_offset: u16,
    /// [`Packet::src_port`].
    pub src_port: u16,
    /// [`Packet::dst_port`].
    pub dst_port: u16,
    /// [`Packet::tcp_flags`].
    pub tcp_flags: u16,
    /// [`Packet::proto`].
    pub proto: u8,
    /// [`Packet::ip_tos`].
    pub ip_tos: u8,
    /// [`Packet::ip_ttl`].
    pub ip_ttl: u8,
    /// [`Packet::ip_flags`].
    pub ip_flags: u8,
    /// [`Packet::icmp_type`].
    pub icmp_type: u8,
    /// [`Packet::icmp_code`].
    pub icmp_code: u8,
}

macro_rules! bits {
    ($($name:ident $bit:literal $doc:literal;)*) => {
        impl Brief {
            $(#[doc = $doc] pub const $name: u32 = 1 << $bit;)*
            /// So many bits have a meaning.
            pub const BITS: u32 = [$($bit),*].len() as u32;
        }
    };
}

bits! {
    SRC_MAC 0 "[`Packet::src_mac`] is there.";
    DST_MAC 1 "[`Packet::dst_mac`] is there.";
    VLAN_ID 2 "[`Packet::vlan_id`] is there.";
    ETYPE 3 "[`Packet::etype`] is there.";
    L3_OFFSET 4 "[`Packet::l3_offset`] is there.";
    SRC_ADDR 5 "[`Packet::src_addr`] is there.";
    DST_ADDR 6 "[`Packet::dst_addr`] is there.";
    LONG 7 "Addresses that are there have sixteen bytes.";
    PROTO 8 "[`Packet::proto`] is there.";
    IP_TOS 9 "[`Packet::ip_tos`] is there.";
    IP_TTL 10 "[`Packet::ip_ttl`] is there.";
    IP_FLAGS 11 "[`Packet::ip_flags`] is there.";
    FRAGMENT_ID 12 "[`Packet::fragment_id`] is there.";
    FRAGMENT_OFFSET 13 "[`Packet::fragment_offset`] is there.";
    IPV6_FLOW_LABEL 14 "[`Packet::ipv6_flow_label`] is there.";
    SRC_PORT 15 "[`Packet::src_port`] is there.";
    DST_PORT 16 "[`Packet::dst_port`] is there.";
    TCP_FLAGS 17 "[`Packet::tcp_flags`] is there.";
    TCP_SEQUENCE 18 "[`Packet::tcp_sequence`] is there.";
    ICMP_TYPE 19 "[`Packet::icmp_type`] is there.";
    ICMP_CODE 20 "[`Packet::icmp_code`] is there.";
}

const LINK: u32 = Brief::SRC_MAC | Brief::DST_MAC | Brief::ETYPE;
const NETWORK: u32 =
    Brief::L3_OFFSET | Brief::SRC_ADDR | Brief::DST_ADDR | Brief::PROTO | Brief::IP_TOS | Brief::IP_TTL;
const V4: u32 = NETWORK | Brief::IP_FLAGS | Brief::FRAGMENT_ID | Brief::FRAGMENT_OFFSET;
const V6: u32 = NETWORK | Brief::LONG | Brief::IPV6_FLOW_LABEL;
const PORTS: u32 = Brief::SRC_PORT | Brief::DST_PORT;
const TCP: u32 = PORTS | Brief::TCP_FLAGS | Brief::TCP_SEQUENCE;
const ICMP: u32 = Brief::ICMP_TYPE | Brief::ICMP_CODE;

impl Brief {
    /// Reads an Ethernet frame, where it is one of those that can be read at once.
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (&[d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1], mut rest) = bytes.split_first_chunk()?;
        let mut brief = Self {
            has: LINK,
            dst_mac: u64::from_be_bytes([0, 0, d0, d1, d2, d3, d4, d5]),
            src_mac: u64::from_be_bytes([0, 0, s0, s1, s2, s3, s4, s5]),
            etype: u16::from_be_bytes([t0, t1]),
            l3_offset: 14,
            ..Self::default()
        };
        if brief.etype == 0x8100 {
            let (&[i0, i1, t0, t1], behind) = rest.split_first_chunk()?;
            brief.has |= Self::VLAN_ID;
            brief.vlan_id = u16::from_be_bytes([i0, i1]) & 0x0FFF;
            brief.etype = u16::from_be_bytes([t0, t1]);
            brief.l3_offset = 18;
            rest = behind;
        }
        match brief.etype {
            0x0800 => brief.v4(rest)?,
            0x86DD => brief.v6(rest)?,
            _ => return None,
        }
        Some(brief)
    }

    #[inline]
    fn v4(&mut self, bytes: &[u8]) -> Option<()> {
        let (header, rest) = bytes.split_first_chunk::<20>()?;
        let &[0x45, tos, l0, l1, i0, i1, f0, f1, ttl, proto, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = header else {
            return None;
        };
        let fragment = u16::from_be_bytes([f0, f1]);
        self.has |= V4;
        self.ip_tos = tos;
        self.fragment_id = u16::from_be_bytes([i0, i1]).into();
        self.ip_flags = (fragment >> 13) as u8;
        self.fragment_offset = fragment & 0x1FFF;
        self.ip_ttl = ttl;
        self.proto = proto;
        self.src_addr = [s0, s1, s2, s3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        self.dst_addr = [d0, d1, d2, d3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let body = match usize::from(u16::from_be_bytes([l0, l1])) {
            0 => rest,
            length => rest.get(..length.checked_sub(20)?).unwrap_or(rest),
        };
        // A later fragment has no transport header, but may be something else that only the walk knows.
        if self.fragment_offset == 0 { self.transport(body) } else { None }
    }

    #[inline]
    fn v6(&mut self, bytes: &[u8]) -> Option<()> {
        let (header, rest) = bytes.split_first_chunk::<40>()?;
        let (&[a, b, c, d, l0, l1, next, hops], addresses) = header.split_first_chunk()?;
        let (src, dst) = addresses.split_first_chunk::<16>()?;
        if a >> 4 != 6 {
            return None;
        }
        let word = u32::from_be_bytes([a, b, c, d]);
        self.has |= V6;
        self.ip_tos = (word >> 20) as u8;
        self.ipv6_flow_label = word & 0x000F_FFFF;
        self.proto = next;
        self.ip_ttl = hops;
        self.src_addr = *src;
        self.dst_addr = *dst.first_chunk()?;
        let body = match usize::from(u16::from_be_bytes([l0, l1])) {
            0 => rest,
            length => rest.get(..length).unwrap_or(rest),
        };
        self.transport(body)
    }

    #[inline]
    fn transport(&mut self, bytes: &[u8]) -> Option<()> {
        let &[p0, p1, p2, p3, s0, s1, s2, s3] = bytes.first_chunk()?;
        let (src, dst) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([p2, p3]));
        match self.proto {
            6 => {
                let &[.., flags, low] = bytes.first_chunk::<14>()?;
                self.has |= TCP;
                self.tcp_sequence = u32::from_be_bytes([s0, s1, s2, s3]);
                self.tcp_flags = u16::from_be_bytes([flags, low]) & 0x01FF;
            }
            17 if !may_be_tunnel(src, dst) => self.has |= PORTS,
            1 | 58 => {
                self.has |= ICMP;
                (self.icmp_type, self.icmp_code) = (p0, p1);
                return Some(());
            }
            _ => return None,
        }
        (self.src_port, self.dst_port) = (src, dst);
        Some(())
    }

    /// [`Packet::l3_offset`], where it is there.
    #[inline]
    pub const fn l3(&self) -> Option<u32> {
        if self.has & Self::L3_OFFSET == 0 { None } else { Some(self.l3_offset) }
    }

    /// The same of a packet that was walked over. Tunnels, labels, a second VLAN tag and whatever else has no place here
    /// are left out.
    pub fn of(packet: &Packet) -> Self {
        let mut brief = Self::default();
        let mut has = 0;
        macro_rules! take {
            ($($bit:ident $field:ident;)*) => {$(
                if let Some(value) = packet.$field {
                    has |= Self::$bit;
                    brief.$field = value;
                }
            )*};
        }
        take! {
            VLAN_ID vlan_id;
            ETYPE etype;
            L3_OFFSET l3_offset;
            PROTO proto;
            IP_TOS ip_tos;
            IP_TTL ip_ttl;
            IP_FLAGS ip_flags;
            FRAGMENT_ID fragment_id;
            FRAGMENT_OFFSET fragment_offset;
            IPV6_FLOW_LABEL ipv6_flow_label;
            SRC_PORT src_port;
            DST_PORT dst_port;
            TCP_FLAGS tcp_flags;
            TCP_SEQUENCE tcp_sequence;
            ICMP_TYPE icmp_type;
            ICMP_CODE icmp_code;
        }
        for (mac, bit, field) in
            [(packet.src_mac, Self::SRC_MAC, &mut brief.src_mac), (packet.dst_mac, Self::DST_MAC, &mut brief.dst_mac)]
        {
            if let Some([a, b, c, d, e, f]) = mac {
                has |= bit;
                *field = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
            }
        }
        for (address, bit, field) in [
            (packet.src_addr, Self::SRC_ADDR, &mut brief.src_addr),
            (packet.dst_addr, Self::DST_ADDR, &mut brief.dst_addr),
        ] {
            match address {
                Some(Address::V4([a, b, c, d])) => {
                    has |= bit;
                    *field = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                }
                Some(Address::V6(bytes)) => {
                    has |= bit | Self::LONG;
                    *field = bytes;
                }
                None => {}
            }
        }
        Self { has, ..brief }
    }
}
