//! Captures: what is written is read back by another's parser.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{self, Write};
use std::net::IpAddr;

use finderscope_packets::capture::{Format, Options, Records, Writer};
use finderscope_packets::{LinkType, Packet, Port, Shape};
use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{DataSource, Interface};
use pcap_parser::pcapng::{Block, PcapNGOption};
use pcap_parser::{Linktype, OptionCode, parse_block_le, parse_pcap};

const AGENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const TIME_NS: i64 = 1_767_225_600_123_456_789;

fn packet(bytes: &[u8]) -> Packet<'_> {
    Packet {
        received_ns: TIME_NS,
        exporter: AGENT,
        agent: AGENT,
        source: Some(DataSource { class: 0, index: 7 }),
        input: Some(Interface::index(7)),
        output: Some(Interface::index(8)),
        sampling_rate: Some(512),
        sample_pool: 0,
        drops: 0,
        discard: None,
        protocol: HeaderProtocol::ETHERNET,
        frame_length: 1518,
        stripped: 4,
        bytes,
    }
}

fn written(options: Options, items: &[Packet<'_>], ports: &[(usize, Port<'_>)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), options).unwrap();
    let mut shape = Shape::new(options.link, false);
    for (at, packet) in items.iter().enumerate() {
        for (_, port) in ports.iter().filter(|(before, _)| *before == at) {
            writer.port(port);
        }
        let shaped = shape.fit(packet).unwrap();
        writer.packet(packet, &shaped).unwrap();
    }
    assert_eq!(writer.written(), 0, "a few packets stay in the buffer");
    let bytes = writer.bytes();
    writer.flush().unwrap();
    assert_eq!(writer.written(), items.len() as u64);
    let file = writer.turn_to(Vec::new()).unwrap();
    assert_eq!(file.len() as u64, bytes);
    file
}

