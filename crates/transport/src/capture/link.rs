//! Link types of captures (tcpdump.org/linktypes): where in a frame a layer begins that packets are read from.
//!
//! Only link types whose headers are documented and say by themselves what follows.

use finderscope_wire::packet::Layer;

use super::Skip;

/// A header that names another link type is followed so often.
const NESTED_MAX: usize = 4;

/// What a frame begins with behind the link type's own header, and where.
pub(super) fn layer(mut link: u16, mut frame: &[u8]) -> Result<(Layer, usize), Skip> {
    let mut at = 0;
    for _ in 0..NESTED_MAX {
        match step(link, frame)? {
            Step::Layer(layer, skip) => {
                return if skip <= frame.len() { Ok((layer, at + skip)) } else { Err(Skip::Truncated) };
            }
            Step::Link(next, skip) => {
                frame = frame.get(skip..).ok_or(Skip::Truncated)?;
                (link, at) = (next, at + skip);
            }
        }
    }
    Err(Skip::Malformed)
}

enum Step {
    Layer(Layer, usize),
    Link(u16, usize),
}

fn step(link: u16, frame: &[u8]) -> Result<Step, Skip> {
    Ok(match link {
        0 | 108 => bsd(frame)?,
        1 => Step::Layer(Layer::Ethernet, 0),
        6 => Step::Layer(Layer::TokenRing, 0),
        // SLIP: direction and a compressed header, which is only of use where it is none.
        8 => Step::Layer(Layer::Ip, 16),
        9 | 50 => Step::Layer(Layer::Hdlc, 0),
        10 => Step::Layer(Layer::Fddi, 0),
        // Raw IP, of which systems have several numbers.
        12 | 14 | 101 => Step::Layer(Layer::Ip, 0),
        228 => Step::Layer(Layer::Ipv4, 0),
        229 => Step::Layer(Layer::Ipv6, 0),
        51 => Step::Layer(Layer::Pppoe, 0),
        // RFC 2684, and classical IP over ATM on Linux.
        100 | 106 => Step::Layer(Layer::Aal5, 0),
        104 => Step::Layer(Layer::Hdlc, 0),
        105 => Step::Layer(Layer::Wifi, 0),
        107 => Step::Layer(Layer::FrameRelay, 0),
        109 => family(u32_either(frame, 0, 0xFF)?, 12)?,
        // Linux cooked, version 1: the protocol is its last field.
        113 => Step::Layer(Layer::EtherType(u16_at(frame, 14)?), 16),
        117 => pflog(frame)?,
        119 | 163 => wifi_headers(frame)?,
        // IP over Fibre Channel (RFC 2625): two network addresses.
        122 => Step::Layer(Layer::Llc, 16),
        127 => radiotap(frame)?,
        // IP over IEEE 1394 as Apple has it: two addresses of eight bytes.
        138 => Step::Layer(Layer::EtherType(u16_at(frame, 16)?), 18),
        // pppd: a direction in the place of PPP's address, which the protocol follows.
        166 => Step::Layer(Layer::Ppp, if byte_at(frame, 1)? == 3 { 2 } else { 1 }),
        178..=181 => juniper(link, frame)?,
        192 => {
            let length = u16_le(frame, 2)?;
            Step::Link(u16_le(frame, 4)?, length.into())
        }
        // A byte of direction before what the number without it has.
        204 => Step::Layer(Layer::Ppp, 1),
        205 => Step::Layer(Layer::Hdlc, 1),
        206 => Step::Layer(Layer::FrameRelay, 1),
        226 => ipnet(frame)?,
        239 => nflog(frame)?,
        // Netanalyzer: four bytes, and with 241 the preamble too.
        240 => Step::Layer(Layer::Ethernet, 4),
        241 => Step::Layer(Layer::Ethernet, 12),
        // IP over InfiniBand (RFC 4391): a global route, then the type.
        242 => Step::Layer(Layer::EtherType(u16_at(frame, 40)?), 44),
        258 => pktap(frame)?,
        274 => Step::Layer(Layer::Ethernet, 8),
        // Linux cooked, version 2: the protocol is its first field.
        276 => Step::Layer(Layer::EtherType(u16_at(frame, 0)?), 20),
        _ => return Err(Skip::LinkType),
    })
}

/// BSD loopback: an address family in the byte order of whoever captured.
fn bsd(frame: &[u8]) -> Result<Step, Skip> {
    family(u32_either(frame, 0, 0xFF)?, 4)
}

/// IPv6 has a different number in each system.
fn family(family: u32, skip: usize) -> Result<Step, Skip> {
    match family {
        2 => Ok(Step::Layer(Layer::Ip, skip)),
        10 | 24 | 26 | 28 | 30 => Ok(Step::Layer(Layer::Ip, skip)),
        _ => Err(Skip::NotIp),
    }
}

/// OpenBSD's packet filter: its header's length, filled up to four bytes, and the family.
fn pflog(frame: &[u8]) -> Result<Step, Skip> {
    let length = usize::from(byte_at(frame, 0)?).next_multiple_of(4);
    family(byte_at(frame, 1)?.into(), length)
}

