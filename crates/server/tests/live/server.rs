//! A collector with HTTP, and the plainest of clients.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use finderscope_server::collector::Collector;
use finderscope_server::config::{Config, Listen};
use finderscope_server::http::{self, Guard};
use finderscope_server::status::Status;
use finderscope_server::token;
use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{DatagramHeader, Encoder, FlowHeader, FlowRecord, SampledHeader};
use tokio::sync::oneshot;

/// Nothing here takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// What `serve` gives connections at its end.
const HTTP_ENDS_WITHIN: Duration = Duration::from_secs(2);

pub(crate) struct Server {
    pub(crate) collector: Collector,
    pub(crate) http: SocketAddr,
    pub(crate) token: String,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = vec![Listen("udp://127.0.0.1:0".parse().unwrap())];
        let mut config = Config { data: Some(folder.path().to_owned()), listen, shards: 1, ..Config::default() };
        change(&mut config);
        let collector = Collector::start(&config).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let token = token::read_or_make(folder.path()).unwrap();
        let guard = Guard::new(&config.http, address).with_token(token.clone(), token::path(folder.path()));
        let (stop, stopped) = oneshot::channel();
        let board = collector.board().clone();
        let serving = runtime.spawn(http::serve(listener, guard, board, async {
            let _ = stopped.await;
        }));
        Self { collector, http: address, token, stop, serving, runtime, folder }
    }

    pub(crate) fn listener(&self) -> SocketAddr {
        self.collector.listening()[0].address
    }

    /// Sends a request: the answer's status line and what follows the headers, until the server closes or for ever.
    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let length = body.len();
        // In HTTP/1.0 the body is all that comes until the end.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nhost: localhost\r\nuser-agent: tests\r\n{token}content-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        Answer::read(stream)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, Some(&self.token), "")
    }

    /// Waits until the status says what is asked for.
    pub(crate) fn until(&self, what: &str, done: impl Fn(&Status) -> bool) -> Status {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.collector.board().status();
            if done(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "{what}: {:#?}", (&status.totals, &status.live, &status.forwarding));
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Ends as `serve` does: what is on its way to a reader still gets there, if it reads.
    pub(crate) fn stop(self) -> tempfile::TempDir {
        self.collector.stop();
        drop(self.stop);
        // Who does not read is not waited for any longer.
        let serving = self.serving;
        let _ = self.runtime.block_on(async { tokio::time::timeout(HTTP_ENDS_WITHIN, serving).await });
        drop(self.runtime);
        self.folder
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: TcpStream,
}

impl Answer {
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: stream }
    }

    /// All of a body that ends.
    pub(crate) fn text(mut self) -> String {
        let mut text = String::new();
        self.body.read_to_string(&mut text).unwrap();
        text
    }
}

/// An sFlow datagram with a packet, of which each number makes another.
pub(crate) fn sflow(number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let agent = Some("192.0.2.7".parse().unwrap());
    let header = DatagramHeader { agent, sequence_number: number, ..DatagramHeader::default() };
    let mut datagram = Encoder::new(&mut bytes, &header);
    datagram.flow_sample(&FlowHeader { sequence_number: number, ..FlowHeader::default() }).record(
        &FlowRecord::SampledHeader(SampledHeader {
            protocol: HeaderProtocol::ETHERNET,
            frame_length: 1_000,
            stripped: 4,
            header: &frame(number),
        }),
    );
    bytes
}

/// The packet's first bytes.
pub(crate) fn frame(number: u32) -> Vec<u8> {
    let mut frame = vec![2; 12];
    frame.extend([0x88, 0xb5]); // an experimental type
    frame.extend(number.to_be_bytes());
    frame.resize(128, 0);
    frame
}

/// So many datagrams find room in a socket's buffer, also where nobody may have more than the kernel's usual one.
pub(crate) const BURST: usize = 200;

/// Sends sFlow with these numbers: not more at once than [`BURST`].
pub(crate) fn send(server: &Server, numbers: std::ops::Range<u32>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for number in numbers {
        socket.send_to(&sflow(number), server.listener()).unwrap();
    }
}
