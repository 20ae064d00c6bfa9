//! IPv4 (RFC 791) and IPv6 (RFC 8200).

use super::{Address, Packet, Walk, transport};
use crate::{Problem, Reader, WireError};

const V4_HEADER: usize = 20;
const V6_HEADER: u32 = 40;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// RFC 8200 section 4.1 expects each header once, and destination options twice.
const EXTENSION_HEADERS_MAX: usize = 10;

/// Whichever version the first four bits say.
pub(super) fn either(packet: &mut Packet, r: Reader<'_>) -> Walk {
    match r.rest().first().map_or(0, |first| first >> 4) {
        6 => v6(packet, r),
        _ => v4(packet, r),
    }
}

/// IPv4, from its version on.
#[inline]
pub(super) fn v4(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    packet.l3_offset = r.place();
    let start = r;
    let first = r.u8("ipv4.version")?;
    if first >> 4 != 4 {
        return Err(start.error("ipv4.version", Problem::Value((first >> 4).into())));
    }
    packet.ip_version = Some(4);
    let header = usize::from(first & 0x0F) * 4;
    if header < V4_HEADER {
        return Err(start.error("ipv4.ihl", Problem::TooShort { length: header, minimum: V4_HEADER }));
    }
    packet.ip_tos = Some(r.u8("ipv4.tos")?);
    let length_at = r;
    let total_length = r.u16("ipv4.total_length")?;
    // Zero is what a host with segmentation offload leaves to its network card.
    packet.ip_total_length = (total_length != 0).then_some(total_length.into());
    packet.fragment_id = Some(r.u16("ipv4.identification")?.into());
    let fragment = r.u16("ipv4.fragment_offset")?;
    packet.ip_flags = Some((fragment >> 13) as u8);
    packet.fragment_offset = Some(fragment & 0x1FFF);
    packet.ip_ttl = Some(r.u8("ipv4.ttl")?);
    let proto = r.u8("ipv4.protocol")?;
    packet.proto = Some(proto);
    r.u16("ipv4.checksum")?;
    packet.src_addr = Some(Address::V4(r.array("ipv4.src_addr")?));
    packet.dst_addr = Some(Address::V4(r.array("ipv4.dst_addr")?));
    r.bytes("ipv4.options", header - V4_HEADER)?;
    let body = match usize::from(total_length) {
        0 => None,
        length if length < header => {
            return Err(length_at.error("ipv4.total_length", Problem::TooShort { length, minimum: header }));
        }
        length => Some(length - header),
    };
    let mut r = narrow(r, body);
    // What it protects comes behind it, as in IPv6. Nobody nests them.
    if proto == AUTHENTICATION && !packet.is_later_fragment() {
        packet.l4_offset = r.place();
        let next = authentication(packet, &mut r)?;
        packet.proto = Some(next);
        return payload(packet, next, r);
    }
    payload(packet, proto, r)
}

/// IPv6, from its version on, and its extension headers.
pub(super) fn v6(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    packet.l3_offset = r.place();
    let start = r;
    let first = r.u8("ipv6.version")?;
    if first >> 4 != 6 {
        return Err(start.error("ipv6.version", Problem::Value((first >> 4).into())));
    }
    packet.ip_version = Some(6);
    let second = r.u8("ipv6.traffic_class")?;
    packet.ip_tos = Some(first << 4 | second >> 4);
    let label: [u8; 2] = r.array("ipv6.flow_label")?;
    packet.ipv6_flow_label = Some(u32::from(second & 0x0F) << 16 | u32::from(u16::from_be_bytes(label)));
    let payload_length = r.u16("ipv6.payload_length")?;
    // Zero announces a jumbogram (RFC 2675), or a segment left to the network card.
    packet.ip_total_length = (payload_length != 0).then_some(u32::from(payload_length) + V6_HEADER);
    let next_header = r.u8("ipv6.next_header")?;
    packet.proto = Some(next_header);
    packet.ip_ttl = Some(r.u8("ipv6.hop_limit")?);
    packet.src_addr = Some(Address::V6(r.array("ipv6.src_addr")?));
    packet.dst_addr = Some(Address::V6(r.array("ipv6.dst_addr")?));
    let body = (payload_length != 0).then_some(payload_length.into());
    extension_headers(packet, next_header, narrow(r, body))
}

fn extension_headers(packet: &mut Packet, mut next: u8, mut r: Reader<'_>) -> Walk {
    for _ in 0..EXTENSION_HEADERS_MAX {
        next = match next {
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HIP | SHIM6 => extension(&mut r, 8, 8)?,
            AUTHENTICATION => authentication(packet, &mut r)?,
            FRAGMENT => fragment(packet, &mut r)?,
            _ => return payload(packet, next, r),
        };
        packet.proto = Some(next);
        if packet.is_later_fragment() {
            return payload(packet, next, r);
        }
    }
    Err(r.error("ipv6.extension_header", Problem::TooDeep(EXTENSION_HEADERS_MAX)))
}

/// Steps over one header whose second byte counts `unit`s beyond the first `least` bytes; gives what comes next.
fn extension(r: &mut Reader<'_>, unit: usize, least: usize) -> Result<u8, WireError> {
    let [next, count] = r.array("ipv6.extension_header")?;
    r.bytes("ipv6.extension_header", least + usize::from(count) * unit - 2)?;
    Ok(next)
}

/// An authentication header (RFC 4302 section 2): its length is in units of four bytes, less two.
fn authentication(packet: &mut Packet, r: &mut Reader<'_>) -> Result<u8, WireError> {
    let mut fields = *r;
    let next = extension(r, 4, 8)?;
    fields.u32("authentication.length")?;
    packet.ipsec_spi = Some(fields.u32("authentication.spi")?);
    Ok(next)
}

fn fragment(packet: &mut Packet, r: &mut Reader<'_>) -> Result<u8, WireError> {
    let [next, _] = r.array("ipv6.fragment")?;
    let word = r.u16("ipv6.fragment_offset")?;
    packet.fragment_offset = Some(word >> 3);
    packet.ip_flags = Some((word & 1) as u8);
    packet.fragment_id = Some(r.u32("ipv6.identification")?);
    Ok(next)
}

/// What lies behind the IP headers. A later fragment is the middle of something, and no transport header.
pub(super) fn payload(packet: &mut Packet, proto: u8, r: Reader<'_>) -> Walk {
    if packet.is_later_fragment() || proto == NO_NEXT_HEADER {
        packet.payload_offset = r.place();
        return Ok(());
    }
    packet.l4_offset = r.place();
    transport::read(packet, proto, r)
}

/// Leaves out what lies behind the IP packet, such as Ethernet's padding. A length beyond the bytes changes nothing.
pub(super) fn narrow(r: Reader<'_>, length: Option<usize>) -> Reader<'_> {
    match length.and_then(|length| r.rest().get(..length)) {
        Some(body) => Reader::at(body, r.offset()),
        None => r,
    }
}
