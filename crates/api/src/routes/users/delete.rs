//! `DELETE /users/{user}`: the end of an account.

use crate::error::ApiError;
use crate::extract::{Context, FreshBearer, IfMatch, Nothing, TargetUser};
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use vestibule_domain::user::DeleteUser;

/// Delete a user
///
/// With everything that belongs to them, except the audit trail. One's own account needs a login within the last 10
/// minutes, another's `users:write`.
#[utoipa::path(
    delete,
    path = "/users/{user}",
    tag = "Users",
    params(TargetUser, IfMatch),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, description = "reauthentication_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "last_admin"),
        (status = 412, description = "stale"),
    ),
)]
pub(super) async fn delete_user(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    TargetUser(id): TargetUser,
    IfMatch(version): IfMatch,
    Context(context): Context,
    Nothing: Nothing,
) -> Result<StatusCode, ApiError> {
    state.services.users.delete(&caller, &DeleteUser { id, version }, &context).await?;
    Ok(StatusCode::NO_CONTENT)
}
