//! The walk over sFlow datagrams, and what an extractor gives of other protocols.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::net::IpAddr;

use finderscope_packets::{Counts, Extractor, Item, sflow};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use finderscope_wire::ipfix::{self, FieldSpecifier, VARIABLE};
use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{
    CountersHeader, DataSource, DatagramHeader, DiscardedHeader, Encoder, FlowHeader, FlowRecord, GenericInterface,
    Interface, PlainEncoder, PlainVersion, SampledEthernet, SampledHeader, Tag, Value,
};

const AGENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

fn delivery(bytes: &[u8]) -> Delivery<'_> {
    let listener = Listener { scheme: Scheme::Udp, address: "0.0.0.0:6343".parse().unwrap() };
    Delivery { sequence: 0, received_ns: 77, source: "192.0.2.1:5".parse().unwrap(), listener, identity: None, bytes }
}

/// What was handed out, one line each.
fn walked(bytes: &[u8]) -> (Vec<String>, Counts) {
    let (mut lines, mut counts) = (Vec::new(), Counts::default());
    sflow(&delivery(bytes), &mut counts, |item| lines.push(line(&item)));
    (lines, counts)
}

fn line(item: &Item<'_>) -> String {
    match item {
        Item::Packet(it) => {
            let port =
                |port: Option<Interface>| port.map_or("-".to_owned(), |it| format!("{}:{}", it.format, it.value));
            let (input, output) = (port(it.input), port(it.output));
            let (seen, inbound) = (it.if_index(), it.is_inbound());
            format!(
                "{} {} at {seen:?} {inbound:?} {input}>{output} 1/{:?} drops {} reason {:?} of {} length {}-{} bytes {:?}",
                it.exporter,
                it.agent,
                it.sampling_rate,
                it.drops,
                it.discard,
                it.protocol.0,
                it.frame_length,
                it.stripped,
                it.bytes
            )
        }
        Item::Port(it) => {
            format!("port {} {} {:?} {:?}", it.agent, it.if_index, it.name.map(String::from_utf8_lossy), it.speed)
        }
    }
}

fn header(bytes: &[u8]) -> FlowRecord<'_> {
    let protocol = HeaderProtocol::ETHERNET;
    FlowRecord::SampledHeader(SampledHeader { protocol, frame_length: 1518, stripped: 4, header: bytes })
}

fn flow(index: u32) -> FlowHeader {
    FlowHeader {
        sequence_number: 1,
        source: DataSource { class: 0, index },
        sampling_rate: 512,
        sample_pool: 9,
        drops: 3,
        input: Interface::index(7),
        output: Interface::index(8),
    }
}

/// A datagram of every kind of sample.
fn mixed() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut datagram = Encoder::new(&mut bytes, &DatagramHeader { agent: Some(AGENT), ..Default::default() });
    datagram.flow_sample(&flow(7)).record(&header(&[1, 2, 3]));
    datagram
        .counters_sample(&CountersHeader { sequence_number: 1, source: DataSource { class: 0, index: 7 } })
        .values(Tag::new(0, 1005), &[Value::Text(b"swp7")])
        .generic_interface(&GenericInterface { if_index: 7, if_speed: 10_000_000_000, ..Default::default() });
    // Two headers in one sample, and records around them.
    let ethernet =
        FlowRecord::SampledEthernet(SampledEthernet { length: 9, src_mac: [1; 6], dst_mac: [2; 6], etype: 3 });
    datagram.flow_sample_expanded(&flow(8)).record(&ethernet).record(&header(&[4])).record(&header(&[5, 6]));
    datagram.flow_sample(&flow(9)).record(&ethernet);
    let discarded = DiscardedHeader {
        sequence_number: 1,
        source: DataSource { class: 0, index: 9 },
        drops: 5,
        input: Interface::index(9),
        output: Interface::UNKNOWN,
        reason: 258,
    };
    datagram.discarded_packet(&discarded).record(&header(&[7]));
    datagram.discarded_packet(&discarded);
    datagram.raw_sample(Tag::new(4300, 9), &[0; 8]);
    bytes
}

#[test]
fn each_header_is_handed_out_once_in_order_with_what_its_sample_says() {
    let (lines, counts) = walked(&mixed());
    let flow = |at: u32, inbound: &str, bytes: &str| {
        format!(
            "192.0.2.1 10.0.0.1 at Some({at}) {inbound} 0:7>0:8 1/Some(512) drops 3 reason None of 1 length 1518-4 bytes {bytes}"
        )
    };
    let discard =
        "192.0.2.1 10.0.0.1 at Some(9) Some(true) 0:9>0:0 1/None drops 5 reason Some(258) of 1 length 1518-4 bytes [7]";
    let expected = [
        flow(7, "Some(true)", "[1, 2, 3]"),
        "port 10.0.0.1 7 Some(\"swp7\") None".to_owned(),
        "port 10.0.0.1 7 None Some(10000000000)".to_owned(),
        flow(8, "Some(false)", "[4]"),
        flow(8, "Some(false)", "[5, 6]"),
        discard.to_owned(),
    ];
    assert_eq!(lines, expected);
    assert_eq!(counts, Counts { datagrams: 1, packets: 3, discarded: 1, without_header: 2, ..Counts::default() });
}

