//! One id for a request, its log lines, its audit events and its answer.

use crate::state::AppState;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use std::sync::Arc;
use vestibule_domain::id::uuid_v7;
use vestibule_domain::{Clock, Rng};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// 1 to 128 of letters, digits, `.`, `_` and `-`: safe in a log line and in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    const MAX_BYTES: usize = 128;

    fn parse(text: &str) -> Option<Self> {
        let is_sane = (1..=Self::MAX_BYTES).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
        is_sane.then(|| Self(text.into()))
    }

    fn generate(clock: &dyn Clock, rng: &dyn Rng) -> Self {
        Self(uuid_v7(clock, rng).to_string().into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Takes the client's id if it is sane and the only one, so that a request can be followed through several services.
pub(super) fn assign(request: &mut Request, state: &AppState) -> RequestId {
    let mut sent = request.headers().get_all(X_REQUEST_ID).iter();
    let only = sent.next().filter(|_| sent.next().is_none());
    let ports = &state.services.ports;
    let id = only
        .and_then(|value| RequestId::parse(value.to_str().ok()?))
        .unwrap_or_else(|| RequestId::generate(&*ports.clock, &*ports.rng));
    request.extensions_mut().insert(id.clone());
    id
}

pub(super) fn tell(id: &RequestId, response: &mut Response) {
    if let Ok(header) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, header);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sane_id_is_taken() {
        for sane in ["a", "0190b5a2-7c3e-7a00-8000-000000000000", "A.b_c-9", &"x".repeat(128)] {
            assert_eq!(RequestId::parse(sane).unwrap().as_str(), sane);
        }
        for insane in ["", "a b", "a\tb", "a,b", "a/b", "ü", "a\u{1b}[31m", &"x".repeat(129)] {
            assert_eq!(RequestId::parse(insane), None, "{insane:?}");
        }
    }
}
