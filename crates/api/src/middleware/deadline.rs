//! No request takes longer than 10 seconds, but those that wait for news.

use crate::error::ApiError;
use crate::problem::Code;
use crate::routes::well_known::revocations;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Everything that a request waits for has a shorter one of its own; this one is for what was forgotten.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn enforce(request: Request, next: Next) -> Response {
    let waits_for_news = request.uri().path() == revocations::PATH;
    let deadline = if waits_for_news { revocations::DEADLINE } else { DEADLINE };
    let answer = tokio::time::timeout(deadline, next.run(request)).await;
    answer.unwrap_or_else(|late| ApiError::new(Code::DeadlineExceeded).because(late).into_response())
}
