//! Forwarding.

use std::net::UdpSocket;

use finderscope_server::config::{Config, ForwardTo};
use serde_json::{Value, json};

use crate::server::{PATIENCE, Server, send, sflow};

/// A collector that only receives, and its address as JSON.
fn collector() -> (UdpSocket, Value) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let target = json!({ "address": "127.0.0.1", "port": socket.local_addr().unwrap().port() });
    (socket, target)
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut bytes = vec![0; 65_536];
    let length = socket.recv(&mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

fn put(server: &Server, name: &str, token: Option<&str>, body: &Value) -> (u16, String) {
    let answer = server.ask("PUT", &format!("/forwarding/{name}/json"), token, &body.to_string());
    (answer.status, answer.text())
}

#[test]
fn datagrams_arrive_unaltered_at_every_target() {
    let server = Server::start(|_| {});
    let (first, to_first) = collector();
    let (second, to_second) = collector();
    assert_eq!(put(&server, "first", Some(&server.token), &to_first).0, 204);
    assert_eq!(put(&server, "second", Some(&server.token), &to_second).0, 204);
    send(&server, 0..50);
    for number in 0..50 {
        assert_eq!((receive(&first), receive(&second)), (sflow(number), sflow(number)));
    }
    let all: Value = serde_json::from_str(&server.get("/forwarding/json").text()).unwrap();
    assert_eq!(all, json!({ "first": to_first, "second": to_second }));
    let status = server.until("it is counted", |status| status.forwarding.iter().all(|target| target.sent == 50));
    assert!(status.forwarding.iter().all(|target| (target.failed, target.lost, target.configured) == (0, 0, false)));
    assert_eq!(status.forwarding[0].sent_bytes, 50 * sflow(0).len() as u64);

    assert_eq!(server.ask("DELETE", "/forwarding/first/json", Some(&server.token), "").status, 204);
    assert_eq!(server.ask("DELETE", "/forwarding/first/json", Some(&server.token), "").status, 404);
    assert_eq!(server.get("/forwarding/first/json").status, 404);
    send(&server, 50..60);
    assert_eq!(receive(&second), sflow(50));
    first.set_nonblocking(true).unwrap();
    assert!(first.recv(&mut [0; 100]).is_err(), "nothing is sent to who was removed");
    server.stop();
}

#[test]
fn only_sflow_of_the_named_agents_is_sent_on() {
    let server = Server::start(|_| {});
    let (other, mut to_other) = collector();
    let (its, mut to_its) = collector();
    to_other["agents"] = json!(["192.0.2.1"]);
    to_its["agents"] = json!(["192.0.2.1", "192.0.2.7"]);
    assert_eq!(put(&server, "other", Some(&server.token), &to_other).0, 204);
    assert_eq!(put(&server, "its", Some(&server.token), &to_its).0, 204);
    let exporter = UdpSocket::bind("127.0.0.1:0").unwrap();
    exporter.send_to(&[0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], server.listener()).unwrap();
    send(&server, 0..5);
    assert_eq!((0..5).map(|_| receive(&its)).collect::<Vec<_>>(), (0..5).map(sflow).collect::<Vec<_>>());
    let status = server.until("it is counted", |status| status.forwarding[0].sent == 5);
    assert_eq!((status.forwarding[0].name.as_str(), status.forwarding[1].sent), ("its", 0));
    drop(other);
    server.stop();
}

#[test]
fn without_the_token_datagrams_go_only_where_the_configuration_allows() {
    let server = Server::start(|config| config.forward.allow = vec!["127.0.0.0/8".parse().unwrap()]);
    let (_socket, allowed) = collector();
    let elsewhere = json!({ "address": "192.0.2.99" });
    let delete = |token| server.ask("DELETE", "/forwarding/a/json", token, "").status;
    let token = Some(server.token.as_str());
    assert_eq!(put(&server, "a", None, &elsewhere).0, 401);
    assert_eq!(put(&server, "a", None, &allowed).0, 204);
    assert_eq!(delete(None), 204);
    assert_eq!(put(&server, "a", token, &elsewhere).0, 204);
    // Who has no token does not turn aside or end what somebody with one has made.
    assert_eq!(put(&server, "a", None, &allowed).0, 401);
    assert_eq!(delete(None), 401);
    assert_eq!(delete(token), 204);
    server.stop();
}

#[test]
fn what_cannot_be_meant_is_refused_in_words() {
    let server = Server::start(|_| {});
    let ours = server.listener().port();
    for (body, said) in [
        (json!({ "address": "127.0.0.1", "port": ours }), "is this server's own listener"),
        (json!({ "address": "::ffff:127.0.0.1", "port": ours }), "is this server's own listener"),
        (json!({ "port": 6343 }), "missing field `address`"),
        (json!({ "address": "collector" }), "address: 'collector' is no address"),
        (json!({ "address": "0.0.0.0" }), "address: 0.0.0.0 is nobody's address"),
        (json!({ "address": "10.0.0.1", "port": 0 }), "port: 0 is no port"),
        (json!({ "address": "10.0.0.1", "port": 70_000 }), "invalid value"),
        (json!({ "address": "10.0.0.1", "agents": ["x"] }), "agents: 'x' is no address"),
        (json!({ "adress": "10.0.0.1" }), "unknown field `adress`"),
        (json!(["10.0.0.1"]), "an object is wanted"),
    ] {
        let (status, text) = put(&server, "a", Some(&server.token), &body);
        assert_eq!(status, 400, "{body}: {text}");
        assert!(text.contains(said), "{body}: {text}");
    }
    let answer = server.ask("PUT", "/forwarding/a/json", Some(&server.token), "{address:'10.0.0.1'");
    assert_eq!(answer.status, 400);
    assert!(answer.text().starts_with("the body is no JSON"));
    let names = ["%01", &"x".repeat(101)];
    for name in names {
        assert_eq!(put(&server, name, Some(&server.token), &json!({ "address": "10.0.0.1" })).0, 400, "{name}");
    }
    server.stop();
}

#[test]
fn there_is_a_limit_to_targets() {
    let server = Server::start(|_| {});
    let (_socket, target) = collector();
    for number in 0..finderscope_server::forward::TARGETS_MAX {
        assert_eq!(put(&server, &format!("t{number}"), Some(&server.token), &target).0, 204);
    }
    let (status, text) = put(&server, "one-more", Some(&server.token), &target);
    assert_eq!((status, text.contains("targets already")), (503, true), "{text}");
    assert_eq!(put(&server, "t0", Some(&server.token), &target).0, 204, "what is there can be changed");
    server.stop();
}

#[test]
fn targets_of_the_configuration_are_there_from_the_start_and_stay() {
    let (socket, target) = collector();
    let port = socket.local_addr().unwrap().port();
    let to = ForwardTo { name: "backup".into(), address: "127.0.0.1".into(), port: Some(port), agents: Vec::new() };
    let server = Server::start(|config| config.forward.to.push(to));
    send(&server, 0..3);
    assert_eq!((0..3).map(|_| receive(&socket)).collect::<Vec<_>>(), (0..3).map(sflow).collect::<Vec<_>>());
    let (status, text) = put(&server, "backup", Some(&server.token), &target);
    assert_eq!((status, text.as_str()), (409, "backup is in the configuration, and is changed there\n"));
    assert_eq!(server.ask("DELETE", "/forwarding/backup/json", Some(&server.token), "").status, 409);
    server.stop();
}

#[test]
fn putting_the_same_target_again_leaves_it_running() {
    let server = Server::start(|_| {});
    let (socket, target) = collector();
    let token = Some(server.token.as_str());
    assert_eq!(put(&server, "a", token, &target).0, 204);
    send(&server, 0..10);
    assert_eq!((0..10).map(|_| receive(&socket)).collect::<Vec<_>>(), (0..10).map(sflow).collect::<Vec<_>>());
    server.until("it is counted", |status| status.forwarding[0].sent == 10);
    assert_eq!(put(&server, "a", token, &target).0, 204);
    assert_eq!(server.collector.board().status().forwarding[0].sent, 10, "another one would count from 0");
    let (_elsewhere, other) = collector();
    assert_eq!(put(&server, "a", token, &other).0, 204);
    assert_eq!(server.collector.board().status().forwarding[0].sent, 0);
    server.stop();
}

#[test]
fn a_new_configuration_changes_targets_and_what_is_the_same_goes_on() {
    let to = |name: &str, target: &Value| ForwardTo {
        name: name.into(),
        address: "127.0.0.1".into(),
        port: target["port"].as_u64().map(|port| port as u16),
        agents: Vec::new(),
    };
    let ((kept, to_kept), (_gone, to_gone), (new, to_new)) = (collector(), collector(), collector());
    let mut old = Config::default();
    let server = Server::start(|config| {
        config.forward.to = vec![to("kept", &to_kept), to("gone", &to_gone)];
        old = config.clone();
    });
    assert_eq!(put(&server, "by-hand", Some(&server.token), &to_gone).0, 204);
    send(&server, 0..10);
    server.until("it is counted", |status| status.forwarding.iter().all(|target| target.sent == 10));

    let mut config = old.clone();
    config.forward.to = vec![to("kept", &to_kept), to("new", &to_new)];
    config.forward.allow = vec!["127.0.0.0/8".parse().unwrap()];
    config.live.subscribers = 1;
    config.http.connections_per_address = 3;
    assert_eq!(server.collector.reload(&old, &config), Vec::<&str>::new(), "nothing waits for the next start");
    let status = server.collector.board().status();
    let names: Vec<_> = status.forwarding.iter().map(|target| (target.name.as_str(), target.sent)).collect();
    assert_eq!(names, [("by-hand", 10), ("kept", 10), ("new", 0)]);
    assert_eq!((status.live.subscribers_max, status.connections.per_address_max), (1, 3));
    send(&server, 10..20);
    assert_eq!((0..20).map(|_| receive(&kept)).collect::<Vec<_>>(), (0..20).map(sflow).collect::<Vec<_>>());
    assert_eq!((0..10).map(|_| receive(&new)).collect::<Vec<_>>(), (10..20).map(sflow).collect::<Vec<_>>());
    assert_eq!(put(&server, "by-guest", None, &to_new).0, 204, "forward.allow holds at once");
    config.http.listen = "off".parse().unwrap();
    assert_eq!(server.collector.reload(&old, &config), ["http.listen"]);
    server.stop();
}
