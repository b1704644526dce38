//! `POST /revoke`: the end of a token's session, on the word of another service (RFC 7009).

use super::TokenRequest;
use crate::error::ApiError;
use crate::extract::{Context, FromClient};
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;

/// Revoke a token
///
/// For other services (RFC 7009), with credentials from `vestibule clients create`: in the header, or as `client_id`
/// and `client_secret` in the form. Ends the session to which the access token or refresh token belongs. What is over
/// already, or never was a token, is no error and answers alike.
#[utoipa::path(
    post,
    path = "/revoke",
    tag = "Services",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    security(("client" = [])),
    responses((status = 200, description = "It is not good any more.")),
)]
pub(super) async fn revoke_token(
    State(state): State<AppState>,
    Context(context): Context,
    FromClient { client, token }: FromClient,
) -> Result<StatusCode, ApiError> {
    state.services.sessions.revoke(&token, client, &context).await?;
    Ok(StatusCode::OK)
}
