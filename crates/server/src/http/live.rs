//! `/api/v1/packets` and `/api/v1/deliveries`: what comes in, as it comes, for as long as somebody reads.
//!
//! Each reader has a thread, which takes parcels from the tap, gives them the form that was asked for, and hands them to the
//! connection. When the reader does not read, the thread waits, its queue at the tap fills, and what comes then is lost to
//! this reader alone. When the connection ends, its body is dropped, and with it the place at the tap.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use finderscope_packets::live::DELIVERIES;
use futures::Stream;
use tokio::sync::mpsc;

use super::ask::{self, Wrong};
use super::guard::Trusted;
use super::pulse::Pulse;
use super::shape::Shape;
use crate::board::Board;
use crate::tap::{Mailbox, Parcel, Refused, Seat, Wanted, Who};

/// Chunks between a reader's thread and its connection.
const CHUNKS: usize = 2;
/// A chunk goes out when nothing more is queued, or when it is so large.
const CHUNK_BYTES: usize = 128 << 10;
/// How much of a program's name is kept.
const AGENT_CHARS_MAX: usize = 60;

type Parameters = Query<Vec<(String, String)>>;

/// A stream of packets.
pub(super) async fn packets(
    _: Trusted,
    State(board): State<Arc<Board>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(pulse): Extension<Pulse>,
    headers: HeaderMap,
    Query(parameters): Parameters,
) -> Response {
    match ask::packets(&parameters).await {
        Ok((content_type, shape)) => {
            let stream = Asked { stream: "packets", wanted: Wanted::Packets, content_type, shape };
            stream.begin(&board, peer, &headers, &pulse)
        }
        Err(Wrong::Request(text)) => bad(&text),
        Err(Wrong::Busy(text)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{text}\n")).into_response(),
    }
}

/// A stream of whole datagrams.
pub(super) async fn deliveries(
    _: Trusted,
    State(board): State<Arc<Board>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(pulse): Extension<Pulse>,
    headers: HeaderMap,
    Query(parameters): Parameters,
) -> Response {
    match ask::deliveries(&parameters) {
        Ok(shape) => {
            let shape = Box::new(shape);
            let stream = Asked { stream: "deliveries", wanted: Wanted::Deliveries, content_type: DELIVERIES, shape };
            stream.begin(&board, peer, &headers, &pulse)
        }
        Err(error) => bad(&error),
    }
}

fn bad(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response()
}

/// A stream that somebody asked for.
struct Asked {
    stream: &'static str,
    wanted: Wanted,
    content_type: &'static str,
    shape: Box<dyn Shape>,
}

impl Asked {
    /// Takes a place at the tap and begins to answer.
    fn begin(self, board: &Board, peer: SocketAddr, headers: &HeaderMap, pulse: &Pulse) -> Response {
        let who = Who::Guest { peer, agent: program(headers), stream: self.stream };
        let (mailbox, seat) = match board.tap.subscribe(self.wanted, who) {
            Ok(place) => place,
            Err(refused) => return no_place(refused),
        };
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let shape = self.shape;
        let name = format!("live-{}", self.stream);
        let thread = std::thread::Builder::new().name(name).spawn(move || pump(mailbox, shape, &sender));
        if let Err(error) = thread {
            tracing::error!(%error, "no thread for a live stream");
            return (StatusCode::SERVICE_UNAVAILABLE, format!("no thread can be had: {error}\n")).into_response();
        }
        pulse.may_pause(); // what it does not read is its own loss
        let headers = [(header::CONTENT_TYPE, self.content_type), (header::CACHE_CONTROL, "no-store")];
        (headers, Body::from_stream(Chunks { chunks, _seat: seat })).into_response()
    }
}

fn no_place(refused: Refused) -> Response {
    let status = match refused {
        Refused::Full(_) => StatusCode::TOO_MANY_REQUESTS,
        Refused::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{refused}\n")).into_response()
}

/// What the reader calls itself, without what could confuse a terminal.
fn program(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.chars().filter(|char| char.is_ascii_graphic() || *char == ' ').take(AGENT_CHARS_MAX).collect()
}

/// The body of the answer. It is dropped when the connection ends, however that comes, and with it the place at the tap.
struct Chunks {
    chunks: mpsc::Receiver<Bytes>,
    _seat: Seat,
}

impl Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_recv(context).map(|chunk| chunk.map(Ok))
    }
}

/// A reader's thread: from its mailbox to its connection, until either ends.
fn pump(mut mailbox: Mailbox, mut shape: Box<dyn Shape>, chunks: &mpsc::Sender<Bytes>) {
    let mut out = Vec::new();
    let mut told = 0;
    shape.begin(&mut out);
    loop {
        // What is here goes out together; before waiting for more, it goes.
        let next = match mailbox.next_if_here() {
            Some(parcel) => Some(parcel),
            None if pass(&mut out, chunks) => mailbox.next(),
            None => return,
        };
        let is_read = match &next {
            Some(parcel) => {
                let is_read = forward(parcel, &mut *shape, &mut out, chunks);
                mailbox.passed_on(parcel);
                is_read
            }
            None => true,
        };
        let lost = mailbox.sent().lost;
        if lost != told && shape.tell(lost, &mut out) {
            told = lost;
        }
        if next.is_none() {
            pass(&mut out, chunks);
            return;
        }
        if !is_read {
            return;
        }
    }
}

/// Passes a parcel on, or puts it behind what waits to be passed on; false when nobody reads any more.
fn forward(parcel: &Arc<Parcel>, shape: &mut dyn Shape, out: &mut Vec<u8>, chunks: &mpsc::Sender<Bytes>) -> bool {
    if let Some(whole) = shape.whole(parcel) {
        return pass(out, chunks) && chunks.blocking_send(whole).is_ok();
    }
    shape.take(parcel, out);
    out.len() < CHUNK_BYTES || pass(out, chunks)
}

/// Hands over what there is; false when nobody reads any more.
fn pass(out: &mut Vec<u8>, chunks: &mpsc::Sender<Bytes>) -> bool {
    if out.is_empty() {
        return true;
    }
    let next = Vec::with_capacity(out.len());
    chunks.blocking_send(Bytes::from(std::mem::replace(out, next))).is_ok()
}
