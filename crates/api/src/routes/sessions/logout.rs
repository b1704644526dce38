//! `POST /logout`: the end of one's own sessions.

use super::refresh::PresentedToken;
use crate::error::ApiError;
use crate::extract::{Context, Fields, OptionalBearer, OptionalBody, ReadJson};
use crate::openapi;
use crate::problem::{Code, FieldError};
use crate::state::AppState;
use axum::extract::State;
use http::StatusCode;
use std::borrow::Cow;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;
use vestibule_domain::session::{Logout, LogoutScope};

/// What is to end. Nothing at all means the session of the access token.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogoutRequest {
    #[schema(schema_with = scope_schema, required = false)]
    scope: LogoutScope,
    /// In the place of an access token. One that no session can know is no fault either.
    #[schema(value_type = String, required = false, write_only, pattern = "^[^\\u0000]*$",
        examples("vrt_AZC1onw-egCAAAAAAAAAANNKVpq3qqVNrNcVrmSVNFUruA1Tex2j44vTA2GqhVaGveDqzXFi_vaiX-l79SeiWxikluLd"))]
    refresh_token: Option<PresentedToken>,
}

const SCOPES: [(&str, LogoutScope); 3] =
    [("current", LogoutScope::Current), ("others", LogoutScope::Others), ("all", LogoutScope::All)];

fn scope_schema() -> Object {
    let description = "`current`: the session of the token; `others`: all of the user's but that; `all`.";
    openapi::one_of(&SCOPES).description(Some(description)).default(Some("current".into())).build()
}

impl ReadJson for LogoutRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let scope = fields.optional_enum("scope", &SCOPES).unwrap_or_default();
        let refresh_token = fields.optional("refresh_token", |text| Ok(PresentedToken::read(text)));
        Some(Self { scope, refresh_token })
    }
}

/// Log out
///
/// With the access token, or with a `refresh_token` in the body, but not with both. A second time is no error, nor is
/// a refresh token that no session knows.
#[utoipa::path(
    post,
    path = "/logout",
    tag = "Sessions",
    request_body = Option<LogoutRequest>,
    security(("bearer" = []), ()),
    responses((status = 204, description = "Logged out.")),
)]
pub(super) async fn log_out(
    State(state): State<AppState>,
    bearer: OptionalBearer,
    Context(context): Context,
    OptionalBody(LogoutRequest { scope, refresh_token }): OptionalBody<LogoutRequest>,
) -> Result<StatusCode, ApiError> {
    let proof = match (&bearer, refresh_token) {
        (OptionalBearer::Absent, None) => return Err(ApiError::new(Code::Unauthenticated)),
        (OptionalBearer::Absent, Some(PresentedToken(token))) => token.map(Logout::Refresh),
        (_, Some(_)) => return Err(two_tokens()),
        (OptionalBearer::Alive(caller), None) => Some(Logout::Access(caller)),
        (OptionalBearer::Over, None) => None,
    };
    if let Some(proof) = proof {
        state.services.sessions.logout(proof, scope, &context).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// They may be of two sessions, and only one of them would end.
fn two_tokens() -> ApiError {
    ApiError::validation(vec![FieldError {
        pointer: "/refresh_token".to_owned(),
        code: "not_with_access_token",
        detail: Cow::Borrowed("must not be sent together with an access token"),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_body;

    #[test]
    fn every_scope_is_read_and_the_current_session_is_meant_without_one() {
        for (word, scope) in SCOPES {
            let request = read_body::<LogoutRequest>(&format!(r#"{{"scope":"{word}"}}"#)).unwrap();
            assert_eq!(request.scope, scope);
        }
        assert_eq!(read_body::<LogoutRequest>("{}").unwrap().scope, LogoutScope::Current);
        assert_eq!(
            read_body::<LogoutRequest>(r#"{"scope":"ALL"}"#).unwrap_err().faults(),
            [("/scope", "invalid_value")]
        );
    }

    #[test]
    fn a_token_that_no_session_can_know_is_no_fault() {
        let request = read_body::<LogoutRequest>(r#"{"refresh_token":"nonsense"}"#).unwrap();
        assert!(matches!(request.refresh_token, Some(PresentedToken(None))));
    }
}
