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

/// Its message stays in the log.
#[expect(clippy::needless_pass_by_value, reason = "the layer wants a function of this form")]
fn answer(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    ApiError::new(Code::InternalError).because(format!("panic: {}", message.unwrap_or("?"))).into_response()
}
