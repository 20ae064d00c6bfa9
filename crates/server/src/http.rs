//! HTTP: liveness, metrics and status, for those who may ask.
//!
//! Loopback by default. A request with a foreign `Host` or `Origin` is refused, since a web page can
//! make a browser send it (DNS rebinding). Reading packets and changing the server needs a token, and
//! off loopback every request does, unless `http.open` says that the network can be trusted.
//!
//! Nobody has to be trusted with time, memory or descriptors: connections, heads, bodies and pauses have bounds.

mod accept;
mod ask;
mod body;
pub(crate) mod connections;
mod forwarding;
mod guard;
mod live;
mod pulse;
mod relaxed;
mod shape;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub use guard::Guard;

use crate::board::Board;
use crate::metrics;
use crate::status::Status;

/// OpenMetrics' own content type.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Figures that are put together at once: more would wait for the shards just the same.
static ASKING: Semaphore = Semaphore::const_new(4);

/// Serves until `stop` resolves.
pub async fn serve(
    listener: TcpListener,
    guard: Guard,
    board: Arc<Board>,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let connections = Arc::clone(&board.connections);
    connections.leave_descriptors();
    accept::serve(listener, router(guard, board), connections, stop).await
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
        .layer(middleware::from_fn_with_state(Arc::clone(&board), body::read))
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
    asked(board, |status| ([(header::CONTENT_TYPE, METRICS_TYPE)], metrics::text(&status)).into_response()).await
}

async fn status(State(board): State<Arc<Board>>) -> Response {
    asked(board, |status| Json(status).into_response()).await
}

/// Asks the shards for their figures, which takes its time, beside what else is answered.
async fn asked(board: Arc<Board>, answer: impl FnOnce(Status) -> Response + Send + 'static) -> Response {
    let place = ASKING.acquire().await;
    let answered = tokio::task::spawn_blocking(move || answer(board.status())).await;
    drop(place);
    answered.unwrap_or_else(|error| {
        tracing::error!(%error, "the status cannot be told");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

async fn not_found() -> Response {
    let text = "no such path; there are /healthz, /metrics, /api/v1/status, /api/v1/packets, /api/v1/deliveries and /forwarding/json\n";
    (StatusCode::NOT_FOUND, text).into_response()
}
