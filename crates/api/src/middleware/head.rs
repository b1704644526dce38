//! Answers to HEAD: those to GET, without their bodies (RFC 9110, section 9.3.2).

use axum::body::{Body, HttpBody};
use axum::response::Response;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};

/// hyper cannot tell the length of a body that it does not see.
pub(super) fn take_body(response: &mut Response) {
    // RFC 9110, section 8.6: those have none, or that of another answer.
    let may_tell = ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&response.status());
    if let Some(length) = response.body().size_hint().exact().filter(|_| may_tell) {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    *response.body_mut() = Body::empty();
}
