//! What a login and a refresh give.

use crate::routes::users::User;
use crate::text::Text;
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use vestibule_domain::id::SessionId;
use vestibule_domain::session::{DeviceToken, SignIn};

/// An access token, and a refresh token for the next one.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens<'a> {
    /// For `Authorization: Bearer …`. A JWS with the claims of RFC 9068, of at most 1 KiB.
    #[schema(
        max_length = 1024,
        pattern = "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$",
        examples("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTkwYjVhMiJ9.c2lnbmF0dXJl")
    )]
    access_token: &'a str,
    #[schema(pattern = "^Bearer$", examples("Bearer"))]
    token_type: &'static str,
    /// How long the access token is good for, in seconds.
    #[schema(examples(600))]
    expires_in: u64,
    /// For `POST /refresh`, once.
    #[schema(
        pattern = "^vrt_[A-Za-z0-9_-]{92}$",
        examples("vrt_AZC1onw-egCAAAAAAAAAANNKVpq3qqVNrNcVrmSVNFUruA1Tex2j44vTA2GqhVaGveDqzXFi_vaiX-l79SeiWxikluLd")
    )]
    refresh_token: &'a str,
    /// How long the refresh token is good for, in seconds.
    #[schema(examples(1_209_600))]
    refresh_expires_in: u64,
    #[schema(value_type = String, format = "uuid", examples("0190b5a2-7c3e-7a00-8000-00000000000a"))]
    session_id: Text<SessionId>,
    user: User<'a>,
    /// After the first login from a device: to be sent with the next ones, for 180 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        pattern = "^vdt_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
        examples("vdt_b7uR2sWd9eLfHgTnVaJoQiKzNc5xMtEXy3kq0pZ8mC0")
    )]
    device_token: Option<&'a str>,
}

pub(super) fn grant(sign_in: &SignIn) -> Response {
    let refresh_token = sign_in.refresh_token.reveal();
    let device_token = sign_in.device_token.as_ref().map(DeviceToken::reveal);
    let tokens = Tokens {
        access_token: sign_in.access_token.reveal(),
        token_type: "Bearer",
        expires_in: sign_in.access_ttl.as_secs(),
        refresh_token: &refresh_token,
        // Rounded, or the milliseconds since the session began would cost a second.
        refresh_expires_in: (sign_in.refresh_ttl + Duration::from_millis(500)).as_secs(),
        session_id: Text(sign_in.session.id),
        user: User::from(&sign_in.user),
        device_token: device_token.as_ref().map(|token| token.as_str()),
    };
    Json(tokens).into_response()
}
