//! No request takes longer than 10 seconds, but those that wait for news.

use crate::error::ApiError;
use crate::problem::Code;
use crate::routes::well_known::revocations;
use axum::extract::Request;
use axum::response::Response;
use std::time::Duration;
use tokio::time::error::Elapsed;

/// Everything that a request waits for has a shorter one of its own; this one is for what was forgotten.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) fn of(request: &Request) -> Duration {
    let waits_for_news = request.uri().path() == revocations::PATH;
    if waits_for_news { revocations::DEADLINE } else { DEADLINE }
}

pub(super) fn kept(answer: Result<Response, Elapsed>) -> Result<Response, ApiError> {
    answer.map_err(|late| ApiError::new(Code::DeadlineExceeded).because(late))
}
