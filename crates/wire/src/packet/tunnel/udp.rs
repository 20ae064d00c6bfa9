//! Tunnels over UDP.

use super::{TunnelKind, begin, ip_layer, l2tp, name};
use crate::Reader;
use crate::packet::{Layer, Packet, Walk, link};

const L2TP: u16 = 1701;
const GTP_U: u16 = 2152;
const TEREDO: u16 = 3544;
const VXLAN: u16 = 4789;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const MPLS: u16 = 6635;
/// What Linux took before VXLAN had a number; also OTV's.
const VXLAN_OLD: u16 = 8472;
const WIREGUARD: u16 = 51820;

/// A bit of 64 for each port above, where none of the ports that most traffic has (53, 123, 443, 500, 4500, 5353) falls too.
const SIEVE: u64 = bit(L2TP)
    | bit(GTP_U)
    | bit(TEREDO)
    | bit(VXLAN)
    | bit(VXLAN_GPE)
    | bit(GENEVE)
    | bit(MPLS)
    | bit(VXLAN_OLD)
    | bit(WIREGUARD);

const fn bit(port: u16) -> u64 {
    1 << ((port >> 4) % 64)
}

/// Whether one of the ports may be a tunnel's: most are not, and this says so in a few instructions.
#[inline]
pub(in crate::packet) const fn may_be_tunnel(src: u16, dst: u16) -> bool {
    SIEVE & (bit(src) | bit(dst)) != 0
}

/// Looks for a tunnel behind UDP's header.
#[cold]
pub(in crate::packet) fn over_udp(packet: &mut Packet, src: u16, dst: u16, r: Reader<'_>) -> Walk {
    // An encapsulating end chooses its own port by a hash of what is inside, and sends to the known one.
    match dst {
        VXLAN | VXLAN_OLD => return vxlan(packet, r),
        VXLAN_GPE => return vxlan_gpe(packet, r),
        GENEVE => return geneve(packet, r),
        MPLS => {
            begin(packet, TunnelKind::MplsInUdp, None, Layer::Mpls, r);
            return Ok(());
        }
        _ => {}
    }
    // These answer from it.
    match (src, dst) {
        (GTP_U, _) | (_, GTP_U) => gtp_u(packet, r),
        (L2TP, _) | (_, L2TP) => l2tp::over_udp(packet, r),
        (TEREDO, _) | (_, TEREDO) => teredo(packet, r),
        (WIREGUARD, _) | (_, WIREGUARD) => {
            wireguard(packet, r);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// RFC 7348 section 5. Reserved bits are to be ignored, but the flag for the number must be set.
#[cold]
fn vxlan(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const HAS_VNI: u8 = 0x08;
    let [flags, ..] = r.array::<4>("vxlan.flags")?;
    let vni = r.u32("vxlan.vni")? >> 8;
    if flags & HAS_VNI != 0 {
        begin(packet, TunnelKind::Vxlan, Some(vni), Layer::Ethernet, r);
    }
    Ok(())
}

/// draft-ietf-nvo3-vxlan-gpe section 3: version in two bits, a protocol where VXLAN has reserved bits.
#[cold]
fn vxlan_gpe(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const VERSION: u8 = 0x30;
    const HAS_PROTOCOL: u8 = 0x04;
    let [flags, _, _, protocol] = r.array("vxlan_gpe.flags")?;
    let vni = Some(r.u32("vxlan_gpe.vni")? >> 8);
    if flags & VERSION != 0 {
        return Ok(());
    }
    let layer = match if flags & HAS_PROTOCOL == 0 { 3 } else { protocol } {
        1 => Layer::Ipv4,
        2 => Layer::Ipv6,
        3 => Layer::Ethernet,
        4 => Layer::EtherType(link::NSH),
        5 => Layer::Mpls,
        _ => {
            name(packet, TunnelKind::VxlanGpe, vni);
            return Ok(());
        }
    };
    begin(packet, TunnelKind::VxlanGpe, vni, layer, r);
    Ok(())
}

/// RFC 8926 section 3.4: options, counted in units of four bytes, before what is carried.
#[cold]
fn geneve(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    let [first, _flags] = r.array("geneve.version")?;
    let protocol = r.u16("geneve.protocol")?;
    let vni = r.u32("geneve.vni")? >> 8;
    if first >> 6 != 0 {
        return Ok(());
    }
    r.bytes("geneve.options", usize::from(first & 0x3F) * 4)?;
    let layer = match protocol {
        link::BRIDGED => Layer::Ethernet,
        etype => Layer::EtherType(etype),
    };
    begin(packet, TunnelKind::Geneve, Some(vni), layer, r);
    Ok(())
}

/// 3GPP TS 29.281 section 5: of version 1, a user's packet, its optional fields and extension headers stepped over.
#[cold]
fn gtp_u(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    /// Version 1, and GTP rather than GTP'.
    const VERSION_1: u8 = 0x30;
    const USER_PACKET: u8 = 255;
    /// There is an extension header, a sequence number, or an N-PDU number; for any of them all three fields are there.
    const OPTIONAL: u8 = 0x07;
    const EXTENDED: u8 = 0x04;
    const EXTENSIONS_MAX: usize = 16;
    if r.rest().first().is_none_or(|flags| flags & 0xF0 != VERSION_1) || r.rest().get(1) != Some(&USER_PACKET) {
        return Ok(());
    }
    let [flags, _, _, _] = r.array("gtp.flags")?;
    let teid = Some(r.u32("gtp.teid")?);
    if flags & OPTIONAL != 0 {
        let [_, _, _, mut next] = r.array("gtp.next_extension")?;
        for _ in 0..EXTENSIONS_MAX {
            if next == 0 || flags & EXTENDED == 0 {
                break;
            }
            let length = usize::from(r.u8("gtp.extension")?) * 4;
            // A length of zero would step nowhere.
            let Some(body) = length.checked_sub(2) else { return Ok(()) };
            r.bytes("gtp.extension", body)?;
            next = r.u8("gtp.next_extension")?;
        }
    }
    match ip_layer(r) {
        Some(layer) => begin(packet, TunnelKind::GtpU, teid, layer, r),
        None => name(packet, TunnelKind::GtpU, teid),
    }
    Ok(())
}

/// RFC 4380 section 5.1.1: IPv6, before which an authentication and an origin may stand.
#[cold]
fn teredo(packet: &mut Packet, mut r: Reader<'_>) -> Walk {
    const AUTHENTICATION: [u8; 2] = [0, 1];
    const ORIGIN: [u8; 2] = [0, 0];
    if r.rest().starts_with(&AUTHENTICATION) {
        let [_, _, client, value] = r.array("teredo.authentication")?;
        // A nonce of eight bytes and a confirmation end it.
        r.bytes("teredo.authentication", usize::from(client) + usize::from(value) + 9)?;
    }
    if r.rest().starts_with(&ORIGIN) {
        r.u64("teredo.origin")?;
    }
    if matches!(ip_layer(r), Some(Layer::Ipv6)) {
        begin(packet, TunnelKind::Teredo, None, Layer::Ipv6, r);
    }
    Ok(())
}

/// Four kinds of messages, three zeros behind the kind; all integers are little-endian.
#[cold]
fn wireguard(packet: &mut Packet, r: Reader<'_>) {
    if let Some(&[kind @ 1..=4, 0, 0, 0, a, b, c, d]) = r.rest().first_chunk() {
        // A first handshake names its sender; every other message its receiver.
        let receiver = (kind != 1).then_some(u32::from_le_bytes([a, b, c, d]));
        name(packet, TunnelKind::WireGuard, receiver);
    }
}
