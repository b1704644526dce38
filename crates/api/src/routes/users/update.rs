//! `PATCH /users/{user}`: changes of the profile.

use super::user::{self, User};
use crate::extract::{Body, Context, Fields, FreshBearer, IfMatch, ReadJson, TargetUser};
use crate::rate_limit;
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use utoipa::ToSchema;
use vestibule_domain::user::{ChangeProfile, Email, Name, ProfileChange};

/// What is to change (a merge patch, RFC 7396); what is not named stays.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfilePatch {
    /// Needs a login within the last 10 minutes.
    #[schema(value_type = String, required = false, format = "email-address", max_length = 254, examples("ada@example.org"))]
    email: Option<Email>,
    #[schema(schema_with = user::name_schema, required = false)]
    name: Option<Name>,
}

impl ReadJson for ProfilePatch {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { email: fields.optional("email", Email::parse), name: fields.optional("name", Name::parse) })
    }
}

/// Change a user's name or address
///
/// Another user needs `users:write`.
#[utoipa::path(
    patch,
    path = "/users/{user}",
    tag = "Users",
    params(TargetUser, IfMatch),
    security(("bearer" = [])),
    request_body = ProfilePatch,
    responses(
        (status = 200, description = "The user as it is now.", body = User<'_>, headers(
            ("etag" = String, description = "For `If-Match`."),
        )),
        (status = 403, description = "reauthentication_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "email_taken"),
        (status = 412, description = "stale"),
        (status = 429, description = "rate_limited"),
    ),
)]
pub(super) async fn update_user(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    TargetUser(id): TargetUser,
    IfMatch(version): IfMatch,
    Context(context): Context,
    Body(ProfilePatch { email, name }): Body<ProfilePatch>,
) -> Response {
    let request = ChangeProfile { id, change: ProfileChange { name, email }, version };
    rate_limit::answer(state.services.users.change_profile(&caller, &request, &context).await, |user| user::show(&user))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_body;

    #[test]
    fn what_is_not_named_stays() {
        let patch = read_body::<ProfilePatch>(r#"{"name":"Ada"}"#).unwrap();
        assert!(patch.email.is_none());
        assert_eq!(patch.name.unwrap().as_str(), "Ada");
    }

    #[test]
    fn nothing_can_be_removed_and_nothing_else_be_changed() {
        let body = r#"{"email":null,"name":null,"roles":["admin"],"email_verified":true,"id":"x"}"#;
        let expected = [
            ("/email", "invalid_type"),
            ("/name", "invalid_type"),
            ("/email_verified", "unknown_field"),
            ("/id", "unknown_field"),
            ("/roles", "unknown_field"),
        ];
        assert_eq!(read_body::<ProfilePatch>(body).unwrap_err().faults(), expected);
    }
}
