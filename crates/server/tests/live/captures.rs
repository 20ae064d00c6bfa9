//! Streams of packets as captures, and packets that only the shard can read.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use finderscope_packets::live::{Frame, Frames};
use finderscope_server::config::Size;
use finderscope_wire::ipfix::{Encoder, FieldSpecifier, Header};

use crate::server::{BURST, Server, frame, send, sflow};

const HEAD_BYTES: usize = 24;
const ETHERNET: u32 = 1;

fn words<const COUNT: usize>(stream: &mut TcpStream) -> [u32; COUNT] {
    [(); COUNT].map(|()| {
        let mut word = [0; 4];
        stream.read_exact(&mut word).unwrap();
        u32::from_ne_bytes(word)
    })
}

/// A packet of a classic capture: how long it was, and its bytes.
fn packet(stream: &mut TcpStream) -> (u32, Vec<u8>) {
    let [_, _, held, length] = words(stream);
    let mut bytes = vec![0; held as usize];
    stream.read_exact(&mut bytes).unwrap();
    (length, bytes)
}

/// A capture for which nobody needs to wait: its head was read.
fn capture(server: &Server, parameters: &str) -> TcpStream {
    let mut answer = server.get(&format!("/api/v1/packets{parameters}"));
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: application/vnd.tcpdump.pcap"), "{}", answer.head);
    let head: [u32; HEAD_BYTES / 4] = words(&mut answer.body);
    assert_eq!((head[0] & 0xFFFF_0000, head[5]), (0xA1B2_0000, ETHERNET));
    answer.body
}

#[test]
fn a_captures_head_is_there_before_anything_comes_and_then_every_packet() {
    let server = Server::start(|_| {});
    let mut plain = capture(&server, "");
    let mut shorter = capture(&server, "?true_length=true&nanoseconds=1");
    send(&server, 0..5);
    for number in 0..5 {
        assert_eq!(packet(&mut plain), (1_000, frame(number)));
        assert_eq!(packet(&mut shorter), (996, frame(number)));
    }
    server.stop();
}

#[test]
fn a_filter_of_libpcap_runs_beside_the_server() {
    let server = Server::start(|_| {});
    let wrong = server.get("/api/v1/packets?bpf=prot%2053");
    assert_eq!(wrong.status, 400);
    let text = wrong.text();
    assert!(text.starts_with("bpf: "), "{text}");
    if text.contains("not installed") {
        writeln!(std::io::stderr(), "skipped: no libpcap here").unwrap();
        return;
    }
    let mut third = capture(&server, "?bpf=ether%5B14%3A4%5D%20%3D%203");
    send(&server, 0..10);
    assert_eq!(packet(&mut third).1, frame(3));
    server.stop();
    assert_eq!(third.read(&mut [0]).unwrap(), 0, "and nothing else");
}

#[test]
fn a_reader_of_the_next_generation_is_told_its_losses() {
    const STATISTICS: u32 = 5;
    let server = Server::start(|config| config.live.queue = Size(1 << 20));
    let mut slow = server.get("/api/v1/packets?format=pcapng").body;
    let mut quick = Frames::new(server.get("/api/v1/deliveries").body);
    for sent in (0..60_000).step_by(BURST) {
        send(&server, sent..sent + BURST as u32);
        for _ in 0..BURST {
            assert!(matches!(quick.next().unwrap(), Some(Frame::Delivery(_))));
        }
    }
    let status = server.until("somebody is slow", |status| status.live.lost > 0);
    // It is told whenever it reads on: at the last, of all of them.
    let said = format!("{} datagrams lost", status.live.lost);
    loop {
        let [kind, length] = words(&mut slow);
        let mut rest = vec![0; length as usize - 8];
        slow.read_exact(&mut rest).unwrap();
        if kind == STATISTICS && rest.windows(said.len()).any(|window| window == said.as_bytes()) {
            break;
        }
    }
    server.stop();
}

/// IPFIX with a packet section (element 315), with its template or without.
fn ipfix(sequence: u32, has_template: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = Header { sequence_number: sequence.into(), observation_domain_id: 7.into(), ..Header::default() };
    let mut encoder = Encoder::ipfix(&mut bytes, &header);
    if has_template {
        encoder.template(256, &[FieldSpecifier::new(10, 4), FieldSpecifier::new(315, 128)]);
    }
    encoder.record(256, &[&9_u32.to_be_bytes()[..], &frame(sequence)].concat());
    encoder.finish().unwrap();
    bytes
}

#[test]
fn packet_sections_are_read_with_the_shards_own_templates() {
    let server = Server::start(|_| {});
    let exporter = UdpSocket::bind("127.0.0.1:0").unwrap();
    exporter.send_to(&ipfix(0, true), server.listener()).unwrap();
    // The template came before anybody looked on.
    server.until("the template is known", |status| status.totals.records.received == 1);
    let mut packets = Frames::new(server.get("/api/v1/packets?format=frames").body);
    let mut plain = capture(&server, "");
    let mut deliveries = Frames::new(server.get("/api/v1/deliveries").body);
    exporter.send_to(&ipfix(1, false), server.listener()).unwrap();
    send(&server, 5..6);
    let Some(Frame::Packet(section)) = packets.next().unwrap() else { panic!("no packet") };
    assert_eq!((section.bytes, section.input.and_then(|input| input.if_index())), (&frame(1)[..], Some(9)));
    let Some(Frame::Packet(sample)) = packets.next().unwrap() else { panic!("no packet") };
    assert_eq!(sample.bytes, frame(5));
    assert_eq!([packet(&mut plain).1, packet(&mut plain).1], [frame(1), frame(5)]);
    for sent in [ipfix(1, false), sflow(5)] {
        let Some(Frame::Delivery(delivery)) = deliveries.next().unwrap() else { panic!("no datagram") };
        assert_eq!(delivery.bytes, sent, "who reads datagrams gets datagrams alone");
    }
    server.stop();
}

#[test]
fn what_is_refused_is_not_shown() {
    let server = Server::start(|config| {
        config.senders.require = true;
        config.senders.allow = vec!["127.0.0.2".parse().unwrap()];
    });
    let mut deliveries = Frames::new(server.get("/api/v1/deliveries").body);
    for (source, number) in [([127, 0, 0, 1], 1), ([127, 0, 0, 2], 2), ([127, 0, 0, 1], 3), ([127, 0, 0, 2], 4)] {
        let exporter = UdpSocket::bind(SocketAddr::from((source, 0))).unwrap();
        exporter.send_to(&sflow(number), server.listener()).unwrap();
    }
    for number in [2, 4] {
        let Some(Frame::Delivery(delivery)) = deliveries.next().unwrap() else { panic!("no datagram") };
        assert_eq!(delivery.bytes, sflow(number));
    }
    server.stop();
    assert!(deliveries.next().unwrap().is_none());
}
