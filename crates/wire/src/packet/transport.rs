//! Transport headers: TCP (RFC 9293), UDP (RFC 768), UDP-Lite (RFC 3828), SCTP (RFC 9260), DCCP (RFC 4340), ICMP (RFC 792, RFC 4443).

use super::{Packet, Walk};
use crate::{Problem, Reader};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

const TCP_HEADER: usize = 20;

/// Reads the header of `proto`; one that is not known is payload.
///
/// Tunnels belong here: a protocol that carries packets gets its own arm, and calls `link` or `ip` for what is inside.
pub(super) fn read(packet: &mut Packet, proto: u8, mut r: Reader<'_>) -> Walk {
    match proto {
        TCP => tcp(packet, &mut r)?,
        UDP => {
            ports(packet, &mut r)?;
            packet.udp_length = Some(r.u16("udp.length")?);
            r.u16("udp.checksum")?;
        }
        UDP_LITE => {
            ports(packet, &mut r)?;
            r.u32("udp_lite.checksum")?;
        }
        SCTP => {
            ports(packet, &mut r)?;
            r.u64("sctp.verification_tag")?;
        }
        // What follows the ports differs by packet type: no payload offset, since nothing needs it.
        DCCP => return ports(packet, &mut r),
        ICMP | ICMPV6 => {
            packet.icmp_type = Some(r.u8("icmp.type")?);
            packet.icmp_code = Some(r.u8("icmp.code")?);
            r.bytes("icmp.checksum", 6)?;
        }
        _ => {}
    }
    packet.payload_offset = Some(r.offset());
    Ok(())
}

fn ports(packet: &mut Packet, r: &mut Reader<'_>) -> Walk {
    packet.src_port = Some(r.u16("src_port")?);
    packet.dst_port = Some(r.u16("dst_port")?);
    Ok(())
}

fn tcp(packet: &mut Packet, r: &mut Reader<'_>) -> Walk {
    let start = *r;
    ports(packet, r)?;
    packet.tcp_sequence = Some(r.u32("tcp.sequence_number")?);
    r.u32("tcp.acknowledgment_number")?;
    let word = r.u16("tcp.flags")?;
    packet.tcp_flags = Some(word & 0x01FF);
    let header = usize::from(word >> 12) * 4;
    if header < TCP_HEADER {
        return Err(start.error("tcp.data_offset", Problem::TooShort { length: header, minimum: TCP_HEADER }));
    }
    r.bytes("tcp.window", 6)?;
    r.bytes("tcp.options", header - TCP_HEADER).map(drop)
}
