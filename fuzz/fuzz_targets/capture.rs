//! Files of every kind that captures are read from: each frame becomes a datagram, a part of one, or is counted as skipped.
//!
//! The file's content tells whether it is pcap, pcapng, an IPFIX file or text of digits.

#![no_main]

use finderscope_transport::capture::{Capture, Packets};
use finderscope_wire::delivery::DATAGRAM_BYTES_MAX;
use finderscope_wire::packet::{TUNNELS_MAX, layers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    datagrams(file);
    packets(file);
});

fn datagrams(file: &[u8]) {
    let Ok(mut capture) = Capture::new(file) else { return };
    let (mut given, mut ended) = (0, false);
    while !ended {
        match capture.read() {
            Ok(Some(datagram)) => {
                assert!(datagram.bytes.len() <= DATAGRAM_BYTES_MAX);
                given += 1;
            }
            Ok(None) => ended = true,
            Err(_) => {
                assert!(matches!(capture.read(), Ok(None)), "something follows the error");
                ended = true;
            }
        }
    }
    let counts = capture.counts();
    assert_eq!(given, counts.datagrams + counts.messages);
    let parted = counts.datagrams + counts.fragments + counts.segments + counts.skipped.total();
    assert_eq!(counts.frames + counts.datagrams_joined, parted, "{counts:?}");
}

fn packets(file: &[u8]) {
    let Ok(mut packets) = Packets::new(file) else { return };
    while let Ok(Some(packet)) = packets.read() {
        let Ok((layer, bytes)) = packet.layer() else { continue };
        assert!(layers(layer, bytes).count() <= TUNNELS_MAX + 1);
    }
}
