//! The span around a request, its line in the log, and its place in the metrics.

use super::RequestId;
use crate::extract::client_address;
use crate::metrics::Operation;
use crate::routing::Matched;
use crate::state::AppState;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::Method;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tracing::Span;

/// A request under way.
pub(super) struct Exchange<'a> {
    pub(super) span: Span,
    operation: &'a Operation,
    began: Duration,
}

impl<'a> Exchange<'a> {
    pub(super) fn begin(request: &Request, state: &AppState, matched: Matched<'a>, id: &RequestId) -> Self {
        let (span, operation) = (span(request, state, matched.route(), id), matched.operation);
        Self { span, operation, began: state.services.ports.clock.monotonic() }
    }

    /// To be called within the span.
    pub(super) fn end(&self, response: &Response, state: &AppState) {
        let elapsed = state.services.ports.clock.monotonic().saturating_sub(self.began);
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        // A field: as a format string it would be formatted each time.
        tracing::info!(message = "answered", status = response.status().as_u16(), elapsed_ms);
        state.metrics.count_answer(self.operation, response.status(), elapsed);
    }
}

/// Names the route, not the URL, and no method of the client's own making: whatever a client puts there, a token by
/// mistake or a line break on purpose, stays out of the log.
fn span(request: &Request, state: &AppState, route: Option<&str>, id: &RequestId) -> Span {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let client = peer.map(|peer| written(client_address(peer, request.headers(), &state.http)));
    tracing::info_span!(
        "request",
        request_id = id.as_str(),
        method = name(request.method()),
        route = route.unwrap_or("unknown"),
        client = client.as_deref(),
    )
}

/// As `Display` writes it, which takes ten times as long for IPv4.
fn written(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else { return address.to_string() };
    let mut text = String::with_capacity("255.255.255.255".len());
    for octet in address.octets() {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(itoa::Buffer::new().format(octet));
    }
    text
}

fn name(method: &Method) -> &str {
    const STANDARD: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    if STANDARD.contains(method) { method.as_str() } else { "unknown" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_address_is_written_as_display_does(address in any::<IpAddr>()) {
            prop_assert_eq!(written(address), address.to_string());
        }
    }
}
