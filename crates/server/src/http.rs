//! HTTP: liveness, metrics and status, for those who may ask.
//!
//! Loopback by default. A request with a foreign `Host` or `Origin` is refused, since a web page can
//! make a browser send it (DNS rebinding). Reading packets and changing the server needs a token, and
//! off loopback every request does, unless `http.open` says that the network can be trusted.

mod ask;
mod forwarding;
mod guard;
mod live;
mod relaxed;
mod shape;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};

pub use guard::Guard;

use crate::board::Board;
use crate::metrics;

/// OpenMetrics' own content type.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Idle connections are asked so often whether somebody is still there, and given up after so many questions.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(20);
const KEEPALIVES_MAX: u32 = 3;

/// Serves until `stop` resolves.
pub async fn serve(
    listener: TcpListener,
    guard: Guard,
    board: Arc<Board>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = router(guard, board).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener.tap_io(prepare), app).with_graceful_shutdown(stop).await
}

/// Packets go out as they come, and a reader that vanished without a word does not keep its place for ever.
fn prepare(stream: &mut TcpStream) {
    let set = || -> rustix::io::Result<()> {
        sockopt::set_tcp_nodelay(&*stream, true)?;
        sockopt::set_tcp_keepidle(&*stream, KEEPALIVE_EVERY)?;
        sockopt::set_tcp_keepintvl(&*stream, KEEPALIVE_EVERY)?;
        sockopt::set_tcp_keepcnt(&*stream, KEEPALIVES_MAX)?;
        sockopt::set_socket_keepalive(&*stream, true)
    };
    if let Err(error) = set() {
        tracing::debug!(%error, "a connection's options cannot be set");
    }
}

/// All paths, behind the guard.
pub fn router(guard: Guard, board: Arc<Board>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics_text))
        .route("/api/v1/status", get(status))
        .route("/api/v1/packets", get(live::packets))
        .route("/api/v1/deliveries", get(live::deliveries))
        .route("/forwarding/json", get(forwarding::all))
        .route("/forwarding/{name}/json", get(forwarding::one).put(forwarding::put).delete(forwarding::delete))
        .fallback(not_found)
        .with_state(board)
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::check))
}

/// 200 while every shard works, 503 with the reasons otherwise.
async fn healthz(State(board): State<Arc<Board>>) -> Response {
    let ailing = board.ailing();
    if ailing.is_empty() {
        return (StatusCode::OK, "ok\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, ailing.join("\n") + "\n").into_response()
}

async fn metrics_text(State(board): State<Arc<Board>>) -> Response {
    ([(header::CONTENT_TYPE, METRICS_TYPE)], metrics::text(&board.status())).into_response()
}

async fn status(State(board): State<Arc<Board>>) -> Response {
    Json(board.status()).into_response()
}

async fn not_found() -> Response {
    let text = "no such path; there are /healthz, /metrics, /api/v1/status, /api/v1/packets, /api/v1/deliveries and /forwarding/json\n";
    (StatusCode::NOT_FOUND, text).into_response()
}
