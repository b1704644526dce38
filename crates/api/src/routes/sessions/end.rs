//! `DELETE /users/{user}/sessions/{id}`: the end of one session.

use crate::error::ApiError;
use crate::extract::{Context, FreshBearer, Nothing, SessionPath, TargetUser};
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use vestibule_domain::access::Authority;

/// End a session
///
/// Its access tokens are refused everywhere within a second. Another's need `users:write`.
#[utoipa::path(
    delete,
    path = "/users/{user}/sessions/{id}",
    tag = "Sessions",
    params(TargetUser, SessionPath),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "Ended."),
        (status = 404, description = "not_found"),
    ),
)]
pub(super) async fn end_session(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    TargetUser(target): TargetUser,
    SessionPath(session): SessionPath,
    Context(context): Context,
    Nothing: Nothing,
) -> Result<StatusCode, ApiError> {
    state.services.sessions.end(Authority::User(&caller), target, session, &context).await?;
    Ok(StatusCode::NO_CONTENT)
}
