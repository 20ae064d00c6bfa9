//! What comes with a request: read before it is answered, so that neither its size nor its slowness is anybody else's matter.

use std::sync::Arc;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::board::Board;

/// More than the longest list of agents.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Reads the body, or says why not.
pub(super) async fn read(State(board): State<Arc<Board>>, request: Request, next: Next) -> Response {
    let within = board.connections.limits().request;
    let (head, body) = request.into_parts();
    let too_large = |why: &dyn std::fmt::Display| {
        let text = format!("the body cannot be read, or is over {BODY_BYTES_MAX} bytes: {why}\n");
        (StatusCode::PAYLOAD_TOO_LARGE, text).into_response()
    };
    let announced = body.size_hint().lower();
    if announced > BODY_BYTES_MAX as u64 {
        return too_large(&announced);
    }
    match tokio::time::timeout(within, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(error)) => too_large(&error),
        Err(_) => {
            let text = format!("the body took more than {} s\n", within.as_secs());
            (StatusCode::REQUEST_TIMEOUT, text).into_response()
        }
    }
}
