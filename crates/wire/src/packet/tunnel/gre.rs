//! GRE in all its forms: plain (RFC 2784, RFC 2890, and RFC 1701 with its routes), PPTP's (RFC 2637), NVGRE (RFC 7637),
//! ERSPAN (draft-foschiano-erspan), WCCP's redirection.

use super::{TunnelKind, begin, link, name};
use crate::packet::{Layer, Packet, Walk};
use crate::{Problem, Reader};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// PPTP's.
const ACKNOWLEDGMENT: u16 = 0x0080;

const ERSPAN: u16 = 0x88BE;
const ERSPAN_3: u16 = 0x22EB;
const WCCP: u16 = 0x883E;

/// Virtual subnets below are reserved (RFC 7637 section 3.2): a key that has one there is somebody else's.
const SUBNET_MIN: u32 = 0x1000;

/// Source routes of RFC 1701; nobody has more.
const ROUTES_MAX: usize = 16;

/// From the flags on.
pub(super) fn read(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let start = r;
    let flags = r.u16("gre.flags")?;
    let protocol = r.u16("gre.protocol")?;
    match flags & 7 {
        0 => {}
        1 => return pptp(packet, flags, protocol, r),
        version => return Err(start.error("gre.version", Problem::Version(version.into()))),
    }
    if flags & (CHECKSUM | ROUTING) != 0 {
        r.u32("gre.checksum")?;
    }
    let key = if flags & KEY != 0 { Some(r.u32("gre.key")?) } else { None };
    if flags & SEQUENCE != 0 {
        r.u32("gre.sequence_number")?;
    }
    if flags & ROUTING != 0 {
        routes(&mut r)?;
    }
    match protocol {
        // The sequence number tells the types apart, which share a number.
        ERSPAN if flags & SEQUENCE == 0 => begin(packet, TunnelKind::Erspan1, key, Layer::Ethernet, r),
        ERSPAN => return erspan_2(packet, r),
        ERSPAN_3 => return erspan_3(packet, r),
        link::BRIDGED => match key {
            Some(key) if flags & (CHECKSUM | ROUTING | SEQUENCE) == 0 && key >> 8 >= SUBNET_MIN => {
                begin(packet, TunnelKind::Nvgre, Some(key >> 8), Layer::Ethernet, r);
            }
            key => begin(packet, TunnelKind::Gre, key, Layer::Ethernet, r),
        },
        link::PPP => begin(packet, TunnelKind::Gre, key, Layer::Ppp, r),
        WCCP => return wccp(packet, key, r),
        etype => begin(packet, TunnelKind::Gre, key, Layer::EtherType(etype), r),
    }
    Ok(())
}

/// RFC 1701: address family, offset and length of each; a family of zero ends them.
fn routes(r: &mut Reader<'_>) -> Walk {
    for _ in 0..ROUTES_MAX {
        let family = r.u16("gre.route.family")?;
        let [_offset, length] = r.array("gre.route.length")?;
        if family == 0 && length == 0 {
            return Ok(());
        }
        r.bytes("gre.route", length.into())?;
    }
    Err(r.error("gre.route", Problem::TooDeep(ROUTES_MAX)))
}

/// RFC 2637 section 4.1: the key is a length and a call, and an acknowledgment may follow.
fn pptp(packet: &mut Packet, flags: u16, protocol: u16, mut r: Reader<'_>) -> Walk {
    r.u16("pptp.length")?;
    let call = r.u16("pptp.call_id")?.into();
    if flags & SEQUENCE == 0 || protocol != link::PPP {
        // An acknowledgment alone.
        name(packet, TunnelKind::Pptp, Some(call));
        return Ok(());
    }
    r.u32("pptp.sequence_number")?;
    if flags & ACKNOWLEDGMENT != 0 {
        r.u32("pptp.acknowledgment_number")?;
    }
    begin(packet, TunnelKind::Pptp, Some(call), Layer::Ppp, r);
    Ok(())
}

fn erspan_2(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let session = Some(r.u32("erspan.version")? & 0x3FF);
    name(packet, TunnelKind::Erspan2, session);
    r.u32("erspan.index")?;
    begin(packet, TunnelKind::Erspan2, session, Layer::Ethernet, r);
    Ok(())
}

fn erspan_3(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const ETHERNET: u32 = 0;
    const IP: u32 = 2;
    let session = Some(r.u32("erspan.version")? & 0x3FF);
    name(packet, TunnelKind::Erspan3, session);
    r.u32("erspan.timestamp")?;
    let word = r.u32("erspan.sgt")?;
    if word & 1 != 0 {
        r.u64("erspan.platform")?;
    }
    match word >> 10 & 0x1F {
        ETHERNET => begin(packet, TunnelKind::Erspan3, session, Layer::Ethernet, r),
        IP => begin(packet, TunnelKind::Erspan3, session, Layer::Ip, r),
        _ => {}
    }
    Ok(())
}

/// Version 2 of WCCP puts four bytes before the IPv4 packet that version 1 has at once.
fn wccp(packet: &mut Packet, key: Option<u32>, mut r: Reader<'_>) -> Walk {
    if r.rest().first().is_some_and(|first| first >> 4 != 4) {
        r.u32("wccp.header")?;
    }
    begin(packet, TunnelKind::Gre, key, Layer::Ipv4, r);
    Ok(())
}
