//! `POST /refresh`: new tokens for a refresh token.

use super::tokens::{self, Tokens};
use crate::extract::{Body, Context, Fields, ReadJson};
use crate::rate_limit;
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use utoipa::ToSchema;
use vestibule_domain::session::RefreshToken;

#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshRequest {
    #[schema(value_type = String, pattern = "^vrt_[A-Za-z0-9_-]{92}$", write_only,
        examples("vrt_AZC1onw-egCAAAAAAAAAANNKVpq3qqVNrNcVrmSVNFUruA1Tex2j44vTA2GqhVaGveDqzXFi_vaiX-l79SeiWxikluLd"))]
    refresh_token: PresentedToken,
}

/// What no session can know is as good as unknown: it is no fault of the request's form.
#[derive(Debug)]
pub(super) struct PresentedToken(pub(super) Option<RefreshToken>);

impl PresentedToken {
    pub(super) fn read(text: &str) -> Self {
        Self(RefreshToken::parse(text).ok())
    }
}

impl ReadJson for RefreshRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let refresh_token = fields.required("refresh_token", |text| Ok(PresentedToken::read(text)));
        Some(Self { refresh_token: refresh_token? })
    }
}

/// Refresh a session
///
/// Each use gives a new refresh token. The one before, presented again within 10 seconds, gives the same new one, so
/// that a lost answer logs nobody out; an older one ends the session. Unknown, expired, revoked and reused tokens
/// answer alike.
#[utoipa::path(
    post,
    path = "/refresh",
    tag = "Sessions",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "The session goes on.", body = Tokens<'_>),
        (status = 401, description = "invalid_refresh_token"),
        (status = 429, description = "rate_limited"),
    ),
)]
pub(super) async fn refresh_session(
    State(state): State<AppState>,
    Context(context): Context,
    Body(RefreshRequest { refresh_token: PresentedToken(token) }): Body<RefreshRequest>,
) -> Response {
    rate_limit::answer(state.services.sessions.refresh(token, &context).await, |sign_in| tokens::grant(&sign_in))
}
