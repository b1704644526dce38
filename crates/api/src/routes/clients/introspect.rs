//! `POST /introspect`: what a token is worth (RFC 7662).

use super::TokenRequest;
use crate::error::ApiError;
use crate::extract::FromClient;
use crate::state::AppState;
use crate::text::Text;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::access::{Introspection, RoleName};
use vestibule_domain::feed::Principal;
use vestibule_domain::id::{SessionId, TokenId, UserId};
use vestibule_domain::session::Session;
use vestibule_domain::token::{TokenCodec, VerifiedToken};

/// What a token is worth. Unless it is `active` there is nothing else; a refresh token has only `token_type`, `sub`,
/// `sid`, `iss`, `iat` and `exp`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct TokenState<'a> {
    active: bool,
    /// `Bearer` for an access token; `refresh_token` for one that is no use to anyone but this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("Bearer"))]
    token_type: Option<&'static str>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    sub: Option<Text<UserId>>,
    /// The address as it is now, unless the operator keeps it out of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    sid: Option<Text<SessionId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    /// In seconds since 1970, as all times here.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    jti: Option<Text<TokenId>>,
    /// When the user last proved who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    /// How (RFC 8176).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    amr: Option<Vec<&'static str>>,
    /// The user's as they are now, which may be others than those in the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<&'a str>>,
}

impl<'a> TokenState<'a> {
    fn of(introspection: &'a Introspection, codec: &'a dyn TokenCodec) -> Self {
        let state = match introspection {
            Introspection::Access { token, principal, username } => {
                Self { username: username.as_deref(), aud: Some(codec.audience()), ..Self::access(token, principal) }
            }
            Introspection::Refresh(session) => Self::refresh(session),
        };
        Self { active: true, iss: Some(codec.issuer()), ..state }
    }

    fn access(token: &VerifiedToken, principal: &'a Principal) -> Self {
        let Principal { session, user, .. } = principal;
        let issued_at = Some(token.issued_at.as_secs());
        Self {
            token_type: Some("Bearer"),
            sub: Some(Text(token.subject)),
            sid: Some(Text(token.session)),
            exp: Some(token.expires_at.as_secs()),
            iat: issued_at,
            nbf: issued_at,
            jti: Some(Text(token.id)),
            auth_time: Some(session.authenticated_at.as_secs()),
            amr: Some(session.amr.iter().map(|amr| amr.as_str()).collect()),
            roles: Some(user.roles.iter().map(RoleName::as_str).collect()),
            ..Self::default()
        }
    }

    fn refresh(session: &Session) -> Self {
        Self {
            token_type: Some("refresh_token"),
            sub: Some(Text(session.user)),
            sid: Some(Text(session.id)),
            // Each use gives a new one.
            iat: Some(session.last_seen_at.as_secs()),
            exp: Some(session.idle_expires_at.min(session.expires_at).as_secs()),
            ..Self::default()
        }
    }
}

/// Introspect a token
///
/// For other services (RFC 7662), with credentials from `vestibule clients create`: in the header, or as `client_id`
/// and `client_secret` in the form. What is not an access token, or the newest refresh token, of a live session is
/// `{"active": false}`, whatever the reason. A session that ends is known here within a second.
#[utoipa::path(
    post,
    path = "/introspect",
    tag = "Services",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    security(("client" = [])),
    responses((status = 200, description = "What it is worth now.", body = TokenState<'_>)),
)]
pub(super) async fn introspect_token(
    State(state): State<AppState>,
    FromClient { token, .. }: FromClient,
) -> Result<Response, ApiError> {
    let found = state.services.access.introspect(&token).await?;
    let codec = &*state.services.ports.codec;
    Ok(Json(found.as_ref().map(|found| TokenState::of(found, codec)).unwrap_or_default()).into_response())
}
