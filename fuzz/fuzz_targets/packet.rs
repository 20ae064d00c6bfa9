//! Packet headers: no walk leaves the bytes, and more bytes never take away what fewer had told.
//!
//! The first byte chooses what the others begin with, from [`LAYERS`].

#![no_main]

use finderscope_wire::packet::{Layer, Packet, TUNNELS_MAX, layers};
use libfuzzer_sys::fuzz_target;

const LAYERS: [Layer; 25] = [
    Layer::Ethernet,
    Layer::Ipv4,
    Layer::Ipv6,
    Layer::Mpls,
    Layer::Ip,
    Layer::Llc,
    Layer::MplsPayload,
    Layer::EtherType(0x8100),
    Layer::EtherType(0x894F),
    Layer::IpPayload(47),
    Layer::IpPayload(17),
    Layer::Ppp,
    Layer::Pppoe,
    Layer::Hdlc,
    Layer::FrameRelay,
    Layer::X25,
    Layer::TokenBus,
    Layer::TokenRing,
    Layer::Fddi,
    Layer::Smds,
    Layer::Aal5,
    Layer::Wifi,
    Layer::WifiPadded,
    Layer::WifiAmpdu,
    Layer::WifiAmsdu,
];

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let layer = LAYERS[usize::from(*first) % LAYERS.len()];
    let packet = Packet::parse(layer, bytes);
    let mut count = 0;
    for packet in layers(layer, bytes) {
        check(&packet, bytes);
        count += 1;
    }
    assert!((1..=TUNNELS_MAX + 1).contains(&count));

    let half = Packet::parse(layer, &bytes[..bytes.len() / 2]);
    assert!(half.src_mac.is_none() || half.src_mac == packet.src_mac);
    assert!(half.src_addr.is_none() || half.src_addr == packet.src_addr);
    assert!(half.src_port.is_none() || half.src_port == packet.src_port);
});

fn check(packet: &Packet, bytes: &[u8]) {
    let offsets = [packet.l3_offset, packet.l4_offset, packet.payload_offset];
    assert!(offsets.iter().flatten().all(|offset| *offset as usize <= bytes.len()));
    assert!(offsets.iter().flatten().is_sorted());
    assert!(packet.problem.is_none_or(|problem| problem.offset <= bytes.len()));
    // A control frame of IEEE 802.11 has one address and no payload; of DCCP only the ports are read.
    let is_last = packet.dst_mac.is_some() && packet.src_mac.is_none() || packet.proto == Some(33);
    let is_followed = packet.payload_offset.is_some() || packet.tunnel.is_some();
    assert!(packet.problem.is_some() || is_followed || is_last);
    assert!(packet.labels(bytes).count() <= usize::from(packet.mpls_labels));
}