/// Takes so many bytes and then no more, as a reader that has enough; remembers how long the pieces were.
struct Reader {
    room: usize,
    pieces: Vec<usize>,
}

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pieces.push(bytes.len());
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        if taken > 0 { Ok(taken) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn packets_of_a_piece_that_was_taken_in_part_count_as_far_as_they_are_whole() {
    // A head of 24 bytes; 76 for a packet, or 28 for a section and some 200 for a port before the first.
    for (format, room, count) in [
        (Format::Pcap, 24, 0),
        (Format::Pcap, 24 + 75, 0),
        (Format::Pcap, 24 + 3 * 76, 3),
        (Format::Pcap, 24 + 4 * 76 - 1, 3),
        (Format::Pcap, 24 + 10 * 76, 10),
        (Format::Pcapng, 100, 0),
    ] {
        let mut out = Reader { room, pieces: Vec::new() };
        let mut writer = Writer::new(&mut out, Options { format, ..Options::default() }).unwrap();
        let mut shape = Shape::new(LinkType::ETHERNET, false);
        let it = packet(&[0; 60]);
        for _ in 0..10 {
            let shaped = shape.fit(&it).unwrap();
            writer.packet(&it, &shaped).unwrap();
        }
        let done = writer.flush();
        assert_eq!((writer.written(), done.is_ok()), (count, count == 10), "{format:?}, {room}");
    }
}

#[test]
fn records_of_both_formats_are_told_apart() {
    for (format, head) in [(Format::Pcap, 24), (Format::Pcapng, 0)] {
        let file = written(Options { format, ..Options::default() }, &[packet(&[1; 61]), packet(&[2; 5])], &[]);
        assert_eq!(Records::new(format, &file[head..]).packets(), 2);
        assert_eq!(Records::new(format, &file[head..file.len() - 1]).packets(), 1);
        assert_eq!(Records::new(format, &file[head..]).map(|(length, _)| length).sum::<usize>(), file.len() - head);
    }
}

#[test]
fn pieces_are_no_larger_than_the_page_cache_likes_them() {
    let mut out = Reader { room: usize::MAX, pieces: Vec::new() };
    let mut writer = Writer::new(&mut out, Options::default()).unwrap();
    let mut shape = Shape::new(LinkType::ETHERNET, false);
    let it = packet(&[0; 128]);
    for _ in 0..20_000 {
        let shaped = shape.fit(&it).unwrap();
        writer.packet(&it, &shaped).unwrap();
    }
    writer.flush().unwrap();
    let pieces = &out.pieces[1..out.pieces.len() - 1];
    assert!(pieces.iter().all(|piece| (128 << 10..512 << 10).contains(piece)), "{pieces:?}");
}

#[test]
fn the_classic_head_is_there_at_once() {
    let mut out = Vec::new();
    Writer::new(&mut out, Options::default()).unwrap();
    assert_eq!(out[..4], 0xA1B2_C3D4_u32.to_ne_bytes());
    assert_eq!(out[4..8], [2_u16.to_ne_bytes(), 4_u16.to_ne_bytes()].concat());
    assert_eq!(out[8..16], [0; 8]);
    assert_eq!(out[16..], [65_536_u32.to_ne_bytes(), 1_u32.to_ne_bytes()].concat());
}

#[test]
fn a_classic_capture_has_the_length_that_the_device_counted_or_the_true_one() {
    let packets = [packet(&[1, 2, 3]), Packet { frame_length: 2, stripped: 0, ..packet(&[4, 5, 6, 7]) }];
    for (true_length, lengths) in [(false, [1518, 4]), (true, [1514, 4])] {
        let file = written(Options { true_length, ..Options::default() }, &packets, &[]);
        let (rest, capture) = parse_pcap(&file).unwrap();
        assert!(rest.is_empty());
        let blocks: Vec<_> = capture.blocks.iter().collect();
        assert_eq!(blocks.iter().map(|block| block.origlen).collect::<Vec<_>>(), lengths);
        assert_eq!(blocks.iter().map(|block| block.data).collect::<Vec<_>>(), [packets[0].bytes, packets[1].bytes]);
        assert_eq!((blocks[0].ts_sec, blocks[0].ts_usec), (1_767_225_600, 123_456));
    }
    let file = written(Options { nanoseconds: true, ..Options::default() }, &packets, &[]);
    let (_, capture) = parse_pcap(&file).unwrap();
    assert!(capture.header.is_nanosecond_precision());
    assert_eq!(capture.blocks[0].ts_usec, 123_456_789);
}

#[test]
fn times_that_the_classic_format_cannot_say_are_the_nearest_that_it_can() {
    for (received_ns, seconds) in [(-5, 0), (i64::MAX, u32::MAX)] {
        let file = written(Options::default(), &[Packet { received_ns, ..packet(&[1]) }], &[]);
        assert_eq!(parse_pcap(&file).unwrap().1.blocks[0].ts_sec, seconds);
    }
}

/// A capture of the next generation as lines.
fn described(mut rest: &[u8]) -> Vec<String> {
    // Options that hold numbers, of an interface and of a packet.
    let of = |numbers: &'static [u16]| {
        move |option: &PcapNGOption<'_>| {
            let value = &option.value[..usize::from(option.len)];
            let number = value.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            match option.code {
                OptionCode(0) => None,
                OptionCode(1) => Some(String::from_utf8_lossy(value).into_owned()),
                OptionCode(code) if numbers.contains(&code) => Some(format!("{code}={number}")),
                OptionCode(code) => Some(format!("{code}={}", String::from_utf8_lossy(value))),
            }
        }
    };
    let (text, number) = (of(&[8, 9]), of(&[2, 4]));
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let (behind, block) = parse_block_le(rest).unwrap();
        rest = behind;
        lines.push(match block {
            Block::SectionHeader(it) => format!("section {}.{} {}", it.major_version, it.minor_version, it.section_len),
            Block::InterfaceDescription(it) => {
                let options: Vec<_> = it.options.iter().filter_map(&text).collect();
                format!("interface {:?} {} {}", it.linktype, it.snaplen, options.join(" "))
            }
            Block::EnhancedPacket(it) => {
                let time = u64::from(it.ts_high) << 32 | u64::from(it.ts_low);
                let data = &it.data[..it.caplen as usize];
                let options: Vec<_> = it.options.iter().filter_map(&number).collect();
                format!("packet {} {time} {} {data:?} {}", it.if_id, it.origlen, options.join(" "))
            }
            other => panic!("{other:?}"),
        });
    }
    lines
}

