//! Transport headers: TCP (RFC 9293), UDP (RFC 768), UDP-Lite (RFC 3828), SCTP (RFC 9260), DCCP (RFC 4340), ICMP (RFC 792, RFC 4443),
//! IGMP (RFC 9776), ESP (RFC 4303) as far as it is plain.

use super::{Packet, Walk, tunnel};
use crate::{Problem, Reader, WireError};

const ICMP: u8 = 1;
const IGMP: u8 = 2;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ESP: u8 = 50;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

const TCP_HEADER: usize = 20;

/// Reads the header of `proto`; one that is neither known nor a tunnel's is payload.
pub(super) fn read(packet: &mut Packet, proto: u8, mut r: Reader<'_>) -> Walk {
    match proto {
        TCP => tcp(packet, &mut r)?,
        UDP => {
            let (src, dst) = ports(packet, &mut r)?;
            packet.udp_length = Some(r.u16("udp.length")?);
            r.u16("udp.checksum")?;
            if tunnel::may_be_tunnel(src, dst) {
                packet.payload_offset = r.place();
                return tunnel::over_udp(packet, src, dst, r);
            }
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
        DCCP => return ports(packet, &mut r).map(drop),
        ICMP | ICMPV6 => {
            packet.icmp_type = Some(r.u8("icmp.type")?);
            packet.icmp_code = Some(r.u8("icmp.code")?);
            r.bytes("icmp.checksum", 6)?;
        }
        IGMP => {
            packet.igmp_type = Some(r.u8("igmp.type")?);
            r.bytes("igmp.checksum", 7)?;
        }
        // Behind the sequence number all is secret.
        ESP => {
            packet.ipsec_spi = Some(r.u32("esp.spi")?);
            r.u32("esp.sequence_number")?;
        }
        _ => {
            packet.payload_offset = r.place();
            return tunnel::over_ip(packet, proto, r);
        }
    }
    packet.payload_offset = r.place();
    Ok(())
}

fn ports(packet: &mut Packet, r: &mut Reader<'_>) -> Result<(u16, u16), WireError> {
    let src = r.u16("src_port")?;
    packet.src_port = Some(src);
    let dst = r.u16("dst_port")?;
    packet.dst_port = Some(dst);
    Ok((src, dst))
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
