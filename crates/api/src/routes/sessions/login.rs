//! `POST /login`: from an address and a password to tokens.

use super::tokens::{self, Tokens};
use crate::extract::{Body, Context, Fields, ReadJson};
use crate::rate_limit;
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use utoipa::ToSchema;
use vestibule_domain::credential::PasswordAttempt;
use vestibule_domain::fault::Fault;
use vestibule_domain::session::{DeviceToken, Login};
use vestibule_domain::user::Email;

/// Who wants to log in.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    #[schema(value_type = String, format = "email-address", max_length = 254, examples("ada@example.com"))]
    email: Email,
    #[schema(value_type = String, format = "password", min_length = 1, max_length = 256,
        examples("correct horse battery staple"), write_only)]
    password: PasswordAttempt,
    /// From an earlier login on this device: keeps strangers from locking its owner out.
    #[schema(value_type = String, required = false, pattern = "^vdt_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", write_only)]
    device_token: Option<DeviceToken>,
}

impl ReadJson for Credentials {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.required("email", Email::parse);
        let password = fields.required("password", PasswordAttempt::parse);
        let device_token = fields.optional("device_token", parse_device_token);
        Some(Self { email: email?, password: password?, device_token })
    }
}

fn parse_device_token(text: &str) -> Result<DeviceToken, Fault> {
    DeviceToken::parse(text).map_err(|_| Fault::new("invalid_token", "must be a `device_token` of a login, unchanged"))
}

/// Log in
///
/// An unknown address, a wrong password, an account without one and a disabled account answer alike.
#[utoipa::path(
    post,
    path = "/login",
    tag = "Sessions",
    request_body = Credentials,
    responses(
        (status = 200, description = "A new session.", body = Tokens<'_>),
        (status = 401, description = "invalid_credentials"),
        (status = 429, description = "rate_limited"),
        (status = 503, description = "overloaded"),
    ),
)]
pub(super) async fn log_in(
    State(state): State<AppState>,
    Context(context): Context,
    Body(Credentials { email, password, device_token }): Body<Credentials>,
) -> Response {
    let login = Login { email, password, device_token };
    rate_limit::answer(state.services.sessions.login(login, &context).await, |sign_in| tokens::grant(&sign_in))
}
