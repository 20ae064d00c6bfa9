//! Frames: what was written is read, and nothing shorter is.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Read;
use std::net::IpAddr;

use finderscope_packets::live::{Frame, FrameError, Frames};
use finderscope_packets::{Packet, Port};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{DataSource, Interface};
use proptest::option;
use proptest::prelude::*;

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

prop_compose! {
    fn any_packet(bytes: &'static [u8])(
        received_ns in any::<i64>(),
        addresses in (any_address(), any_address()),
        source in option::of(any::<(u32, u32)>()),
        ports in (option::of(any::<(u32, u32)>()), option::of(any::<(u32, u32)>())),
        optional in (option::of(any::<u32>()), option::of(any::<u32>())),
        words in any::<[u32; 5]>(),
        length in 0..=bytes.len(),
    ) -> Packet<'static> {
        let interface = |it: Option<(u32, u32)>| it.map(|(format, value)| Interface { format, value });
        Packet {
            received_ns,
            exporter: addresses.0,
            agent: addresses.1,
            source: source.map(|(class, index)| DataSource { class, index }),
            input: interface(ports.0),
            output: interface(ports.1),
            sampling_rate: optional.0,
            sample_pool: words[0],
            drops: words[1],
            discard: optional.1,
            protocol: HeaderProtocol(words[2]),
            frame_length: words[3],
            stripped: words[4],
            bytes: &bytes[..length],
        }
    }
}

static BYTES: [u8; 300] = [7; 300];

proptest! {
    #[test]
    fn a_packet_comes_back_from_its_frame(packet in any_packet(&BYTES)) {
        let mut frame = Vec::new();
        packet.encode(&mut frame);
        prop_assert_eq!(Packet::decode(&frame), Ok(packet));
        let head = frame.len() - packet.bytes.len();
        for cut in 0..head {
            prop_assert!(Packet::decode(&frame[..cut]).is_err(), "{cut} bytes of {head} are no frame");
        }
    }

    #[test]
    fn a_port_comes_back_from_its_frame(
        agent in any_address(), if_index in any::<u32>(), name in option::of(0..=255_usize), speed in option::of(any::<u64>()),
    ) {
        let port = Port { agent, if_index, name: name.map(|length| &BYTES[..length]), speed };
        let mut frame = Vec::new();
        port.encode(&mut frame);
        prop_assert_eq!(Port::decode(&frame), Ok(port));
        let head = frame.len() - name.unwrap_or_default();
        for cut in 0..head {
            prop_assert!(Port::decode(&frame[..cut]).is_err(), "{cut} bytes of {head} are no frame");
        }
    }

    #[test]
    fn any_bytes_at_all_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Packet::decode(&bytes);
        let _ = Port::decode(&bytes);
        let mut frames = Frames::new(&bytes[..]);
        while let Ok(Some(_)) = frames.next() {}
    }
}

fn delivery(bytes: &[u8]) -> Delivery<'_> {
    let listener = Listener { scheme: Scheme::Udp, address: "0.0.0.0:6343".parse().unwrap() };
    Delivery { sequence: 3, received_ns: 5, source: "192.0.2.1:5".parse().unwrap(), listener, identity: None, bytes }
}

/// Gives a byte at a time, as the slowest of connections.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn a_stream_gives_its_frames_in_order_and_an_early_end_is_told() {
    let port = Port { agent: [10, 0, 0, 1].into(), if_index: 3, name: Some(b"swp3"), speed: Some(10_000_000_000) };
    let sent = [Frame::Port(port), Frame::Lost(77), Frame::Delivery(delivery(&BYTES)), Frame::Lost(78)];
    let mut stream = Vec::new();
    let mut ends = vec![0];
    for frame in &sent {
        frame.encode(&mut stream).unwrap();
        ends.push(stream.len());
    }
    for cut in 0..=stream.len() {
        let mut frames = Frames::new(Drip(&stream[..cut]));
        for frame in sent.iter().zip(&ends[1..]).filter(|(_, end)| **end <= cut).map(|(frame, _)| frame) {
            assert_eq!(frames.next().unwrap(), Some(*frame));
        }
        match frames.next() {
            Ok(None) => assert!(ends.contains(&cut)),
            Err(FrameError::Io(error)) => {
                assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
                assert!(!ends.contains(&cut));
            }
            other => panic!("{other:?} of {cut} bytes"),
        }
    }
}

#[test]
fn a_kind_that_is_not_known_yet_is_stepped_over() {
    let mut stream = vec![3, 0, 0, 0, 200, 1, 2];
    Frame::Lost(1).encode(&mut stream).unwrap();
    assert_eq!(Frames::new(&stream[..]).next().unwrap(), Some(Frame::Lost(1)));
}

#[test]
fn a_length_that_no_frame_has_ends_the_stream() {
    for length in [0, 1 << 20, u32::MAX] {
        let stream = [&length.to_le_bytes()[..], &[3; 16]].concat();
        let mut frames = Frames::new(&stream[..]);
        assert!(matches!(frames.next(), Err(FrameError::Length(told)) if told == u64::from(length)));
    }
}
