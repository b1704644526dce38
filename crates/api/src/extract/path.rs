//! Ids in paths. What is no id names nothing: it answers as an unknown one does.

use super::{Bearer, Segments};
use crate::endpoints::OF_ME;
use crate::error::ApiError;
use crate::problem::Code;
use crate::state::AppState;
use axum::extract::FromRequestParts;
use http::request::Parts;
use utoipa::IntoParams;
use vestibule_domain::access::Caller;
use vestibule_domain::id::{SessionId, UserId};

/// The user that `{user}` names: by id, or as `me`. Comes after [`FreshBearer`](super::FreshBearer) in a handler, whose
/// caller is `me`; alone it demands a [`Bearer`] itself.
///
/// Fails with 404 `not_found` for what is no id, and as [`Bearer`] does.
#[derive(Debug, IntoParams)]
#[into_params(names("user"), parameter_in = Path)]
pub(crate) struct TargetUser(
    /// A user's id, or `me`.
    #[param(value_type = String, pattern = "^(me|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$", example = "me")]
    pub(crate) UserId,
);

/// The session that `{id}` names.
///
/// Fails with 404 `not_found` for what is no id.
#[derive(Debug, IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub(crate) struct SessionPath(
    /// A session's id.
    #[param(value_type = String, format = "uuid")]
    pub(crate) SessionId,
);

impl FromRequestParts<AppState> for TargetUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = match parts.extensions.get::<Caller>() {
            Some(caller) => caller.user.id,
            None => Bearer::from_request_parts(parts, state).await?.0.user.id,
        };
        Self::of(caller, parts)
    }
}

impl TargetUser {
    /// For an extractor that knows who calls.
    pub(crate) fn of(caller: UserId, parts: &Parts) -> Result<Self, ApiError> {
        // Whose route has no such parameter.
        let further = parts.uri.path().strip_prefix(OF_ME);
        if further.is_some_and(|further| further.is_empty() || further.starts_with('/')) {
            return Ok(Self(caller));
        }
        match segment(parts, "user")? {
            // Percent-encoded.
            "me" => Ok(Self(caller)),
            text => UserId::parse(text).map(Self).map_err(|_| ApiError::new(Code::NotFound)),
        }
    }
}

impl FromRequestParts<AppState> for SessionPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        SessionId::parse(segment(parts, "id")?).map(Self).map_err(|_| ApiError::new(Code::NotFound))
    }
}

fn segment<'a>(parts: &'a Parts, name: &str) -> Result<&'a str, ApiError> {
    let found = parts.extensions.get().and_then(|segments: &Segments| segments.get(name));
    found.ok_or_else(|| ApiError::new(Code::NotFound))
}
