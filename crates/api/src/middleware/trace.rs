//! The span around a request, its line in the log, and its place in the metrics.

use super::RequestId;
use crate::extract::client_address;
use crate::state::AppState;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use std::net::SocketAddr;
use tracing::{Instrument, Span, field};

/// Names the route, not the URL, and no method of the client's own making: whatever a client puts there, a token by
/// mistake or a line break on purpose, stays out of the log.
pub(super) async fn record(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let clock = &state.services.ports.clock;
    let began = clock.monotonic();
    let span = span(&request, &state);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).instrument(span.clone()).await;
    let (status, elapsed) = (response.status(), clock.monotonic().saturating_sub(began));
    span.in_scope(|| tracing::info!(status = status.as_u16(), elapsed_ms = elapsed.as_millis(), "answered"));
    state.metrics.count_answer(&method, route.as_ref(), status, elapsed);
    response
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

fn span(request: &Request, state: &AppState) -> Span {
    let extensions = request.extensions();
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let client = peer.map(|peer| client_address(peer, request.headers(), &state.http));
    tracing::info_span!(
        "request",
        request_id = extensions.get::<RequestId>().map(RequestId::as_str),
        method = name(request.method()),
        route = extensions.get::<MatchedPath>().map_or("unknown", MatchedPath::as_str),
        client = client.map(field::display),
    )
}
