//! From what went wrong inside to what the client is told.
//!
//! An [`ApiError`] has two audiences: its source goes to the log, once, when it becomes an answer; code, detail and
//! field errors go to the client. The answer leaves the handler without a body: the problem renderer
//! ([`crate::middleware`]) writes it, for these errors and those of the framework alike.

use crate::problem::{Code, FieldError};
use crate::rate_limit::whole_seconds;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;
use vestibule_domain::StoreError;
use vestibule_domain::access::{AccessError, Denied, UnknownRole};
use vestibule_domain::client::ClientError;
use vestibule_domain::credential::{CredentialError, HashingError};
use vestibule_domain::session::SessionError;
use vestibule_domain::throttle::Throttled;
use vestibule_domain::token::{SigningError, TokenFault};
use vestibule_domain::user::UserError;

/// What the renderer turns into the body.
#[derive(Debug, Clone)]
pub(crate) struct Outline {
    pub(crate) code: Code,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) errors: Vec<FieldError>,
}

impl Outline {
    pub(crate) fn new(code: Code) -> Self {
        Self { code, detail: Cow::Borrowed(code.explanation()), errors: Vec::new() }
    }
}

#[derive(Debug)]
pub(crate) struct ApiError {
    outline: Outline,
    retry_after: Option<Duration>,
    /// The client presented a bearer token, and it is at fault (RFC 6750, section 3.1).
    bad_token: bool,
    /// Where the next request on the connection would begin is not known.
    is_last: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// Tells the client what the catalogue says about the code.
    pub(crate) fn new(code: Code) -> Self {
        Self { outline: Outline::new(code), retry_after: None, bad_token: false, is_last: false, source: None }
    }

    /// Tells the client more about this one request. Nothing internal.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.outline.detail = detail.into();
        self
    }

    /// For the log alone.
    #[must_use]
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Ends the connection: the rest of the message is not read, or makes no sense.
    #[must_use]
    pub(crate) fn and_close(self) -> Self {
        Self { is_last: true, ..self }
    }

    /// When to come back, rounded up to whole seconds. Every 429 and 503 says so: without this, 1 second.
    #[must_use]
    pub(crate) fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// 422 with one entry for each fault.
    pub(crate) fn validation(errors: Vec<FieldError>) -> Self {
        let mut error = Self::new(Code::ValidationFailed);
        error.outline.errors = errors;
        error
    }

    /// 401 for a bearer token that was presented and does not count.
    pub(crate) fn invalid_token(detail: &'static str) -> Self {
        Self { bad_token: true, ..Self::new(Code::InvalidToken).detail(detail) }
    }

    pub(crate) fn code(&self) -> Code {
        self.outline.code
    }

    /// Pointer and code of each field that is at fault.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn faults(&self) -> Vec<(&str, &str)> {
        self.outline.errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect()
    }

    /// What is at fault in the content.
    #[cfg(test)]
    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.outline.errors
    }

    fn log(&self) {
        let (code, status) = (self.outline.code.as_str(), self.outline.code.status());
        let cause = self.source.as_deref().map(|source| chain(source));
        if self.outline.code == Code::Overloaded {
            // Under attack it is what should happen.
            tracing::warn!(code, cause, "the request was refused");
        } else if status.is_server_error() {
            tracing::error!(code, cause, "the request failed");
        } else {
            tracing::debug!(code, cause, "the request was refused");
        }
    }
}

/// The error and everything that caused it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let status = self.outline.code.status();
        let mut response = status.into_response();
        let headers = response.headers_mut();
        if self.bad_token
            && let Ok(challenge) = HeaderValue::try_from(format!(
                "Bearer error=\"invalid_token\", error_description=\"{}\"",
                self.outline.detail
            ))
        {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.outline.code == Code::InvalidClient {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"vestibule\""));
        }
        if let Some(delay) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(delay).max(1)));
        }
        if self.is_last {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self.outline);
        response
    }
}

impl From<UserError> for ApiError {
    fn from(error: UserError) -> Self {
        match error {
            UserError::RegistrationClosed => Self::new(Code::RegistrationClosed),
            UserError::EmailTaken => Self::new(Code::EmailTaken),
            UserError::IdempotencyKeyReused => Self::new(Code::IdempotencyKeyReused),
            UserError::NotFound => Self::new(Code::NotFound),
            UserError::Stale => Self::new(Code::Stale),
            UserError::Denied(denied) => denied.into(),
            UserError::LastAdministrator => Self::new(Code::LastAdmin),
            UserError::UnknownRole(unknown) => unknown.into(),
            UserError::Throttled(throttled) => throttled.into(),
            UserError::Hashing(error) => error.into(),
            UserError::Store(error) => error.into(),
        }
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::InvalidCredentials => Self::new(Code::InvalidCredentials),
            SessionError::InvalidRefreshToken => Self::new(Code::InvalidRefreshToken),
            SessionError::NotFound => Self::new(Code::NotFound),
            SessionError::Denied(denied) => denied.into(),
            SessionError::Throttled(throttled) => throttled.into(),
            SessionError::Hashing(error) => error.into(),
            SessionError::Signing(error) => error.into(),
            SessionError::Unrecorded(error) | SessionError::Store(error) => error.into(),
        }
    }
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::WrongPassword => Self::new(Code::WrongPassword),
            CredentialError::NotFound => Self::new(Code::NotFound),
            CredentialError::Throttled(throttled) => throttled.into(),
            CredentialError::Denied(denied) => denied.into(),
            CredentialError::Hashing(error) => error.into(),
            CredentialError::Unrecorded(error) | CredentialError::Store(error) => error.into(),
        }
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Token(TokenFault::Expired) => Self::invalid_token("The access token has expired."),
            AccessError::Token(fault) => Self::invalid_token("The access token is not valid.").because(fault),
            AccessError::SessionOver => Denied::SessionOver.into(),
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::InvalidClient => Self::new(Code::InvalidClient),
            ClientError::NotFound => Self::new(Code::NotFound),
            ClientError::Store(error) => error.into(),
        }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Forbidden => Self::new(Code::Forbidden),
            Denied::NotFound => Self::new(Code::NotFound),
            Denied::ReauthenticationRequired => Self::new(Code::ReauthenticationRequired),
            Denied::SessionOver => Self::invalid_token("The session of the access token is over."),
        }
    }
}

impl From<UnknownRole> for ApiError {
    fn from(unknown: UnknownRole) -> Self {
        let detail = Cow::Owned(unknown.to_string());
        Self::validation(vec![FieldError { pointer: "/roles".to_owned(), code: "unknown_role", detail }])
    }
}

impl From<Throttled> for ApiError {
    fn from(throttled: Throttled) -> Self {
        Self::new(Code::RateLimited).retry_after(throttled.retry_after)
    }
}

impl From<HashingError> for ApiError {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Overloaded { retry_after } => Self::new(Code::Overloaded).retry_after(retry_after),
            HashingError::Stopped => Self::new(Code::Unavailable).because(HashingError::Stopped),
        }
    }
}

impl From<SigningError> for ApiError {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::NoActiveKey => Self::new(Code::Unavailable).because(error),
            SigningError::Failed => Self::new(Code::InternalError).because(error),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } | StoreError::Contention => Self::new(Code::Unavailable).because(error),
            StoreError::Corrupt { .. } | StoreError::Unexpected { .. } => Self::new(Code::InternalError).because(error),
        }
    }
}
