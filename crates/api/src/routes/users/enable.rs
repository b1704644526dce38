//! `POST /users/{user}/enable`: unlocking an account.

use super::user::{self, User};
use crate::error::ApiError;
use crate::extract::{Context, FreshBearer, Nothing, TargetUser};
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use vestibule_domain::access::Authority;

/// Enable a user
///
/// The sessions that disabling ended stay over. Needs `users:write`.
#[utoipa::path(
    post,
    path = "/users/{user}/enable",
    tag = "Users",
    params(TargetUser),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The user as it is now.", body = User<'_>, headers(
            ("etag" = String, description = "For `If-Match`."),
        )),
        (status = 403, description = "forbidden"),
        (status = 404, description = "not_found"),
    ),
)]
pub(super) async fn enable_user(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    TargetUser(id): TargetUser,
    Context(context): Context,
    Nothing: Nothing,
) -> Result<Response, ApiError> {
    Ok(user::show(&state.services.users.enable(Authority::User(&caller), id, &context).await?))
}
