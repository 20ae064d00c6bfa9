//! Link types: the same datagram behind the header of each, as tcpdump.org/linktypes and the documents named there lay it out, and
//! read by tshark where it knows the type.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::Write;
use std::process::Command;

use finderscope_transport::capture::{Capture, Skip};

/// UDP from 10.0.0.1:5000 to 10.0.0.2:2055 with "four", from IPv4's version on.
const IP: [u8; 32] = [
    0x45, 0, 0, 32, 0, 1, 0x40, 0, 64, 17, 0x26, 0xCA, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
    0x13, 0x88, 0x08, 0x07, 0, 12, 0, 0, // UDP
    b'f', b'o', b'u', b'r',
];
const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const SNAP: [u8; 8] = [0xAA, 0xAA, 3, 0, 0, 0, 8, 0];

/// Every link type with what stands before IP: its number, the bytes, whether tshark is asked too.
fn links() -> Vec<(u32, Vec<u8>, bool)> {
    let mac = |before: &[u8], after: &[u8]| [before, &MACS, after].concat();
    let wifi = [&[8, 1, 0, 0, 9, 9, 9, 9, 9, 9, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0][..], &SNAP].concat();
    let qos = [
        &[0x88, 1, 0, 0, 9, 9, 9, 9, 9, 9, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, /* filled up */ 0, 0][..],
        &SNAP,
    ]
    .concat();
    let mut prism = vec![0, 0, 0, 0x44, 0, 0, 0, 144];
    prism.resize(144, 0);
    let mut avs = vec![0x80, 0x21, 0x10, 0x01, 0, 0, 0, 64];
    avs.resize(64, 0);
    let mut pktap = Vec::new();
    for word in [108_u32, 1, 1] {
        pktap.extend(word.to_le_bytes());
    }
    pktap.resize(108, 0);
    let mut ipnet = vec![1, 2, 0, 1, 0, 0, 0, 32];
    ipnet.resize(24, 0);
    let mut pflog = vec![61, 2, 0, 0];
    pflog.resize(64, 0);
    vec![
        (0, vec![2, 0, 0, 0], true),
        (0, vec![0, 0, 0, 2], true),
        (1, mac(&[], &[8, 0]), true),
        (1, mac(&[], &[0x88, 0xA8, 0, 7, 0x81, 0, 0, 8, 8, 0]), true),
        (1, mac(&[], &[0x88, 0x47, 0, 6, 0x41, 64]), true),
        (1, mac(&[], &[0x88, 0x64, 0x11, 0, 0, 9, 0, 34, 0, 0x21]), true),
        (6, mac(&[0x10, 0x40], &SNAP), true),
        (8, vec![0; 16], false),
        (9, vec![0xFF, 3, 0, 0x21], true),
        (9, vec![0, 0x21], true),
        (10, mac(&[0x50], &SNAP), true),
        (12, vec![], false),
        (14, vec![], false),
        (50, vec![0xFF, 3, 0, 0x21], true),
        (50, vec![0x0F, 0, 8, 0], true),
        (51, vec![0x11, 0, 0, 9, 0, 34, 0, 0x21], true),
        (100, SNAP.to_vec(), true),
        (101, vec![], true),
        (104, vec![0x0F, 0, 8, 0], true),
        (105, wifi.clone(), true),
        (106, SNAP.to_vec(), false),
        (107, vec![0x18, 0x41, 3, 0xCC], true),
        (108, vec![0, 0, 0, 2], true),
        (109, vec![2, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0], false),
        (113, [&[0, 0, 0, 1, 0, 6][..], &[2; 8], &[8, 0]].concat(), true),
        (117, pflog, false),
        (119, [prism, wifi.clone()].concat(), true),
        (122, [&[0; 16][..], &SNAP].concat(), true),
        (127, [&[0, 0, 8, 0, 0, 0, 0, 0][..], &wifi].concat(), true),
        // A clock and flags, which say that the header is filled up to four bytes.
        (127, [&[0, 0, 20, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0][..], &qos].concat(), true),
        (138, [&[0; 16][..], &[8, 0]].concat(), true),
        (163, [avs, wifi].concat(), true),
        (166, vec![0, 3, 0, 0x21], false),
        (178, [&[b'M', b'G', b'C', 0][..], &MACS, &[8, 0]].concat(), true),
        (178, [&[b'M', b'G', b'C', 0x80, 0, 4, 1, 2, 3, 4][..], &MACS, &[8, 0]].concat(), false),
        (179, vec![b'M', b'G', b'C', 0, 0xFF, 3, 0, 0x21], false),
        (181, vec![b'M', b'G', b'C', 0, 0x0F, 0, 8, 0], false),
        (192, [&[0, 0, 8, 0, 1, 0, 0, 0][..], &MACS, &[8, 0]].concat(), false),
        (204, vec![1, 0xFF, 3, 0, 0x21], true),
        (205, vec![1, 0x0F, 0, 8, 0], false),
        (206, vec![1, 0x18, 0x41, 3, 0xCC], false),
        (226, ipnet, true),
        (228, vec![], true),
        (239, vec![2, 0, 0, 0, 8, 0, 2, 0, 0, 0, 0, 1, 36, 0, 9, 0], true),
        (240, mac(&[0; 4], &[8, 0]), false),
        (241, mac(&[0, 0, 0, 0, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xD5], &[8, 0]), false),
        (242, [&[0; 40][..], &[8, 0, 0, 0]].concat(), true),
        (258, [&pktap[..], &MACS, &[8, 0]].concat(), false),
        (274, mac(&[0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xD5], &[8, 0]), false),
        (276, [&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6][..], &[2; 8]].concat(), true),
    ]
}

