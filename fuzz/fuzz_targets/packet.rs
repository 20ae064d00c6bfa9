//! Packet headers: no walk leaves the bytes, and more bytes never take away what fewer had told.

#![no_main]

use finderscope_wire::packet::{HeaderProtocol, Packet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let protocol = [HeaderProtocol::ETHERNET, HeaderProtocol::IPV4, HeaderProtocol::IPV6, HeaderProtocol::MPLS];
    let protocol = protocol[usize::from(*first) % protocol.len()];
    let packet = Packet::parse(protocol, bytes);
    let offsets = [packet.l3_offset, packet.l4_offset, packet.payload_offset];
    assert!(offsets.iter().flatten().all(|offset| *offset <= bytes.len()));
    assert!(offsets.iter().flatten().is_sorted());
    assert!(packet.problem.is_none_or(|problem| problem.offset <= bytes.len()));
    assert!(packet.problem.is_some() || packet.payload_offset.is_some() || packet.proto == Some(33));

    let half = Packet::parse(protocol, &bytes[..bytes.len() / 2]);
    assert!(half.src_mac.is_none() || half.src_mac == packet.src_mac);
    assert!(half.src_addr.is_none() || half.src_addr == packet.src_addr);
    assert!(half.src_port.is_none() || half.src_port == packet.src_port);
});
