//! Those who connect and mean no good, or nothing at all: they get no more than their share of the server.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

use crate::server::{Answer, PATIENCE, Server};

const QUESTION: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn connect(server: &Server) -> TcpStream {
    connect_from("127.0.0.1:0", server)
}

/// A connection from an address of our choice.
fn connect_from(address: &str, server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&address.parse::<SocketAddr>().unwrap().into()).unwrap();
    socket.connect(&server.http.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Whether the connection has a place: its question is answered.
fn is_answered(mut stream: &TcpStream) -> bool {
    stream.write_all(QUESTION).unwrap();
    let mut answer = [0; 256];
    let length = stream.read(&mut answer).unwrap();
    answer[..length].starts_with(b"HTTP/1.1 200 ")
}

/// Everything until the server's end.
fn rest(mut stream: &TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("the connection does not end: {error}"),
        _ => String::from_utf8(bytes).unwrap(),
    }
}

#[test]
fn a_head_that_comes_byte_by_byte_does_not_keep_its_connection() {
    let server = Server::start(|config| config.http.request_seconds = 1);
    let mut slow: Vec<_> = (0..20).map(|_| connect(&server)).collect();
    let began = Instant::now();
    for byte in QUESTION.iter().cycle().filter(|byte| **byte != b'\n') {
        // Once the server has closed it, writing to it fails.
        slow.retain_mut(|stream| stream.write_all(&[*byte]).is_ok());
        if slow.is_empty() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{} connections are still there", slow.len());
        assert_eq!(server.ask("GET", "/healthz", None, "").status, 200, "others are answered meanwhile");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let status = server.until("all are gone", |status| status.connections.open == 0);
    assert_eq!((status.connections.timed_out, status.connections.refused), (20, 0));
    server.stop();
}

#[test]
fn a_connection_may_rest_between_requests_and_not_for_ever() {
    let server = Server::start(|config| config.http.idle_seconds = 1);
    let kept = connect(&server);
    assert!(is_answered(&kept) && is_answered(&kept), "it is kept");
    assert_eq!(rest(&kept), "");
    server.until("it is counted", |status| status.connections.timed_out == 1);
    server.stop();
}

#[test]
fn who_finds_no_place_is_told_so_and_counted() {
    let server = Server::start(|config| config.http.connections = 3);
    // Live streams are connections, too.
    let stream = server.get("/api/v1/deliveries");
    let idle: Vec<_> = (0..2).map(|_| connect(&server)).collect();
    server.until("they have their places", |status| status.connections.open == 3);
    let refused = Answer::read(connect(&server));
    assert_eq!(refused.status, 503);
    assert_eq!(refused.text(), "there are 3 connections already; hint: http.connections\n");
    let status = server.collector.board().status();
    let connections = &status.connections;
    assert_eq!((connections.open, connections.max, connections.refused), (3, 3, 1));
    assert!(status.problems.iter().any(|problem| problem.what.contains("1 HTTP connections were turned away")));
    drop(idle);
    server.until("there is room", |status| status.connections.open == 1);
    let metrics = server.ask("GET", "/metrics", None, "").text();
    for line in [
        "finderscope_http_connections 2",
        "finderscope_http_refused_total{limit=\"connections\"} 1",
        "finderscope_http_refused_total{limit=\"connections_per_address\"} 0",
        "finderscope_http_timed_out_total{} 0",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line} is not in {metrics}");
    }
    drop(stream);
    server.stop();
}

#[test]
fn one_address_cannot_keep_others_out() {
    let server = Server::start(|config| config.http.connections_per_address = 2);
    let theirs: Vec<_> = (0..2).map(|_| connect_from("127.0.0.2:0", &server)).collect();
    assert!(theirs.iter().all(is_answered));
    let refused = rest(&connect_from("127.0.0.2:0", &server));
    assert!(refused.contains("there are 2 connections from this address already"), "{refused}");
    assert!(is_answered(&connect_from("127.0.0.3:0", &server)));
    server.until("it is counted", |status| status.connections.refused_of_address == 1);
    server.stop();
}

#[test]
fn questions_are_answered_beside_thousands_of_idle_connections() {
    const IDLE: usize = 3_000;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let server = Server::start(|_| {});
    let idle: Vec<_> = (0..IDLE).map(|_| connect_from("127.0.0.2:0", &server)).collect();
    for _ in 0..20 {
        assert_eq!(server.ask("GET", "/api/v1/status", None, "").status, 200);
    }
    let places = server.collector.board().status().connections.per_address_max;
    let refused = (IDLE - places) as u64;
    let status = server.until("all have come", |status| status.connections.refused_of_address == refused);
    assert!(status.connections.open <= places + 1);
    drop(idle);
    server.until("all are gone", |status| status.connections.open == 0);
    server.stop();
}

#[test]
fn a_half_closed_connection_frees_its_place() {
    let server = Server::start(|_| {});
    let before_asking = connect(&server);
    before_asking.shutdown(Shutdown::Write).unwrap();
    let within_a_head = connect(&server);
    (&within_a_head).write_all(&QUESTION[..20]).unwrap();
    within_a_head.shutdown(Shutdown::Write).unwrap();
    let live = server.get("/api/v1/deliveries").body;
    live.shutdown(Shutdown::Write).unwrap();
    let status = server.until("all are gone", |status| status.connections.open == 0);
    assert_eq!((status.connections.timed_out, status.live.subscribers.len()), (0, 0));
    server.stop();
}

#[test]
fn who_never_reads_its_answers_is_not_waited_for() {
    let server = Server::start(|config| config.http.stall_seconds = 1);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.http.into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut asking = TcpStream::from(socket);
    // One question behind the other, until all buffers are full of answers and the connection is ended.
    let began = Instant::now();
    while let Ok(()) | Err(ErrorKind::WouldBlock) =
        asking.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").map_err(|error| error.kind())
    {
        assert!(began.elapsed() < 2 * PATIENCE, "it is still there");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    server.until("it is counted", |status| (status.connections.open, status.connections.timed_out) == (0, 1));
    server.stop();
}

#[test]
fn a_live_stream_may_be_paused() {
    let server = Server::start(|config| {
        config.http.request_seconds = 1;
        config.http.idle_seconds = 1;
        config.http.stall_seconds = 1;
    });
    let live = server.get("/api/v1/deliveries");
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2_500) {
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let status = server.collector.board().status();
    assert_eq!((status.live.subscribers.len(), status.connections.timed_out), (1, 0));
    drop(live);
    server.stop();
}

#[test]
fn heads_and_bodies_have_their_limits() {
    let server = Server::start(|config| config.http.request_seconds = 1);
    let ask = |head: String| {
        let mut stream = connect(&server);
        // The server may have said enough before it has read everything.
        drop(stream.write_all(head.as_bytes()));
        Answer::read(stream)
    };
    let long = "x".repeat(40 << 10);
    assert_eq!(ask(format!("GET /healthz?{long} HTTP/1.1\r\nhost: localhost\r\n\r\n")).status, 431);
    let put = |length: usize| {
        let token = &server.token;
        format!(
            "PUT /forwarding/a/json HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{{"
        )
    };
    assert_eq!(ask(put(2 << 20)).status, 413);
    let late = ask(put(100));
    assert_eq!(late.status, 408);
    server.stop();
}
