//! sflowtool's captures: sampled packets (`-t`, `-T`), and whole datagrams with made-up headers (`-M`).
//!
//! They are classic captures as `finderscope packets` writes by default: microseconds, link type Ethernet. A packet's length
//! is the frame's as the agent counts it, check sequence and all, so a whole frame says 1518. That is what sflowtool
//! writes and its readers know; `finderscope packets` can have other lengths and link types.

use super::seen::Seen;
use crate::capture::{Options, pcap};
use crate::{LinkType, Shape, Shaped};

/// To 00:00:00:00:00:01 from 00:00:00:00:00:02.
const MACS: [u8; 12] = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2];
const SFLOW_PORT: u16 = 6343;
const IP_HEADER_BYTES: usize = 20;
const UDP_HEADER_BYTES: usize = 8;

/// Writes the file's header.
pub fn write_header(out: &mut Vec<u8>) {
    pcap::head(&Options::default(), out);
}

/// Writes a sampled packet, cut where its payload begins if `redacted`. False where the sample has no header, or one
/// that is no Ethernet's and holds neither IP nor MPLS: these get an Ethernet header.
pub fn write_packet(out: &mut Vec<u8>, received_ns: i64, seen: &Seen<'_>, redacted: bool) -> bool {
    let Some((protocol, bytes)) = seen.header else { return false };
    let bytes = if redacted { seen.redacted(bytes) } else { bytes };
    let header = Shaped { bytes, frame_length: seen.packet_size, true_length: seen.packet_size };
    let mut shape = Shape::new(LinkType::ETHERNET, true);
    let Some(shaped) = shape.fit_header(protocol, &header) else { return false };
    pcap::record(&Options::default(), received_ns, &shaped, out);
    true
}

/// Writes a datagram behind headers that say nothing of who sent it; that is inside. False where it is longer than UDP's.
pub fn write_datagram(out: &mut Vec<u8>, received_ns: i64, bytes: &[u8]) -> bool {
    let Ok(ip_length) = u16::try_from(IP_HEADER_BYTES + UDP_HEADER_BYTES + bytes.len()) else { return false };
    let length = MACS.len() + 2 + usize::from(ip_length);
    pcap::packet_head(&Options::default(), received_ns, length, length as u32, out);
    out.extend_from_slice(&MACS);
    out.extend_from_slice(&[0x08, 0x00]);
    let [high, low] = ip_length.to_be_bytes();
    let mut header = [0x45, 0, high, low, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    out.extend_from_slice(&header);
    for word in [SFLOW_PORT, SFLOW_PORT, ip_length - IP_HEADER_BYTES as u16, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(bytes);
    true
}

/// The internet checksum (RFC 1071) of a header whose own is zero.
fn checksum(header: &[u8; IP_HEADER_BYTES]) -> u16 {
    let words = header.as_chunks::<2>().0.iter().map(|word| u32::from(u16::from_be_bytes(*word)));
    let sum: u32 = words.sum();
    !((sum & 0xFFFF) + (sum >> 16)) as u16
}