#[test]
fn versions_2_and_4_give_their_packets_too() {
    for version in [PlainVersion::V2, PlainVersion::V4] {
        let mut bytes = Vec::new();
        let mut datagram =
            PlainEncoder::new(&mut bytes, version, &DatagramHeader { agent: Some(AGENT), ..Default::default() });
        datagram.flow_sample(&flow(7), &header(&[1, 2, 3])).unwrap();
        let (lines, counts) = walked(&bytes);
        let packet = "192.0.2.1 10.0.0.1 at Some(7) Some(true) 0:7>0:8 1/Some(512) drops 3 reason None of 1 length 1518-0 bytes [1, 2, 3]";
        assert_eq!(lines, [packet], "{version:?}");
        assert_eq!(counts, Counts { datagrams: 1, packets: 1, ..Counts::default() });
    }
}

#[test]
fn a_datagram_that_is_cut_gives_what_lies_before_the_cut_and_is_counted() {
    let whole = mixed();
    let (all, _) = walked(&whole);
    for cut in 0..whole.len() {
        let (lines, counts) = walked(&whole[..cut]);
        assert_eq!(lines, all[..lines.len()], "{cut} bytes");
        let told = counts.datagrams_malformed + counts.samples_malformed + counts.records_malformed;
        // Behind the last sample's length nothing of it is left to be missed but what nobody reads.
        assert!(told > 0, "{cut} bytes of {} are told as whole: {counts:?}", whole.len());
        assert_eq!(
            counts.packets + counts.discarded,
            lines.iter().filter(|line| !line.starts_with("port")).count() as u64
        );
    }
}

/// Words at offsets of the first sample of a datagram with an IPv4 agent.
const SAMPLE_COUNT: usize = 24;
const RECORD_COUNT: usize = 64;
const RECORD_LENGTH: usize = 72;
const HEADER_LENGTH: usize = 88;

fn one(set: &[(usize, u32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut datagram = Encoder::new(&mut bytes, &DatagramHeader { agent: Some(AGENT), ..Default::default() });
    datagram.flow_sample(&flow(7)).record(&header(&[1, 2, 3, 4]));
    datagram.flow_sample(&flow(7)).record(&header(&[5]));
    for &(at, word) in set {
        bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[test]
fn lengths_and_counts_that_lie_are_bounded_and_counted() {
    let plain = Counts { datagrams: 1, packets: 2, ..Counts::default() };
    assert_eq!(walked(&one(&[])).1, plain);
    // More samples than there are: the walk ends with the bytes.
    let counts = walked(&one(&[(SAMPLE_COUNT, u32::MAX)])).1;
    assert_eq!(counts, Counts { samples_malformed: 1, ..plain });
    // More records than there are: the first is sound, the sample is not.
    let counts = walked(&one(&[(RECORD_COUNT, u32::MAX)])).1;
    assert_eq!(counts, Counts { samples_malformed: 1, ..plain });
    // A header that is longer than its record: that record is lost, and nothing else.
    for length in [5, 1000, u32::MAX] {
        let (lines, counts) = walked(&one(&[(HEADER_LENGTH, length)]));
        assert_eq!(counts, Counts { packets: 1, records_malformed: 1, ..plain }, "{length}");
        assert!(lines[0].ends_with("[5]"));
    }
    // A record that is longer than its sample.
    for length in [1000, u32::MAX] {
        let counts = walked(&one(&[(RECORD_LENGTH, length)])).1;
        assert_eq!(counts, Counts { packets: 1, samples_malformed: 1, ..plain }, "{length}");
    }
    // What is no sFlow.
    assert_eq!(walked(&[0, 0, 0, 9]).1, Counts { datagrams: 1, datagrams_malformed: 1, ..Counts::default() });
}

/// An IPFIX message with a section of a frame and one of an IP packet, in an order that needs waiting.
#[test]
fn sections_of_ipfix_come_out_as_packets_with_their_ports_and_lengths() {
    let field = FieldSpecifier::new;
    let message = |write: &dyn Fn(&mut ipfix::Encoder<'_>)| {
        let mut bytes = Vec::new();
        let mut encoder = ipfix::Encoder::ipfix(&mut bytes, &ipfix::Header::default());
        write(&mut encoder);
        encoder.finish().unwrap();
        bytes
    };
    let ip = [0x45, 0, 1, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let data = message(&|encoder| {
        encoder.record_with(256, |w| _ = w.u16(1500).u32(3).u32(4).u8(3).bytes(&[9, 8, 7]));
        encoder.record_with(257, |w| _ = w.bytes(&ip));
    });
    let templates = message(&|encoder| {
        encoder.template(256, &[field(312, 2), field(10, 4), field(14, 4), field(315, VARIABLE)]);
        encoder.template(257, &[field(313, 20)]);
    });
    let mut extractor = Extractor::new();
    let mut lines = Vec::new();
    for bytes in [&data, &templates, &one(&[])] {
        extractor.handle(&delivery(bytes), |item| lines.push(line(&item)));
    }
    let from = "192.0.2.1 192.0.2.1 at";
    assert_eq!(
        lines[..2],
        [
            format!("{from} Some(3) Some(true) 0:3>0:4 1/None drops 0 reason None of 1 length 1500-0 bytes [9, 8, 7]"),
            format!("{from} None None ->- 1/None drops 0 reason None of 11 length 256-0 bytes {ip:?}"),
        ]
    );
    assert_eq!(*extractor.counts(), Counts { datagrams: 3, packets: 4, ..Counts::default() });
    assert_eq!(extractor.waiting(), 0);
}
