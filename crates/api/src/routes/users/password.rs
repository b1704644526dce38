//! `PUT /users/{user}/password`: a new password.

use crate::error::ApiError;
use crate::extract::{Body, Context, Fields, FreshBearer, ReadJson, TargetUser};
use crate::rate_limit;
use crate::state::AppState;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use std::sync::Arc;
use utoipa::ToSchema;
use vestibule_domain::access::{Caller, Denied, Permission};
use vestibule_domain::credential::{ChangePassword, NewPassword, Owner, PasswordAttempt};

#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    #[schema(value_type = String, format = "password", min_length = 1, max_length = 256,
        examples("correct horse battery staple"), write_only)]
    current_password: PasswordAttempt,
    /// By the rules of registration.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 256,
        examples("a new staple for the battery"), write_only)]
    new_password: NewPassword,
}

impl ReadJson for PasswordChange {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let current = fields.required("current_password", PasswordAttempt::parse);
        let policy = fields.policy();
        let user = fields.caller().map(|caller| Arc::clone(&caller.user));
        let owner =
            Owner { email: user.as_deref().map(|user| &user.email), name: user.as_deref().map(|user| &user.name) };
        let new = fields.required("new_password", |text| NewPassword::parse(text, policy, owner));
        Some(Self { current_password: current?, new_password: new? })
    }
}

/// The caller, who is also the user that the path names: an administrator never chooses anyone's password.
///
/// Fails, before the body is read, with 404 `not_found` for another user, and with 403 `forbidden` if the caller may
/// know that there is one.
#[derive(Debug)]
pub(crate) struct OwnAccount(Caller);

impl FromRequestParts<AppState> for OwnAccount {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let FreshBearer(caller) = FreshBearer::from_request_parts(parts, state).await?;
        let TargetUser(target) = TargetUser::from_request_parts(parts, state).await?;
        if target == caller.user.id {
            return Ok(Self(caller));
        }
        caller.require(Permission::UsersWrite, target)?;
        Err(Denied::Forbidden.into())
    }
}

/// Change one's own password
///
/// Every other session ends.
#[utoipa::path(
    put,
    path = "/users/{user}/password",
    tag = "Users",
    params(TargetUser),
    security(("bearer" = [])),
    request_body = PasswordChange,
    responses(
        (status = 204, description = "Changed."),
        (status = 403, description = "wrong_password, forbidden"),
        (status = 404, description = "not_found"),
        (status = 429, description = "rate_limited"),
        (status = 503, description = "overloaded"),
    ),
)]
pub(super) async fn change_password(
    State(state): State<AppState>,
    OwnAccount(caller): OwnAccount,
    Context(context): Context,
    Body(PasswordChange { current_password, new_password }): Body<PasswordChange>,
) -> Response {
    let change = ChangePassword { current: current_password, new: new_password };
    let changed = state.services.credentials.change_password(&caller, change, &context).await;
    rate_limit::answer(changed, |()| StatusCode::NO_CONTENT.into_response())
}
