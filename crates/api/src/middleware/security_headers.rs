//! Headers that every answer carries.

use crate::state::AppState;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};

/// A year (RFC 6797, section 6.1.1); of this host alone, as what else lies in its domain is not ours to say.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Nothing is cached unless its handler says so: most answers are personal.
pub(super) fn add(response: &mut Response, state: &AppState) {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if state.http.hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