/// AVS begins with a magic number and its length; Prism with a message code and length, of either byte order.
fn wifi_headers(frame: &[u8]) -> Result<Step, Skip> {
    const AVS: u32 = 0x8021_1000;
    let first = u32_at(frame, 0)?;
    let length = match first & 0xFFFF_F000 {
        AVS => u32_at(frame, 4)?,
        _ => u32_either(frame, 4, 0xFFFF)?,
    };
    Ok(Step::Layer(Layer::Wifi, usize::try_from(length).map_err(|_| Skip::Malformed)?))
}

/// Radiotap: little-endian; flags, behind the presence words, tell whether the driver filled up the 802.11 header.
fn radiotap(frame: &[u8]) -> Result<Step, Skip> {
    const EXTENDED: u32 = 1 << 31;
    const CLOCK: u32 = 1;
    const FLAGS: u32 = 2;
    const PADDED: u8 = 0x20;
    let length = usize::from(u16_le(frame, 2)?);
    let present = u32_le(frame, 4)?;
    let mut at = 8;
    let mut more = present;
    while more & EXTENDED != 0 {
        if at >= length {
            return Err(Skip::Malformed);
        }
        more = u32_le(frame, at)?;
        at += 4;
    }
    if present & CLOCK != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    let padded = present & FLAGS != 0 && byte_at(frame, at)? & PADDED != 0;
    Ok(Step::Layer(if padded { Layer::WifiPadded } else { Layer::Wifi }, length))
}

/// Juniper's: a magic number, flags, perhaps extensions, perhaps no link header behind.
fn juniper(link: u16, frame: &[u8]) -> Result<Step, Skip> {
    const MAGIC: [u8; 3] = *b"MGC";
    const EXTENDED: u8 = 0x80;
    const NO_LINK_HEADER: u8 = 0x02;
    if frame.first_chunk() != Some(&MAGIC) {
        return Err(Skip::Malformed);
    }
    let flags = byte_at(frame, 3)?;
    let mut skip = 4;
    if flags & EXTENDED != 0 {
        skip += 2 + usize::from(u16_at(frame, 4)?);
    }
    if flags & NO_LINK_HEADER != 0 {
        // The protocol's family, in four bytes that nobody needs: IP says what it is.
        return Ok(Step::Layer(Layer::Ip, skip + 4));
    }
    let layer = match link {
        178 => Layer::Ethernet,
        180 => Layer::FrameRelay,
        _ => Layer::Hdlc,
    };
    Ok(Step::Layer(layer, skip))
}

/// Solaris: version, family in its own numbers, then lengths, interfaces and zones.
fn ipnet(frame: &[u8]) -> Result<Step, Skip> {
    match byte_at(frame, 1)? {
        2 | 26 => Ok(Step::Layer(Layer::Ip, 24)),
        _ => Err(Skip::NotIp),
    }
}

/// Linux netfilter: family, version, then fields of length and type in the host's order, one of which is the packet.
fn nflog(frame: &[u8]) -> Result<Step, Skip> {
    const PAYLOAD: u16 = 9;
    const FIELDS_MAX: usize = 64;
    let mut at = 4;
    for _ in 0..FIELDS_MAX {
        let (length, kind) = (u16_le(frame, at)?, u16_le(frame, at + 2)?);
        if length < 4 {
            return Err(Skip::Malformed);
        }
        if kind == PAYLOAD {
            return Ok(Step::Layer(Layer::Ip, at + 4));
        }
        at += usize::from(length).next_multiple_of(4);
    }
    Err(Skip::NotIp)
}

/// macOS: its own length, a kind, the link type of what follows.
fn pktap(frame: &[u8]) -> Result<Step, Skip> {
    const PACKET: u32 = 1;
    const HEADER_MIN: u32 = 16;
    let length = u32_le(frame, 0)?;
    if length < HEADER_MIN {
        return Err(Skip::Malformed);
    }
    if u32_le(frame, 4)? != PACKET {
        return Err(Skip::NotIp);
    }
    let link = u16::try_from(u32_le(frame, 8)?).map_err(|_| Skip::LinkType)?;
    Ok(Step::Link(link, usize::try_from(length).map_err(|_| Skip::Malformed)?))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Skip> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Skip::Truncated)
}

fn byte_at(bytes: &[u8], at: usize) -> Result<u8, Skip> {
    array_at::<1>(bytes, at).map(|[byte]| byte)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Skip> {
    array_at(bytes, at).map(u16::from_be_bytes)
}

fn u16_le(bytes: &[u8], at: usize) -> Result<u16, Skip> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Skip> {
    array_at(bytes, at).map(u32::from_be_bytes)
}

fn u32_le(bytes: &[u8], at: usize) -> Result<u32, Skip> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

/// A number in an unknown byte order: as it is where that is at most `max`, else turned.
fn u32_either(bytes: &[u8], at: usize, max: u32) -> Result<u32, Skip> {
    let value = u32_at(bytes, at)?;
    Ok(if value <= max { value } else { value.swap_bytes() })
}
