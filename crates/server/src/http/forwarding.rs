//! `/forwarding/json` and `/forwarding/NAME/json`: to whom sFlow is sent on, as sFlow-RT's clients ask for it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Map, Value};

use super::guard::Access;
use super::relaxed;
use crate::board::Board;
use crate::forward::{ForwardError, Target};

/// All targets, by name.
pub(super) async fn all(State(board): State<Arc<Board>>) -> Response {
    let targets = board.forwards.figures().into_iter();
    let object: Map<String, Value> = targets.map(|target| (target.name, target.target.to_json())).collect();
    Json(object).into_response()
}

/// One target.
pub(super) async fn one(State(board): State<Arc<Board>>, Path(name): Path<String>) -> Response {
    match board.forwards.get(&name) {
        Some(target) => Json(target.to_json()).into_response(),
        None => refused(&ForwardError::Unknown(name)),
    }
}

/// Begins to send datagrams on, or changes to where.
pub(super) async fn put(
    access: Access,
    State(board): State<Arc<Board>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let target = match relaxed::read(&body).and_then(|body| Target::read(&body).map_err(|error| error.to_string())) {
        Ok(target) => target,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    // Without the token nothing leaves for another place, and nobody's forwarding is turned aside.
    let allowed = board.forwards.allows(&target) && may_change(&board, &name);
    if !allowed && let Err(refusal) = access.trusted() {
        return refusal.into_response();
    }
    done(board.forwards.put(&name, target, false))
}

/// Ends it.
pub(super) async fn delete(access: Access, State(board): State<Arc<Board>>, Path(name): Path<String>) -> Response {
    if !may_change(&board, &name)
        && let Err(refusal) = access.trusted()
    {
        return refusal.into_response();
    }
    done(board.forwards.remove(&name))
}

/// Whether somebody without a token could have made what has this name.
fn may_change(board: &Board, name: &str) -> bool {
    board.forwards.get(name).is_none_or(|target| board.forwards.allows(&target))
}

fn done(result: Result<(), ForwardError>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &ForwardError) -> Response {
    let status = match error {
        ForwardError::Loop(_) | ForwardError::Name => StatusCode::BAD_REQUEST,
        ForwardError::Configured(_) => StatusCode::CONFLICT,
        ForwardError::Unknown(_) => StatusCode::NOT_FOUND,
        ForwardError::Full | ForwardError::System { .. } => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{error}\n")).into_response()
}
