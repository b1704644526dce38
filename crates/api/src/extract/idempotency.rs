//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), against lost answers.

use crate::error::ApiError;
use crate::problem::Code;
use crate::state::AppState;
use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;
use utoipa::IntoParams;
use vestibule_domain::user::IdempotencyKey;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Under which name the call may be sent again.
///
/// Fails with 400 `malformed_request` for what is no key, and for more than one.
#[derive(Debug, IntoParams)]
#[into_params(names("Idempotency-Key"), parameter_in = Header)]
pub(crate) struct Idempotency(
    /// Any unique text of the client's. For 24 hours the same call under the same key gives the first answer again
    /// and does nothing twice; another call under it is refused.
    #[param(value_type = Option<String>, min_length = 1, max_length = 255, pattern = "^[!#-\\[\\]-~]+$",
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    pub(crate) Option<IdempotencyKey>,
);

impl FromRequestParts<AppState> for Idempotency {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let refused = || ApiError::new(Code::MalformedRequest);
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        if values.next().is_some() {
            return Err(refused().detail("Idempotency-Key must be given once."));
        }
        let key = IdempotencyKey::parse(value.to_str().unwrap_or_default());
        key.map(|key| Self(Some(key))).map_err(|fault| refused().detail(format!("Idempotency-Key {}.", fault.detail)))
    }
}
