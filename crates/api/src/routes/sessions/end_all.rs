//! `DELETE /users/{user}/sessions`: the end of all sessions but the current one.

use crate::error::ApiError;
use crate::extract::{Context, FreshBearer, Nothing, TargetUser};
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use vestibule_domain::access::Authority;

/// End all other sessions
///
/// All of the user's but the one that asks. Another's need `users:write`.
#[utoipa::path(
    delete,
    path = "/users/{user}/sessions",
    tag = "Sessions",
    params(TargetUser),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "Ended; also if there were none."),
        (status = 404, description = "not_found"),
    ),
)]
pub(super) async fn end_sessions(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    TargetUser(target): TargetUser,
    Context(context): Context,
    Nothing: Nothing,
) -> Result<StatusCode, ApiError> {
    state.services.sessions.end_all(Authority::User(&caller), target, &context).await?;
    Ok(StatusCode::NO_CONTENT)
}
