//! A panic costs one request, not the process.

use crate::error::ApiError;
use crate::problem::Code;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;

type Handler = fn(Box<dyn Any + Send>) -> Response;

pub(super) fn catch() -> CatchPanicLayer<Handler> {
    CatchPanicLayer::custom(answer as Handler)
}

/// Its message, which may quote what a client sent, goes nowhere; where it happened is told by the hook of the process.
fn answer(_: Box<dyn Any + Send>) -> Response {
    ApiError::new(Code::InternalError).because("a panic").into_response()
}
