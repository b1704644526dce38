//! Writes the body of every error, whoever made it: a handler, an extractor, routing or a panic.

use super::RequestId;
use crate::error::Outline;
use crate::problem::{Code, Problem};
use crate::state::AppState;
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::uri::PathAndQuery;
use http::{HeaderValue, StatusCode};

/// When to try again, where nobody knows better.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

pub(super) fn render(response: &mut Response, target: Option<&PathAndQuery>, state: &AppState, id: &RequestId) {
    add_challenge_and_delay(response);
    let Some(outline) = outline(response) else { return };
    state.metrics.count_problem(outline.code);
    let problem = Problem {
        kind: format!("{}/problems/{}", state.http.public_url, outline.code.as_str()),
        title: outline.code.title(),
        status: response.status().as_u16(),
        code: outline.code.as_str(),
        error: outline.code.oauth_error(),
        detail: outline.detail,
        instance: target.map_or("", PathAndQuery::path).to_owned(),
        request_id: id.as_str().to_owned(),
        errors: outline.errors,
    };
    // Strings and numbers alone: this cannot fail.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
}

/// Of our own errors; else, of an error without a body of ours, what the status says.
fn outline(response: &mut Response) -> Option<Outline> {
    if let Some(outline) = response.extensions_mut().remove::<Outline>() {
        return Some(outline);
    }
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE);
    let is_ours = content_type.is_some_and(|value| !value.as_bytes().starts_with(b"text/plain"));
    let is_error = status.is_client_error() || status.is_server_error();
    (is_error && !is_ours).then(|| Outline::new(Code::of_status(status)))
}

fn add_challenge_and_delay(response: &mut Response) {
    let status = response.status();
    let headers = response.headers_mut();
    match status {
        // RFC 6750, section 3: without an error code where no token was presented.
        StatusCode::UNAUTHORIZED => {
            headers.entry(WWW_AUTHENTICATE).or_insert(HeaderValue::from_static("Bearer"));
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.entry(RETRY_AFTER).or_insert(RETRY_AFTER_SECONDS);
        }
        _ => {}
    }
}
