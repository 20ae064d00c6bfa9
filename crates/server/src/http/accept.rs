//! Takes connections, as many as there may be, and ends those that do nothing.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustix::net::{SendFlags, Shutdown, sockopt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::connections::{Connections, Place, Refused};
use super::pulse::{Pulse, Watched};
use crate::seldom::Seldom;

/// How large a request's head may be: the longest filter, however it is escaped, and what belongs around it.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// Idle connections are asked so often whether somebody is still there, and given up after so many questions.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(20);
const KEEPALIVES_MAX: u32 = 3;

/// Where the system has no descriptor or no memory for a connection, another moment may be better.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Connections that are being turned away: so many at once are given the time to read why.
const PARTING_MAX: usize = 16;
const PARTING: Duration = Duration::from_secs(1);
static PARTINGS: Semaphore = Semaphore::const_new(PARTING_MAX);

/// Serves until `stop` resolves, and then until the last answer is over.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    connections: Arc<Connections>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stopping, stopped) = watch::channel(());
    let (mut tasks, mut stop, mut told) = (JoinSet::new(), pin!(stop), Seldom::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next() => continue, // what is over is not kept
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => match connections.admit(peer.ip()) {
                Ok(place) => {
                    prepare(&stream);
                    tasks.spawn(answer(stream, peer, app.clone(), place, Arc::clone(&connections), stopped.clone()));
                }
                Err(refused) => turn_away(stream, refused),
            },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if let Some(times) = told.say(Instant::now()) {
                    tracing::error!(%error, times, "no HTTP connection can be taken");
                }
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    drop(stopped);
    drop(stopping);
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// All requests of a connection.
async fn answer(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    place: Place,
    connections: Arc<Connections>,
    mut stopped: watch::Receiver<()>,
) {
    let pulse = Pulse::begin();
    let service = service_fn(|request| respond(request, peer, app.clone(), pulse.clone()));
    let io = TokioIo::new(Watched::new(stream, pulse.clone()));
    let limits = connections.limits();
    let mut connection = pin!(
        http1::Builder::new().header_read_timeout(None).max_header_size(HEAD_BYTES_MAX).serve_connection(io, service)
    );
    let mut overdue = pin!(pulse.stopped(limits));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "a connection ended early");
                }
                break;
            }
            () = &mut overdue => {
                tracing::debug!(%peer, "a connection did nothing for too long");
                connections.count_time_out();
                break;
            }
            // An error is the end of the other side, for which this waits.
            _ = stopped.changed(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
    drop(place);
}

async fn respond(
    mut request: Request<Incoming>,
    peer: SocketAddr,
    app: Router,
    pulse: Pulse,
) -> Result<Response, Infallible> {
    let answering = pulse.answering();
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(pulse);
    let response = TowerToHyperService::new(app).call(request).await?;
    Ok(response.map(|body| answering.until_the_end_of(body)))
}

/// Packets go out as they come, and a reader that vanished without a word does not keep its place for ever.
fn prepare(stream: &TcpStream) {
    let set = || -> rustix::io::Result<()> {
        sockopt::set_tcp_nodelay(stream, true)?;
        sockopt::set_tcp_keepidle(stream, KEEPALIVE_EVERY)?;
        sockopt::set_tcp_keepintvl(stream, KEEPALIVE_EVERY)?;
        sockopt::set_tcp_keepcnt(stream, KEEPALIVES_MAX)?;
        sockopt::set_socket_keepalive(stream, true)
    };
    if let Err(error) = set() {
        tracing::debug!(%error, "a connection's options cannot be set");
    }
}

/// Says why there is no place, without waiting for anything. Whoever sends its request meanwhile would lose the answer if
/// the connection were closed at once, so a few are given a moment.
fn turn_away(stream: TcpStream, refused: Refused) {
    let text = format!("{refused}\n");
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 10\r\n\
         content-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    // Whoever is gone already needs no answer.
    let said = rustix::net::send(stream.as_fd(), answer.as_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
        .and_then(|_| rustix::net::shutdown(stream.as_fd(), Shutdown::Write));
    if said.is_ok()
        && let Ok(parting) = PARTINGS.try_acquire()
    {
        tokio::spawn(async move {
            let _ = tokio::time::timeout(PARTING, read_to_the_end(&stream)).await;
            drop(parting);
        });
    }
}

async fn read_to_the_end(stream: &TcpStream) {
    let mut buffer = [0; 4096];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
