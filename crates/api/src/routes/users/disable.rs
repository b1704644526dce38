//! `POST /users/{user}/disable`: locking an account.

use super::user::{self, User};
use crate::error::ApiError;
use crate::extract::{Context, FreshBearer, Nothing, TargetUser};
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use vestibule_domain::access::Authority;

/// Disable a user
///
/// Ends all their sessions; they cannot log in until they are enabled again. Needs `users:write`.
#[utoipa::path(
    post,
    path = "/users/{user}/disable",
    tag = "Users",
    params(TargetUser),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The user as it is now.", body = User<'_>, headers(
            ("etag" = String, description = "For `If-Match`."),
        )),
        (status = 403, description = "forbidden"),
        (status = 404, description = "not_found"),
        (status = 409, description = "last_admin"),
    ),
)]
pub(super) async fn disable_user(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    TargetUser(id): TargetUser,
    Context(context): Context,
    Nothing: Nothing,
) -> Result<Response, ApiError> {
    Ok(user::show(&state.services.users.disable(Authority::User(&caller), id, &context).await?))
}
