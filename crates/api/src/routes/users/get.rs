//! `GET /users/{user}`: one user.

use super::user::{self, User};
use crate::error::ApiError;
use crate::extract::{Bearer, FreshBearer, Nothing, TargetUser};
use crate::state::AppState;
use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::request::Parts;
use vestibule_domain::access::Caller;
use vestibule_domain::id::UserId;

/// Who reads whom. Whoever reads themselves is answered from memory; to read others is administration, for which the
/// store is asked what the caller may do now.
#[derive(Debug)]
pub(crate) struct Reading {
    caller: Caller,
    target: UserId,
}

impl FromRequestParts<AppState> for Reading {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Bearer(caller) = Bearer::from_request_parts(parts, state).await?;
        let TargetUser(target) = TargetUser::of(caller.user.id, parts)?;
        if target == caller.user.id {
            return Ok(Self { caller, target });
        }
        let FreshBearer(caller) = FreshBearer::from_request_parts(parts, state).await?;
        Ok(Self { caller, target })
    }
}

/// Read a user
///
/// Another user needs `users:read`.
#[utoipa::path(
    get,
    path = "/users/{user}",
    tag = "Users",
    params(TargetUser),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The user.", body = User<'_>, headers(
            ("etag" = String, description = "For `If-Match`."),
        )),
        (status = 404, description = "not_found"),
    ),
)]
pub(super) async fn get_user(
    State(state): State<AppState>,
    Reading { caller, target }: Reading,
    Nothing: Nothing,
) -> Result<Response, ApiError> {
    let user = state.services.users.get(&caller, target).await?;
    Ok(if user.id == caller.user.id { user::show_self(&caller) } else { user::show(&user) })
}
