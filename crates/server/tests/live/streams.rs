//! Streams of packets and datagrams.

use std::io::Read;

use finderscope_packets::live::{Frame, Frames};
use finderscope_server::config::Size;

use crate::server::{BURST, Server, frame, send, sflow};

fn datagrams<R: Read>(frames: &mut Frames<R>, count: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while all.len() < count {
        match frames.next().unwrap() {
            Some(Frame::Delivery(delivery)) => all.push(delivery.bytes.to_vec()),
            other => panic!("{other:?} after {} datagrams", all.len()),
        }
    }
    all
}

#[test]
fn packets_are_for_those_who_have_the_token() {
    let server = Server::start(|_| {});
    for path in ["/api/v1/packets", "/api/v1/deliveries", "/api/v1/packets?format=frames"] {
        for token in [None, Some("wrong")] {
            let answer = server.ask("GET", path, token, "");
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
            assert!(answer.text().contains("http.token"), "{path}");
        }
    }
    for path in ["/healthz", "/metrics", "/api/v1/status", "/forwarding/json"] {
        assert_eq!(server.ask("GET", path, None, "").status, 200, "{path}");
    }
    server.stop();
}

#[test]
fn an_open_server_asks_nobody_for_a_token() {
    let server = Server::start(|config| config.http.open = true);
    assert_eq!(server.ask("GET", "/api/v1/deliveries", None, "").status, 200);
    server.stop();
}

#[test]
fn every_reader_gets_every_datagram_and_every_packet() {
    let server = Server::start(|_| {});
    let mut readers: Vec<_> = (0..2).map(|_| Frames::new(server.get("/api/v1/deliveries").body)).collect();
    let mut packets = Frames::new(server.get("/api/v1/packets?format=frames").body);
    send(&server, 0..200);
    let sent: Vec<_> = (0..200).map(sflow).collect();
    for reader in &mut readers {
        assert_eq!(datagrams(reader, 200), sent);
    }
    for number in 0..200 {
        let Some(Frame::Packet(packet)) = packets.next().unwrap() else { panic!("no packet {number}") };
        assert_eq!(packet.bytes, frame(number));
        assert_eq!((packet.agent, packet.true_length()), ("192.0.2.7".parse().unwrap(), 996));
    }
    let status = server.until("all is counted", |status| status.totals.records.received == 200);
    let live = &status.live;
    assert_eq!((live.subscribers.len(), live.sent, live.lost), (3, 600, 0));
    assert_eq!((live.subscribers[0].stream.as_str(), live.subscribers[0].program.as_str()), ("deliveries", "tests"));
    server.stop();
}

#[test]
fn a_reader_can_ask_for_single_agents() {
    let server = Server::start(|_| {});
    let mut its = Frames::new(server.get("/api/v1/deliveries?agent=10.9.9.9&agent=192.0.2.7").body);
    let mut others = Frames::new(server.get("/api/v1/deliveries?agent=10.9.9.9").body);
    let mut other_packets = Frames::new(server.get("/api/v1/packets?format=frames&agent=10.9.9.9").body);
    send(&server, 0..10);
    assert_eq!(datagrams(&mut its, 10).len(), 10);
    server.stop();
    assert!(others.next().unwrap().is_none());
    assert!(other_packets.next().unwrap().is_none());
}

#[test]
fn wrong_parameters_are_named() {
    let server = Server::start(|_| {});
    for (path, said) in [
        ("/api/v1/packets?format=csv", "format=csv: there are pcap, pcapng and frames"),
        ("/api/v1/packets?link_type=quantum", "link_type=quantum: "),
        ("/api/v1/packets?link_type=raw&make_ethernet=true", "make_ethernet: this is for link_type=ethernet"),
        ("/api/v1/packets?format=frames&bpf=ip", "bpf: this is for captures"),
        ("/api/v1/packets?discards=maybe", "discards=maybe: wants true or false"),
        ("/api/v1/packets?agnet=10.0.0.1", "agnet: no such parameter"),
        ("/api/v1/deliveries?agent=core-1", "agent=core-1: this is no address"),
        ("/api/v1/deliveries?format=frames", "format: no such parameter"),
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 400, "{path}");
        let text = answer.text();
        assert!(text.starts_with(said), "{text}");
    }
    server.stop();
}

#[test]
fn who_goes_away_frees_its_place_though_nothing_comes() {
    let server = Server::start(|config| config.live.subscribers = 1);
    let first = server.get("/api/v1/deliveries");
    let refused = server.get("/api/v1/packets?format=frames");
    assert_eq!(refused.status, 429);
    assert_eq!(refused.text(), "1 others look on already; hint: live.subscribers\n");
    drop(first);
    server.until("the place is free", |status| status.live.subscribers.is_empty());
    assert_eq!(server.get("/api/v1/packets?format=frames").status, 200);
    server.stop();
}

#[test]
fn a_reader_that_stops_reading_loses_its_own_datagrams_and_is_told() {
    const DATAGRAMS: u32 = 40_000;
    let server = Server::start(|config| config.live.queue = Size(1 << 20));
    let mut slow = Frames::new(server.get("/api/v1/deliveries").body);
    let mut quick = Frames::new(server.get("/api/v1/deliveries").body);
    for sent in (0..DATAGRAMS).step_by(BURST) {
        let next = sent + BURST as u32;
        send(&server, sent..next);
        assert_eq!(datagrams(&mut quick, BURST).last(), Some(&sflow(next - 1)));
    }
    let status = server.until("all is counted", |status| status.totals.records.received == u64::from(DATAGRAMS));
    assert!(status.listeners.iter().all(|listener| listener.kernel_drops == 0));
    let its = status.live.subscribers.iter().find(|reader| reader.lost > 0).expect("one of them is slow");
    assert_eq!(its.sent + its.lost, u64::from(DATAGRAMS));
    // What it reads now is what had room, and then how much had none.
    let (mut got, mut told) = (0, 0);
    while got < its.sent || told < its.lost {
        match slow.next().unwrap() {
            Some(Frame::Delivery(_)) => got += 1,
            Some(Frame::Lost(lost)) => told = lost,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((got, told), (its.sent, its.lost));
    server.stop();
}

#[test]
fn stopping_ends_every_stream_behind_the_last_datagram() {
    let server = Server::start(|_| {});
    let mut deliveries = Frames::new(server.get("/api/v1/deliveries").body);
    send(&server, 0..20);
    server.stop();
    assert_eq!(datagrams(&mut deliveries, 20).len(), 20);
    assert!(deliveries.next().unwrap().is_none(), "the stream is at its end");
}
