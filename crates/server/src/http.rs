//! HTTP: liveness, metrics and status, for those who may ask.
//!
//! Loopback by default. A request with a foreign `Host` or `Origin` is refused, since a web page can
//! make a browser send it (DNS rebinding). Off loopback every request needs a token, unless
//! `http.open` says that the network can be trusted.

mod guard;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use tokio::net::TcpListener;

pub use guard::Guard;

use crate::board::Board;
use crate::metrics;

/// OpenMetrics' own content type.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves until `stop` resolves.
pub async fn serve(
    listener: TcpListener,
    guard: Guard,
    board: Arc<Board>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = router(guard, board).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

/// All paths, behind the guard.
pub fn router(guard: Guard, board: Arc<Board>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics_text))
        .route("/api/v1/status", get(status))
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
    let text = "no such path; there are /healthz, /metrics and /api/v1/status\n";
    (StatusCode::NOT_FOUND, text).into_response()
}
