//! No request takes longer than 10 seconds.

use crate::error::ApiError;
use crate::problem::Code;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Everything that a request waits for has a shorter one of its own; this one is for what was forgotten.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn enforce(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(DEADLINE, next.run(request)).await;
    answer.unwrap_or_else(|late| ApiError::new(Code::DeadlineExceeded).because(late).into_response())
}
