//! Where a request came from.

use super::forwarded;
use crate::error::ApiError;
use crate::middleware::RequestId;
use crate::state::AppState;
use axum::extract::{ConnectInfo, FromRequestParts};
use http::header::USER_AGENT;
use http::request::Parts;
use std::net::SocketAddr;
use vestibule_domain::RequestContext;
use vestibule_domain::context::UserAgent;

/// For sessions and the audit trail. Cannot fail.
#[derive(Debug)]
pub(crate) struct Context(pub(crate) RequestContext);

impl FromRequestParts<AppState> for Context {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let user_agent = parts.headers.get(USER_AGENT).and_then(|value| UserAgent::clean(value.to_str().ok()?));
        Ok(Self(RequestContext {
            ip: peer.map(|peer| forwarded::client_address(peer, &parts.headers, &state.http)),
            user_agent,
            request_id: parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned()),
        }))
    }
}
