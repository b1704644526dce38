//! Scripts of other origins (the Fetch standard).

use axum::extract::Request;
use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK,
    LOCATION, ORIGIN, RETRY_AFTER,
};
use http::{HeaderValue, Method};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember a preflight.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Exactly these origins may read answers; none: no CORS at all. Never with credentials: a browser that is to be
/// known sends a bearer token.
pub(super) fn allow(origins: &[HeaderValue]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let named = HeaderName::from_static;
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            IF_NONE_MATCH,
            named("idempotency-key"),
            super::request_id::X_REQUEST_ID,
        ])
        .expose_headers([
            ETAG,
            LINK,
            LOCATION,
            RETRY_AFTER,
            named("ratelimit"),
            named("ratelimit-policy"),
            super::request_id::X_REQUEST_ID,
        ])
        .max_age(MAX_AGE);
    Some(layer)
}

/// Whether the layer may see the request: it takes every `OPTIONS` for a preflight and answers it with 200, whether or
/// not there is such a path.
pub(super) fn concerns(request: &Request) -> bool {
    let headers = request.headers();
    let is_preflight = || headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    request.method() != Method::OPTIONS || is_preflight()
}