fn pcap(link: u32, frame: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 65_535, link, 1, 2, frame.len() as u32, frame.len() as u32] {
        file.extend(word.to_le_bytes());
    }
    file.extend(frame);
    file
}

#[test]
fn the_datagram_is_found_behind_every_link_type() {
    for (link, header, _) in links() {
        let file = pcap(link, &[&header, &IP[..]].concat());
        let mut capture = Capture::new(&file[..]).unwrap();
        let datagram = capture.read().unwrap().map(|it| (it.source, it.destination, it.bytes.to_vec()));
        let expected = ("10.0.0.1:5000".parse().unwrap(), "10.0.0.2:2055".parse().unwrap(), b"four".to_vec());
        assert_eq!(datagram, Some(expected), "link type {link}, {header:02x?}: {}", capture.counts().skipped);
    }
}

#[test]
fn a_frame_cut_anywhere_is_counted_and_nothing_else() {
    for (link, header, _) in links() {
        let whole = [&header, &IP[..]].concat();
        for cut in 0..whole.len() {
            let file = pcap(link, &whole[..cut]);
            let mut capture = Capture::new(&file[..]).unwrap();
            assert!(matches!(capture.read(), Ok(None)), "link type {link} cut at {cut}");
            assert_eq!(capture.counts().skipped.total(), 1);
            if cut > header.len() {
                assert_eq!(capture.counts().skipped.count(Skip::Truncated), 1, "link type {link} cut at {cut}");
            }
        }
    }
}

/// A pcapng file with one interface for each frame.
fn pcapng(frames: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let length = (12 + body.len().next_multiple_of(4)) as u32;
        file.extend(kind.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(body);
        file.resize(file.len().next_multiple_of(4), 0);
        file.extend(length.to_le_bytes());
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    block(0x0A0D_0D0A, &words(&[0x1A2B_3C4D, 1, u32::MAX, u32::MAX]));
    for (link, _) in frames {
        block(1, &words(&[*link, 0]));
    }
    for (at, (_, frame)) in frames.iter().enumerate() {
        let length = frame.len() as u32;
        block(6, &[words(&[at as u32, 0, 1_000_000, length, length]), frame.clone()].concat());
    }
    file
}

/// An independent reader finds the same in what stands here; and both read a file with so many interfaces.
#[test]
fn tshark_finds_the_datagrams_too() {
    let frames: Vec<(u32, Vec<u8>)> = links()
        .into_iter()
        .filter(|(_, _, knows)| *knows)
        .map(|(link, header, _)| (link, [&header, &IP[..]].concat()))
        .collect();
    let file = pcapng(&frames);
    let mut capture = Capture::new(&file[..]).unwrap();
    for (link, _) in &frames {
        assert_eq!(capture.read().unwrap().map(|it| it.bytes.to_vec()), Some(b"four".to_vec()), "link type {link}");
    }
    let path = std::env::temp_dir().join(format!("finderscope-links-{}.pcapng", std::process::id()));
    std::fs::write(&path, file).unwrap();
    let fields = ["-n", "-T", "fields", "-e", "ip.src", "-e", "udp.dstport", "-e", "frame.protocols"];
    let output = Command::new("tshark").arg("-r").arg(&path).args(fields).output();
    std::fs::remove_file(&path).unwrap();
    let Ok(output) = output else {
        let mut stderr = std::io::stderr();
        return writeln!(stderr, "skipped: no tshark").unwrap();
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), frames.len());
    let unread: Vec<String> = frames
        .iter()
        .zip(lines)
        .filter(|(_, line)| !line.starts_with("10.0.0.1\t2055\t"))
        .map(|((link, frame), line)| format!("{link} {frame:02x?}: {line}"))
        .collect();
    assert!(unread.is_empty() && frames.len() > 30, "{unread:#?}");
}
