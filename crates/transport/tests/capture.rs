//! Captures made here: every format and link type, fragments, damage, and back from the writer.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::Read;
use std::net::SocketAddr;

use finderscope_transport::capture::{Capture, CaptureError, Counts, Packets, Precision, Skip, WriteError, Writer};
use proptest::prelude::*;

/// Ports at which the reader looks for tunnels inside.
const TUNNELS: [u16; 9] = [1701, 2152, 3544, 4789, 4790, 6081, 6635, 8472, 51820];

type Owned = (i64, SocketAddr, SocketAddr, Vec<u8>);

/// Reads everything there is, and the error at the end if there is one.
fn read_all(reader: impl Read) -> (Vec<Owned>, Counts, Option<CaptureError>) {
    let mut capture = match Capture::new(reader) {
        Ok(capture) => capture,
        Err(error) => return (Vec::new(), Counts::default(), Some(error)),
    };
    let mut datagrams = Vec::new();
    let error = loop {
        match capture.read() {
            Ok(Some(it)) => datagrams.push((it.received_ns, it.source, it.destination, it.bytes.to_vec())),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(capture.read(), Ok(None)), "something came after the end");
    let counts = capture.counts().clone();
    assert_eq!(counts.datagrams + counts.messages, datagrams.len() as u64);
    assert_eq!(
        counts.frames + counts.datagrams_joined,
        counts.datagrams + counts.fragments + counts.segments + counts.skipped.total(),
        "a frame is unaccounted for: {counts:?}"
    );
    (datagrams, counts, error)
}

fn write_all(datagrams: &[Owned], precision: Precision) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), precision).unwrap();
    for (time, source, destination, bytes) in datagrams {
        writer.write(*time, *source, *destination, bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn v4(time: i64, bytes: &[u8]) -> Owned {
    (time, "10.0.0.1:5000".parse().unwrap(), "10.0.0.2:2055".parse().unwrap(), bytes.to_vec())
}

/// The Ethernet frame of one datagram, as the writer makes it.
fn frame(datagram: &Owned) -> Vec<u8> {
    write_all(std::slice::from_ref(datagram), Precision::Nanoseconds)[40..].to_vec()
}

/// A little-endian microsecond pcap of frames with one link type.
fn pcap(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 65_535, link] {
        file.extend(word.to_le_bytes());
    }
    for frame in frames {
        for word in [1, 2, frame.len() as u32, frame.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

/// Reads frames of a link type as one datagram with this payload.
fn check_link(link: u32, prefix: &[u8], ip: &[u8], payload: &[u8]) {
    let (datagrams, counts, error) = read_all(&pcap(link, &[[prefix, ip].concat()])[..]);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(datagrams.len(), 1, "link type {link}: {}", counts.skipped);
    assert_eq!((datagrams[0].0, &datagrams[0].3[..]), (1_000_002_000, payload), "link type {link}");
}

fn check_skip(link: u32, frame: &[u8], reason: Skip) {
    let (datagrams, counts, error) = read_all(&pcap(link, &[frame.to_vec()])[..]);
    assert!(datagrams.is_empty() && error.is_none(), "{datagrams:?} {error:?}");
    assert_eq!(counts.skipped.iter().collect::<Vec<_>>(), [(reason, 1)]);
}

#[test]
fn every_link_type_leads_to_the_same_datagram() {
    let six = (0, "[2001:db8::1]:1".parse().unwrap(), "[2001:db8::2]:2".parse().unwrap(), b"six".to_vec());
    for (datagram, ether_type, bsd, raw) in [(v4(0, b"four"), 0x0800_u16, 2_u32, 228), (six, 0x86dd, 30, 229)] {
        let ip = &frame(&datagram)[14..];
        let kind = ether_type.to_be_bytes();
        let payload = &datagram.3[..];
        check_link(1, &[&[0; 12][..], &kind].concat(), ip, payload);
        check_link(1, &[&[0; 12][..], &[0x81, 0, 0, 5], &kind].concat(), ip, payload);
        check_link(1, &[&[0; 12][..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6], &kind].concat(), ip, payload);
        check_link(113, &[&[0; 14][..], &kind].concat(), ip, payload);
        check_link(276, &[&kind[..], &[0; 18]].concat(), ip, payload);
        check_link(0, &bsd.to_le_bytes(), ip, payload);
        check_link(0, &bsd.to_be_bytes(), ip, payload);
        check_link(108, &bsd.to_be_bytes(), ip, payload);
        for link in [101, 12, 14, raw, 0xF000_0000 | 101] {
            check_link(link, &[], ip, payload);
        }
    }
}

#[test]
fn options_and_extension_headers_are_stepped_over() {
    let udp = [0, 1, 0, 2, 0, 11, 0, 0, b'a', b'b', b'c'];
    let mut ip = vec![0x47, 0, 0, 39, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    ip.extend([1; 8]);
    ip.extend(udp);
    check_link(101, &[], &ip, b"abc");

    let mut ip = vec![0x60, 0, 0, 0, 0, 8 + 16 + 24 + 8 + 11, 0, 64];
    ip.extend([0; 32]);
    ip.extend([60, 0, 0, 0, 0, 0, 0, 0]); // hop by hop
    ip.extend([[51, 1, 0, 0, 0, 0, 0, 0], [0; 8]].concat()); // destination options of 16 bytes
    ip.extend([[44, 4, 0, 0, 0, 0, 0, 0], [0; 8], [0; 8]].concat()); // authentication of 24 bytes
    ip.extend([17, 0, 0, 0, 0, 0, 0, 9]); // an atomic fragment (RFC 6946)
    ip.extend(udp);
    check_link(101, &[], &ip, b"abc");
}

#[test]
fn padding_behind_the_datagram_is_not_part_of_it() {
    let mut padded = frame(&v4(0, b"x"));
    padded.resize(60, 0xee);
    check_link(1, &[], &padded, b"x");
}

#[test]
fn what_is_no_datagram_is_counted_by_reason() {
    let good = frame(&v4(0, b"payload"));
    let change = |at: usize, byte: u8| {
        let mut changed = good.clone();
        changed[at] = byte;
        changed
    };
    check_skip(147, &good, Skip::LinkType);
    check_skip(1, &change(13, 6), Skip::NotIp); // ARP
    check_skip(1, &change(23, 6), Skip::NotUdp); // TCP
    check_skip(1, &change(14, 0x44), Skip::Malformed); // a header of 16 bytes
    check_skip(1, &change(39, 7), Skip::Malformed); // UDP shorter than its header
    check_skip(1, &change(39, 99), Skip::Malformed); // UDP longer than IP
    check_skip(1, &[&[0; 12][..], &[0x81, 0, 0, 1].repeat(20)].concat(), Skip::Malformed);
    for length in 0..good.len() {
        check_skip(1, &good[..length], Skip::Truncated);
    }
}

/// Splits the datagram's IP payload into IPv4 fragments of `size` bytes.
fn fragments(datagram: &Owned, size: usize, identification: u8) -> Vec<Vec<u8>> {
    let whole = frame(datagram);
    let (head, payload) = whole.split_at(34);
    let count = payload.len().div_ceil(size);
    let split = payload.chunks(size).enumerate().map(|(at, part)| {
        let mut head = head.to_vec();
        let offset = (at * size / 8) as u16 | if at + 1 < count { 0x2000 } else { 0 };
        head[16..18].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
        head[19] = identification;
        head[20..22].copy_from_slice(&offset.to_be_bytes());
        [&head, part].concat()
    });
    split.collect()
}

#[test]
fn fragments_are_put_together_in_any_order() {
    let bytes: Vec<u8> = (0..4000_u32).map(|at| at as u8).collect();
    let parts = fragments(&v4(0, &bytes), 1480, 1);
    assert_eq!(parts.len(), 3);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (datagrams, counts, _) = read_all(&pcap(1, &order.map(|at| parts[at].clone()))[..]);
        assert_eq!(datagrams.len(), 1, "{order:?}");
        assert_eq!((&datagrams[0].3, datagrams[0].1), (&bytes, "10.0.0.1:5000".parse().unwrap()));
        assert_eq!((counts.datagrams_joined, counts.fragments), (1, 3));
    }
}

#[test]
fn fragments_of_different_packets_do_not_mix() {
    let [a, b] = [[1; 100], [2; 100]];
    let (mut first, second) = (fragments(&v4(0, &a), 64, 1), fragments(&v4(0, &b), 64, 2));
    first.splice(1..1, second);
    let (datagrams, ..) = read_all(&pcap(1, &first)[..]);
    assert_eq!(datagrams.iter().map(|it| &it.3[..]).collect::<Vec<_>>(), [&b[..], &a[..]]);
}

#[test]
fn unfinished_repeated_and_overlapping_fragments_are_counted() {
    let parts = fragments(&v4(0, &[3; 300]), 104, 1);
    let count = |frames: &[Vec<u8>], reason| {
        let (datagrams, counts, _) = read_all(&pcap(1, frames)[..]);
        (datagrams.len(), counts.skipped.count(reason))
    };
    assert_eq!(count(&parts[..2], Skip::Fragment), (0, 2));
    assert_eq!(count(&[&parts[..1], &parts[..]].concat(), Skip::Fragment), (1, 1));
    let other = fragments(&v4(0, &[4; 300]), 96, 1);
    assert_eq!(count(&[parts[0].clone(), other[1].clone()], Skip::Malformed), (0, 2));

    // More unfinished packets than are remembered: the oldest go, and nothing grows.
    let many: Vec<Vec<u8>> = (0..200).map(|id| fragments(&v4(0, &[5; 300]), 104, id)[0].clone()).collect();
    assert_eq!(count(&many, Skip::Fragment), (0, 200));
}

/// Two addresses, two ports, and whether they are IPv6.
fn ends() -> impl Strategy<Value = (u32, u32, u16, u16, bool)> {
    let port = || any::<u16>().prop_filter("a tunnel's port", |port| !TUNNELS.contains(port));
    (any::<u32>(), any::<u32>(), port(), port(), any::<bool>())
}

#[test]
fn what_is_written_is_read_back() {
    proptest!(|(
        rows in proptest::collection::vec((0..4_000_000_000_000_000_000_i64, ends(), proptest::collection::vec(any::<u8>(), 0..2000)), 0..20)
    )| {
        let datagrams: Vec<Owned> = rows.into_iter().map(|(time, (a, b, from, to, six), bytes)| {
            let address = |bits: u32, port| match six {
                false => SocketAddr::from((std::net::Ipv4Addr::from_bits(bits), port)),
                true => SocketAddr::from((std::net::Ipv6Addr::from_bits(u128::from(bits) << 90 | 1), port)),
            };
            (time, address(a, from), address(b, to), bytes)
        }).collect();
        let (back, counts, error) = read_all(&write_all(&datagrams, Precision::Nanoseconds)[..]);
        prop_assert!(error.is_none());
        prop_assert_eq!(counts.skipped.total(), 0);
        prop_assert_eq!(&back, &datagrams);
        let (back, ..) = read_all(&write_all(&datagrams, Precision::Microseconds)[..]);
        prop_assert!(back.iter().zip(&datagrams).all(|(back, it)| back.0 == it.0 / 1000 * 1000 && back.3 == it.3));
    });
}

#[test]
fn the_writer_refuses_what_the_format_cannot_say() {
    let mut writer = Writer::new(Vec::new(), Precision::Microseconds).unwrap();
    let [four, six]: [SocketAddr; 2] = ["10.0.0.1:1".parse().unwrap(), "[::1]:1".parse().unwrap()];
    assert!(matches!(writer.write(0, four, six, b""), Err(WriteError::Families(..))));
    assert!(matches!(writer.write(-1, four, four, b""), Err(WriteError::Time(-1))));
    assert!(matches!(writer.write(0, four, four, &vec![0; 65_508]), Err(WriteError::TooLong(65_508))));
    assert!(writer.write(0, four, four, &vec![0; 65_507]).is_ok());
    assert_eq!(read_all(&writer.finish().unwrap()[..]).0.len(), 1);
}

#[test]
fn a_cut_file_gives_all_before_the_cut_and_one_error_with_its_place() {
    let datagrams = [v4(1, b"one"), v4(2, b"two"), v4(3, b"three")];
    let file = write_all(&datagrams, Precision::Nanoseconds);
    let ends: Vec<usize> = (0..=3).map(|n| write_all(&datagrams[..n], Precision::Nanoseconds).len()).collect();
    for length in 0..=file.len() {
        let (back, _, error) = read_all(&file[..length]);
        let whole = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(back.len(), whole.saturating_sub(1), "{length}");
        match error {
            None => assert!(ends.contains(&length)),
            Some(CaptureError::Cut { offset, .. }) => {
                assert_eq!(offset, if whole == 0 { 0 } else { ends[whole - 1] as u64 }, "{length}");
            }
            Some(other) => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn a_length_that_cannot_be_is_damage_at_its_byte() {
    let datagrams = [v4(1, b"one"), v4(2, b"two")];
    let mut file = write_all(&datagrams, Precision::Nanoseconds);
    let second = write_all(&datagrams[..1], Precision::Nanoseconds).len();
    file[second + 11] = 0x7f;
    let (back, _, error) = read_all(&file[..]);
    assert_eq!(back.len(), 1);
    let text = error.unwrap().to_string();
    assert!(text.starts_with(&format!("the capture is damaged at byte {second}: packet of 21")), "{text}");
}

#[test]
fn other_files_are_named_for_what_they_are_not() {
    let text = read_all(&b"\x1f\x8b\x08\x00rest of it"[..]).2.unwrap().to_string();
    assert!(text.contains("[1f, 8b, 08, 00]; hint: it is gzip"), "{text}");
    assert!(matches!(read_all(&b"plain text, no capture"[..]).2, Some(CaptureError::NotACapture(_))));
}

/// One byte a read, as a slow pipe gives them.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.take(1).read(buffer).inspect(|count| self.0 = &self.0[*count..])
    }
}

#[test]
fn a_slow_pipe_gives_the_same_as_a_file() {
    let file = write_all(&[v4(1, b"one"), v4(2, &[7; 3000])], Precision::Nanoseconds);
    assert_eq!(read_all(Dribble(&file)).0, read_all(&file[..]).0);
}

#[test]
fn many_frames_pass_through_the_window_unchanged() {
    // More than the window holds, in sizes that make frames straddle its end.
    let datagrams: Vec<Owned> = (0..3000).map(|at| v4(at, &vec![at as u8; (at as usize * 37) % 1400])).collect();
    assert_eq!(read_all(&write_all(&datagrams, Precision::Nanoseconds)[..]).0, datagrams);
    let long: Vec<Owned> = (0..20).map(|at| v4(at, &vec![at as u8; 65_000])).collect();
    assert_eq!(read_all(&write_all(&long, Precision::Nanoseconds)[..]).0, long);
}

/// Builds pcapng in either byte order.
struct Ng {
    big_endian: bool,
    file: Vec<u8>,
}

impl Ng {
    fn new(big_endian: bool) -> Self {
        let mut ng = Self { big_endian, file: Vec::new() };
        let body = [ng.u32(0x1A2B_3C4D), ng.u16s(&[1, 0]), vec![0xff; 8]].concat();
        ng.block(0x0A0D_0D0A, &body);
        ng
    }

    fn u32(&self, value: u32) -> Vec<u8> {
        if self.big_endian { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    fn u16s(&self, values: &[u16]) -> Vec<u8> {
        values.iter().flat_map(|v| if self.big_endian { v.to_be_bytes() } else { v.to_le_bytes() }).collect()
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = self.u32((12 + body.len() + padding) as u32);
        let kind = self.u32(kind);
        for part in [&kind, &length, body, &vec![0; padding], &length] {
            self.file.extend(part);
        }
    }

    fn interface(&mut self, link: u16, resolution: u8, offset_seconds: i64) {
        let offset = if self.big_endian { offset_seconds.to_be_bytes() } else { offset_seconds.to_le_bytes() };
        let body = [
            self.u16s(&[link, 0]),
            self.u32(0),
            self.u16s(&[9, 1]),
            vec![resolution, 0, 0, 0],
            self.u16s(&[14, 8]),
            offset.to_vec(),
            vec![0; 4],
        ];
        self.block(1, &body.concat());
    }

    fn packet(&mut self, interface: u32, ticks: u64, frame: &[u8]) {
        let length = frame.len() as u32;
        let words = [interface, (ticks >> 32) as u32, ticks as u32, length, length];
        let head: Vec<u8> = words.iter().flat_map(|word| self.u32(*word)).collect();
        self.block(6, &[&head, frame].concat());
    }
}

#[test]
fn pcapng_interfaces_have_their_own_links_and_times_in_both_byte_orders() {
    let ethernet = frame(&v4(0, b"payload"));
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        ng.interface(1, 6, 0);
        ng.interface(101, 9, 1000);
        ng.interface(101, 0x80 | 10, -5); // 2^-10 s
        ng.block(4, &[9, 9, 9, 9]); // a broken block of names costs nothing
        ng.packet(0, 1_700_000_000_000_001, &ethernet);
        ng.packet(1, 1_700_000_000_000_000_002, &ethernet[14..]);
        ng.packet(2, 100 * 1024 + 512, &ethernet[14..]);
        ng.packet(3, 0, &ethernet);
        let length = ng.u32(ethernet.len() as u32);
        ng.block(3, &[&length, &ethernet[..]].concat()); // a simple packet: no time, first interface
        let (datagrams, counts, error) = read_all(&ng.file[..]);
        assert!(error.is_none(), "{error:?}");
        let times: Vec<i64> = datagrams.iter().map(|it| it.0).collect();
        assert_eq!(times, [1_700_000_000_000_001_000, 1_700_001_000_000_000_002, 95_500_000_000, 95_500_000_000]);
        assert!(datagrams.iter().all(|it| it.3 == b"payload"));
        assert_eq!(counts.skipped.iter().collect::<Vec<_>>(), [(Skip::NoInterface, 1)]);
    }
}

#[test]
fn a_new_section_forgets_the_interfaces_and_may_change_the_byte_order() {
    let ethernet = frame(&v4(0, b"payload"));
    let mut file = Vec::new();
    for big_endian in [true, false, true] {
        let mut ng = Ng::new(big_endian);
        ng.packet(0, 0, &ethernet);
        ng.interface(1, 6, 0);
        ng.packet(0, 7, &ethernet);
        file.extend(ng.file);
    }
    let (datagrams, counts, _) = read_all(&file[..]);
    assert_eq!((datagrams.len(), counts.skipped.count(Skip::NoInterface)), (3, 3));
}

proptest! {
    #[test]
    fn damaged_files_end_without_a_panic(
        big_endian: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        pcapng: bool,
    ) {
        let mut file = if pcapng {
            let mut ng = Ng::new(big_endian);
            ng.interface(1, 6, 0);
            (0..4).for_each(|at| ng.packet(0, at, &frame(&v4(0, b"payload"))));
            ng.file
        } else {
            let parts = fragments(&v4(0, &[1; 200]), 64, 1);
            pcap(1, &[parts, vec![frame(&v4(0, b"payload"))]].concat())
        };
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        read_all(&file[..]);
    }
}

#[test]
fn text_of_digits_is_one_ethernet_frame_a_line() {
    let datagrams = [v4(0, b"one"), v4(0, b"two")];
    let hex = |frame: Vec<u8>| frame.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let [one, two] = datagrams.each_ref().map(|datagram| hex(frame(datagram)));
    let spaced: Vec<&str> = (0..two.len() / 2).map(|at| &two[2 * at..2 * at + 2]).collect();
    for text in [
        format!("{one}\n{two}"),
        format!("{one}\r\n\r\n{}\r\n", two.to_lowercase()),
        format!("{one}\n{}\n", spaced.join(" ")),
    ] {
        let (found, counts, error) = read_all(text.as_bytes());
        assert!(error.is_none(), "{error:?}");
        assert_eq!((found.as_slice(), counts.frames), (&datagrams[..], 2), "{text}");
    }
}

#[test]
fn digits_that_spell_no_bytes_are_damage_with_their_place() {
    let digits = "00".repeat(20);
    for (text, problem) in [
        (format!("{digits}\n00xy\n"), "damaged at byte 43: not a hexadecimal digit"),
        (format!("{digits}\n000\n"), "damaged at byte 44: half a byte is missing"),
        ("a".repeat(3 << 20), "damaged at byte 0: a line of digits is longer than any frame"),
    ] {
        let (_, _, error) = read_all(text.as_bytes());
        assert!(error.as_ref().unwrap().to_string().ends_with(problem), "{error:?}");
    }
}

/// Bytes that come in turns: between them there is nothing for now.
struct InTurns<'a>(Vec<&'a [u8]>);

impl Read for InTurns<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(turn) = self.0.first_mut() else { return Ok(0) };
        if turn.is_empty() {
            self.0.remove(0);
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        turn.read(buffer)
    }
}

#[test]
fn a_pause_anywhere_costs_nothing() {
    let datagrams: Vec<Owned> = (0..3).map(|n| v4(n * 1_000, &[n as u8; 40])).collect();
    let file = write_all(&datagrams, Precision::Nanoseconds);
    // The head has to be there.
    for at in 24..file.len() {
        let mut capture = Capture::new(InTurns(vec![&file[..at], &file[at..]])).unwrap();
        let (mut read, mut pauses) = (Vec::new(), 0);
        loop {
            match capture.read() {
                Ok(Some(it)) => read.push((it.received_ns, it.source, it.destination, it.bytes.to_vec())),
                Ok(None) => break,
                Err(error) => {
                    assert!(error.is_pause(), "{error}");
                    pauses += 1;
                }
            }
        }
        assert_eq!((read, pauses), (datagrams.clone(), 2), "cut at {at}");
    }
}

#[test]
fn a_packet_that_was_cut_short_still_has_its_length() {
    // Of 100 bytes, and one whose claim is less than what is there.
    let classic =
        [[5, 0, 4, 100].map(u32::to_le_bytes).concat(), vec![1; 4], [5, 0, 4, 1].map(u32::to_le_bytes).concat()];
    let classic = [pcap(1, &[]), classic.concat(), vec![2; 4]].concat();
    let block = |kind: u32, body: &[u8]| {
        let length = (12 + body.len() as u32).to_le_bytes();
        [&kind.to_le_bytes()[..], &length, body, &length].concat()
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let next = [
        block(0x0A0D_0D0A, &words(&[0x1A2B_3C4D, 1, u32::MAX, u32::MAX])),
        block(1, &words(&[1, 4])),
        // Enhanced, simple and obsolete ones.
        block(6, &words(&[0, 0, 0, 4, 100, 0])),
        block(3, &words(&[100, 0])),
        block(2, &words(&[0, 0, 0, 4, 100, 0])),
    ];
    for (file, lengths) in [(classic, vec![100, 4]), (next.concat(), vec![100; 3])] {
        let mut packets = Packets::new(&file[..]).unwrap();
        let mut found = Vec::new();
        while let Some(packet) = packets.read().unwrap() {
            assert_eq!(packet.bytes.len(), 4);
            found.push(packet.length);
        }
        assert_eq!(found, lengths);
    }
}
