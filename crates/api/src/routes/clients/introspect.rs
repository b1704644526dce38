//! `POST /introspect`: what a token is worth (RFC 7662).

use super::TokenRequest;
use crate::error::ApiError;
use crate::extract::FromClient;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::access::{Introspection, RoleName};
use vestibule_domain::feed::Principal;
use vestibule_domain::session::Session;
use vestibule_domain::token::{TokenCodec, VerifiedToken};

/// What a token is worth. Unless it is `active` there is nothing else; a refresh token has only `token_type`, `sub`,
/// `sid`, `iss`, `iat` and `exp`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct TokenState {
    active: bool,
    /// `Bearer` for an access token; `refresh_token` for one that is no use to anyone but this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("Bearer"))]
    token_type: Option<&'static str>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    sub: Option<String>,
    /// The address as it is now, unless the operator keeps it out of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    /// In seconds since 1970, as all times here.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    jti: Option<String>,
    /// When the user last proved who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    /// How (RFC 8176).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    amr: Option<Vec<&'static str>>,
    /// The user's as they are now, which may be others than those in the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<String>>,
}

impl TokenState {
    fn of(introspection: &Introspection, codec: &dyn TokenCodec) -> Self {
        let state = match introspection {
            Introspection::Access { token, principal, username } => Self {
                username: username.clone(),
                aud: Some(codec.audience().to_owned()),
                ..Self::access(token, principal)
            },
            Introspection::Refresh(session) => Self::refresh(session),
        };
        Self { active: true, iss: Some(codec.issuer().to_owned()), ..state }
    }

    fn access(token: &VerifiedToken, principal: &Principal) -> Self {
        let Principal { session, user, .. } = principal;
        let issued_at = Some(token.issued_at.as_secs());
        Self {
            token_type: Some("Bearer"),
            sub: Some(token.subject.to_string()),
            sid: Some(token.session.to_string()),
            exp: Some(token.expires_at.as_secs()),
            iat: issued_at,
            nbf: issued_at,
            jti: Some(token.id.to_string()),
            auth_time: Some(session.authenticated_at.as_secs()),
            amr: Some(session.amr.iter().map(|amr| amr.as_str()).collect()),
            roles: Some(user.roles.iter().map(RoleName::to_string).collect()),
            ..Self::default()
        }
    }

    fn refresh(session: &Session) -> Self {
        Self {
            token_type: Some("refresh_token"),
            sub: Some(session.user.to_string()),
            sid: Some(session.id.to_string()),
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
    responses((status = 200, description = "What it is worth now.", body = TokenState)),
)]
pub(super) async fn introspect_token(
    State(state): State<AppState>,
    FromClient { token, .. }: FromClient,
) -> Result<Json<TokenState>, ApiError> {
    let found = state.services.access.introspect(&token).await?;
    let codec = &*state.services.ports.codec;
    Ok(Json(found.map(|introspection| TokenState::of(&introspection, codec)).unwrap_or_default()))
}
