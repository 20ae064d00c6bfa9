//! Packets out of any datagram, into captures and frames: bounded by the bytes, and what is written is read again.

#![no_main]

use std::net::{Ipv4Addr, SocketAddr};

use finderscope_packets::capture::{Encoder, Format, Options};
use finderscope_packets::live::{Frame, Frames};
use finderscope_packets::{Extractor, Item, LinkType, Packet, Port, Shape};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Bytes as they come are a frame, too, and a stream of frames.
    let _ = (Packet::decode(bytes), Port::decode(bytes));
    let mut frames = Frames::new(bytes);
    while let Ok(Some(_)) = frames.next() {}

    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 6343));
    let listener = Listener { scheme: Scheme::Udp, address };
    let delivery = Delivery { sequence: 0, received_ns: 1, source: address, listener, identity: None, bytes };
    let mut shape = Shape::new(LinkType::ETHERNET, true);
    let formats = [Format::Pcap, Format::Pcapng];
    let mut encoders = formats.map(|format| Encoder::new(Options { format, ..Options::default() }));
    let mut out = Vec::new();
    let (mut found, mut held) = (0, 0);
    Extractor::new().handle(&delivery, |item| {
        found += 1;
        match item {
            Item::Port(port) => encoders.iter_mut().for_each(|encoder| encoder.port(&port)),
            Item::Packet(packet) => {
                held += packet.bytes.len();
                assert!(packet.true_length() as usize >= packet.bytes.len());
                if let Some(shaped) = shape.fit(&packet) {
                    encoders.iter_mut().for_each(|encoder| encoder.packet(&packet, &shaped, &mut out));
                }
            }
        }
        let mut stream = Vec::new();
        Frame::from(item).encode(&mut stream).expect("an item fits its frame");
        assert_eq!(Frames::new(&stream[..]).next().expect("what we write we read"), Some(Frame::from(item)));
    });
    assert!(found <= bytes.len() && held <= bytes.len(), "{found} items of {held} bytes in {}", bytes.len());
});
