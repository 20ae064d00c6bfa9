//! IPFIX over TCP and SCTP inside captures: in order and not, whole and with holes.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::Write;
use std::process::Command;

use finderscope_transport::capture::{Capture, Counts};
use finderscope_wire::delivery::Scheme;
use proptest::prelude::*;

const TCP: u8 = 6;
const SCTP: u8 = 132;

/// An IPFIX message with one data set of `length` bytes, numbered, so that each is another.
fn message(number: u32, length: u16) -> Vec<u8> {
    let mut bytes = vec![0, 10];
    bytes.extend((16 + length).to_be_bytes());
    bytes.extend([0x69, 0, 0, 0]);
    bytes.extend(number.to_be_bytes());
    bytes.extend([0, 0, 0, 7, 1, 0]);
    bytes.extend(length.to_be_bytes());
    bytes.resize(usize::from(16 + length), number as u8 | 1);
    bytes
}

/// A packet of raw IPv4 from 10.0.0.1:40000 to 10.0.0.2:4739.
fn packet(protocol: u8, transport: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + transport.len() as u16).to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(transport);
    packet
}

fn segment(sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x9C, 0x40, 0x12, 0x83];
    header.extend(sequence.to_be_bytes());
    header.extend([0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
    packet(TCP, &[&header, payload].concat())
}

/// A packet with DATA chunks: number, flags, payload.
fn chunks(parts: &[(u32, u8, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0x9C, 0x40, 0x12, 0x83, 0, 0, 0, 1, 0, 0, 0, 0];
    for (number, flags, payload) in parts {
        bytes.extend([0, *flags]);
        bytes.extend((16 + payload.len() as u16).to_be_bytes());
        bytes.extend(number.to_be_bytes());
        bytes.extend([0, 1, 0, 0, 0, 0, 0, 0]);
        bytes.extend(*payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    packet(SCTP, &bytes)
}

fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
        file.extend(word.to_le_bytes());
    }
    for (at, frame) in frames.iter().enumerate() {
        for word in [at as u32, 0, frame.len() as u32, frame.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

fn read(frames: &[Vec<u8>], scheme: Scheme) -> (Vec<Vec<u8>>, Counts) {
    let file = pcap(frames);
    let mut capture = Capture::new(&file[..]).unwrap();
    let mut messages = Vec::new();
    while let Some(datagram) = capture.read().unwrap() {
        assert_eq!(datagram.scheme, scheme);
        assert_eq!(datagram.source, "10.0.0.1:40000".parse().unwrap());
        assert_eq!(datagram.destination, "10.0.0.2:4739".parse().unwrap());
        messages.push(datagram.bytes.to_vec());
    }
    let counts = capture.counts().clone();
    assert_eq!(counts.messages, messages.len() as u64);
    let parts = counts.datagrams + counts.fragments + counts.segments + counts.skipped.total();
    assert_eq!(counts.frames + counts.datagrams_joined, parts, "{counts:?}");
    (messages, counts)
}

/// Segments of at most `size` bytes that begin with this number.
fn segments(mut sequence: u32, stream: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for part in stream.chunks(size) {
        frames.push(segment(sequence, 0x18, part));
        sequence = sequence.wrapping_add(part.len() as u32);
    }
    frames
}

fn messages(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|number| message(number, 60 + (number * 37 % 900) as u16)).collect()
}

#[test]
fn a_session_seen_from_its_start_gives_all_its_messages() {
    let all = messages(20);
    let stream = all.concat();
    for size in [1, 7, 333, 1460] {
        // The numbers wrap on the way.
        let mut frames = vec![segment(u32::MAX - 100, 2, &[])];
        frames.extend(segments(u32::MAX - 99, &stream, size));
        frames.push(segment((u32::MAX - 99).wrapping_add(stream.len() as u32), 0x11, &[]));
        let (read, counts) = read(&frames, Scheme::Tcp);
        assert_eq!(read, all);
        assert_eq!((counts.stream_gaps, counts.segments), (0, stream.len().div_ceil(size) as u64));
    }
}

#[test]
fn segments_may_come_in_any_order_twice_and_overlapping() {
    let all = messages(20);
    let stream = all.concat();
    let mut frames = segments(1, &stream, 100);
    for pair in frames.chunks_mut(5) {
        pair.reverse();
    }
    frames.insert(0, segment(0, 2, &[]));
    frames.insert(9, frames[3].clone());
    frames.insert(30, segment(1 + 150, 0x18, &stream[150..400]));
    frames.push(segment(1, 0x18, &stream[..50]));
    let (read, counts) = read(&frames, Scheme::Tcp);
    assert_eq!(read, all);
    assert_eq!((counts.stream_gaps, counts.stream_bytes_lost), (0, 0));
}

#[test]
fn a_capture_that_begins_within_a_message_gives_those_behind_it() {
    let all = messages(20);
    let stream = all.concat();
    for begin in [1, 2, 3, 17, all[0].len() - 1] {
        let (read, counts) = read(&segments(1 + begin as u32, &stream[begin..], 333), Scheme::Tcp);
        assert_eq!(read, all[1..], "from byte {begin}");
        assert_eq!(counts.skipped.total(), 0);
    }
}

#[test]
fn a_hole_costs_the_messages_in_it_and_is_counted() {
    let all = messages(40);
    let stream = all.concat();
    let mut frames = vec![segment(0, 2, &[])];
    frames.extend(segments(1, &stream, 200));
    frames.remove(20);
    let (read, counts) = read(&frames, Scheme::Tcp);
    let lost: Vec<_> = all.iter().filter(|message| !read.contains(message)).collect();
    assert!(!lost.is_empty() && lost.len() <= 3, "{} lost", lost.len());
    assert_eq!(read.len() + lost.len(), all.len());
    assert_eq!(counts.stream_gaps, 1);
    assert_eq!(counts.stream_bytes_lost, lost.iter().map(|message| message.len() as u64).sum::<u64>());
}

#[test]
fn other_protocols_are_skipped_and_remembered_as_such() {
    let page = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 5000]].concat();
    let mut frames = vec![segment(0, 2, &[])];
    frames.extend(segments(1, &page, 1000));
    let (read_messages, counts) = read(&frames, Scheme::Tcp);
    assert!(read_messages.is_empty());
    assert_eq!((counts.segments, counts.stream_gaps, counts.skipped.to_string()), (0, 0, "not_udp 7".to_owned()));
    // Also where its start was not seen.
    let (read_messages, counts) = read(&frames[2..], Scheme::Tcp);
    assert!(read_messages.is_empty());
    assert_eq!((counts.segments, counts.skipped.total()), (0, 5));
}

#[test]
fn what_was_whole_before_a_cut_is_there() {
    let all = messages(5);
    let stream = all.concat();
    for end in 0..stream.len() {
        let frames = [vec![segment(0, 2, &[])], segments(1, &stream[..end], 500)].concat();
        let (read, _) = read(&frames, Scheme::Tcp);
        let whole = all.iter().scan(0, |sum, message| {
            *sum += message.len();
            (*sum <= end).then_some(message.clone())
        });
        assert_eq!(read, whole.collect::<Vec<_>>(), "{end} bytes");
    }
}

#[test]
fn sctp_gives_messages_whole_bundled_and_in_fragments() {
    let all = messages(6);
    let (middle, end) = (100, 300);
    let frames = [
        chunks(&[(u32::MAX - 1, 3, &all[0]), (u32::MAX, 3, &all[1])]),
        chunks(&[(2, 1, &all[2][60..])]),
        chunks(&[(0, 2, &all[2][..20]), (1, 0, &all[2][20..60])]),
        chunks(&[(0, 2, &all[2][..20])]), // sent again
        chunks(&[(4, 0, &all[5][middle..end.min(all[5].len() - 1)])]),
        chunks(&[(3, 2, &all[5][..middle])]),
        chunks(&[(6, 3, &all[3])]),
        chunks(&[(5, 1, &all[5][end.min(all[5].len() - 1)..])]),
    ];
    let (read_messages, counts) = read(&frames, Scheme::Sctp);
    assert_eq!(read_messages, [&all[0], &all[1], &all[2], &all[3], &all[5]].map(Vec::clone));
    assert_eq!((counts.segments, counts.stream_gaps), (8, 0));

    let (read_messages, counts) = read(&frames[..5], Scheme::Sctp);
    assert_eq!((read_messages.len(), counts.stream_gaps), (3, 1));
}

#[test]
fn what_is_no_message_among_messages_is_counted() {
    let all = messages(2);
    let frames = [chunks(&[(1, 3, &all[0])]), chunks(&[(2, 3, b"no message at all")]), chunks(&[(3, 3, &all[1])])];
    let (read_messages, counts) = read(&frames, Scheme::Sctp);
    assert_eq!(read_messages, all);
    assert_eq!((counts.segments, counts.stream_gaps, counts.stream_bytes_lost), (3, 1, 17));
    // An association that carries something else has no gaps.
    let (read_messages, counts) = read(&frames[1..2], Scheme::Sctp);
    assert!(read_messages.is_empty());
    assert_eq!((counts.segments, counts.stream_gaps, counts.skipped.total()), (0, 0, 1));
}

#[test]
fn messages_that_the_end_of_the_file_gives_out_have_the_time_of_their_session() {
    let all = messages(3);
    let stream = all.concat();
    let mut frames = vec![segment(0, 2, &[])];
    frames.extend(segments(1, &stream, all[0].len()));
    frames.insert(2, segment(1_000_000, 0x18, &all[2]));
    let file = pcap(&frames);
    let mut capture = Capture::new(&file[..]).unwrap();
    let mut times = Vec::new();
    while let Some(datagram) = capture.read().unwrap() {
        times.push(datagram.received_ns / 1_000_000_000);
    }
    // Frames are a second apart, and the last message waits behind a hole that nothing fills.
    assert_eq!(times.last(), Some(&(frames.len() as i64 - 1)), "{times:?}");
}

/// tshark, another reader of both, counts the same messages, in order or not.
#[test]
fn tshark_counts_the_same_messages() {
    let all = messages(20);
    let stream = all.concat();
    let mut tcp = segments(1, &stream, 100);
    tcp.swap(3, 4);
    tcp.swap(9, 12);
    tcp.insert(0, segment(0, 2, &[]));
    let sctp: Vec<_> = (0..20_u32)
        .flat_map(|at| {
            let message = &all[at as usize];
            [chunks(&[(2 * at, 2, &message[..40])]), chunks(&[(2 * at + 1, 1, &message[40..])])]
        })
        .collect();
    for (scheme, frames) in [(Scheme::Tcp, tcp), (Scheme::Sctp, sctp)] {
        assert_eq!(read(&frames, scheme).0.len(), 20);
        let path = std::env::temp_dir().join(format!("finderscope-sessions-{}.pcap", std::process::id()));
        std::fs::write(&path, pcap(&frames)).unwrap();
        let options = [
            "-o",
            "tcp.reassemble_out_of_order:TRUE",
            "-d",
            "sctp.port==4739,cflow",
            "-T",
            "fields",
            "-e",
            "cflow.sequence",
        ];
        let tshark = Command::new("tshark").arg("-r").arg(&path).args(options).output();
        std::fs::remove_file(&path).unwrap();
        let Ok(output) = tshark else {
            writeln!(std::io::stderr(), "skipped: no tshark").unwrap();
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let mut sequences: Vec<u32> = text.split(['\n', ',']).filter_map(|text| text.parse().ok()).collect();
        sequences.sort_unstable();
        assert_eq!(sequences, (0..20).collect::<Vec<_>>(), "{scheme:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_is_survived(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), sctp: bool, keep in 1..100_usize,
    ) {
        let all = messages(5);
        let mut frames = if sctp {
            (0..5_u32).map(|at| chunks(&[(at, 3, &all[at as usize])])).collect()
        } else {
            segments(1, &all.concat(), 300)
        };
        for (place, byte) in changes {
            let frame = place.index(frames.len());
            let at = place.index(frames[frame].len());
            frames[frame][at] = byte;
        }
        frames.truncate(keep);
        let file = pcap(&frames);
        let mut capture = Capture::new(&file[..]).unwrap();
        while capture.read().unwrap().is_some() {}
        let counts = capture.counts();
        let parts = counts.datagrams + counts.fragments + counts.segments + counts.skipped.total();
        prop_assert_eq!(counts.frames + counts.datagrams_joined, parts);
    }
}