#[cfg(target_endian = "little")]
#[test]
fn the_next_generation_says_where_a_packet_was_seen_and_how_often_it_stands_for_others() {
    let packets = [
        packet(&[1, 2, 3]),
        Packet { drops: 4, ..packet(&[4]) },
        Packet { source: Some(DataSource { class: 0, index: 8 }), ..packet(&[5]) },
        Packet { source: None, input: None, output: None, sampling_rate: None, discard: Some(258), ..packet(&[6]) },
        packet(&[]),
    ];
    let name = Port { agent: AGENT, if_index: 8, name: Some(b"swp\x1b8"), speed: None };
    let speed = Port { agent: AGENT, if_index: 8, name: None, speed: Some(25_000_000_000) };
    let late = Port { agent: AGENT, if_index: 7, name: Some(b"swp7"), speed: None };
    let file = written(
        Options { format: Format::Pcapng, ..Options::default() },
        &packets,
        &[(0, name), (1, speed), (4, late)],
    );
    let around = format!("{:?} 65535", Linktype::ETHERNET);
    let said = "agent=10.0.0.1 rate=512 in=7 out=8";
    assert_eq!(
        described(&file),
        [
            "section 1.0 -1".to_owned(),
            format!("interface {around} 2=ifIndex 7 3=agent 10.0.0.1, ifIndex 7 9=9"),
            format!("packet 0 {TIME_NS} 1514 [1, 2, 3] {said} drops=0 2=1"),
            format!("packet 0 {TIME_NS} 1514 [4] {said} drops=4 2=1 4=4"),
            format!("interface {around} 2=swp\u{fffd}8 3=agent 10.0.0.1, ifIndex 8 8=25000000000 9=9"),
            format!("packet 1 {TIME_NS} 1514 [5] {said} drops=0 2=2"),
            format!("interface {around} 2=unknown 3=agent 10.0.0.1, a port that is not known 9=9"),
            format!("packet 2 {TIME_NS} 1514 [6] agent=10.0.0.1 drops=0 reason=acl"),
            // Its name became known after it was described.
            format!("interface {around} 2=swp7 3=agent 10.0.0.1, ifIndex 7 9=9"),
            format!("packet 3 {TIME_NS} 1514 [] {said} drops=0 2=1"),
        ]
    );
}

#[cfg(target_endian = "little")]
#[test]
fn what_a_sampler_left_out_that_is_no_port_is_told_once_for_all_its_interfaces() {
    let vlan = |index, drops, input| Packet {
        drops,
        source: Some(DataSource { class: 1, index }),
        input: Some(Interface::index(input)),
        ..packet(&[1])
    };
    // Both interfaces are described when the count goes up, and a third comes with it; another VLAN counts for itself.
    let packets =
        [vlan(9, 5, 7), vlan(9, 5, 8), vlan(9, 8, 7), vlan(9, 8, 8), vlan(9, 10, 6), vlan(4, 50, 7), vlan(4, 51, 8)];
    let file = written(Options { format: Format::Pcapng, ..Options::default() }, &packets, &[]);
    let lines = described(&file);
    let packets = lines.iter().filter(|line| line.starts_with("packet"));
    let told: Vec<_> = packets.map(|line| line.split_once(" 4=").map(|(_, drops)| drops)).collect();
    assert_eq!(told, [None, None, Some("3"), None, Some("2"), None, Some("1")]);
}

#[cfg(target_endian = "little")]
#[test]
fn samples_and_discarded_packets_of_a_port_have_counts_of_their_own() {
    let discarded = |drops| Packet { drops, discard: Some(258), ..packet(&[2]) };
    let sampled = |drops| Packet { drops, ..packet(&[1]) };
    let packets = [sampled(100), discarded(7), sampled(101), discarded(9), sampled(101), discarded(3)];
    let file = written(Options { format: Format::Pcapng, ..Options::default() }, &packets, &[]);
    let lines = described(&file);
    let packets = lines.iter().filter(|line| line.starts_with("packet"));
    let told: Vec<_> = packets.map(|line| line.split_once(" 4=").map(|(_, drops)| drops)).collect();
    assert_eq!(told, [None, None, Some("1"), Some("2"), None, None]);
}

#[cfg(target_endian = "little")]
#[test]
fn made_up_ports_share_one_description_once_there_are_too_many() {
    let sent = 65_600_u32;
    let mut writer = Writer::new(Vec::new(), Options { format: Format::Pcapng, ..Options::default() }).unwrap();
    let mut shape = Shape::new(LinkType::ETHERNET, false);
    for index in 1..=sent {
        let it = Packet { source: Some(DataSource { class: 0, index }), ..packet(&[1]) };
        let shaped = shape.fit(&it).unwrap();
        writer.packet(&it, &shaped).unwrap();
    }
    let lines = described(&writer.turn_to(Vec::new()).unwrap());
    let interfaces = lines.iter().filter(|line| line.starts_with("interface")).count();
    assert_eq!((interfaces, lines.len()), (65_537, 1 + 65_537 + sent as usize));
    assert!(lines.iter().any(|line| line.contains("2=others")));
    assert!(lines.last().unwrap().starts_with("packet 65536 "));
}
