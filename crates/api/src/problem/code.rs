//! The catalogue of problems. Codes are stable: clients switch on them.

use http::StatusCode;

/// Each with its code, its status, its title and an explanation for people: what it means and what to do.
macro_rules! catalogue {
    ($($kind:ident: $code:literal, $status:ident, $title:literal, $explanation:literal;)+) => {
        /// What kind of problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($kind),+
        }

        impl Code {
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),+];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $code),+ }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status),+ }
            }

            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),+ }
            }

            pub(crate) fn explanation(self) -> &'static str {
                match self { $(Self::$kind => $explanation),+ }
            }
        }
    };
}

catalogue! {
    MalformedJson: "malformed_json", BAD_REQUEST, "The body is not a JSON object",
        "The body must be one JSON object in UTF-8 (RFC 8259) in which no name occurs twice and which is not nested \
         deeper than 128 levels.";
    MalformedRequest: "malformed_request", BAD_REQUEST, "The request is malformed",
        "The path, the query or a header breaks its own syntax, or names a parameter twice.";
    InvalidRequest: "invalid_request", BAD_REQUEST, "The form is not acceptable",
        "The form breaks its own syntax, names a parameter twice, lacks one that is needed, or comes with two kinds of \
         credentials (RFC 6749, section 5.2).";
    Unauthenticated: "unauthenticated", UNAUTHORIZED, "An access token is needed",
        "Send the access token from POST /login in the header: Authorization: Bearer and the token.";
    InvalidToken: "invalid_token", UNAUTHORIZED, "The access token is not valid",
        "The access token is malformed, has expired, or its session has ended. Get a new one from POST /refresh, or \
         log in again.";
    InvalidClient: "invalid_client", UNAUTHORIZED, "The client is not known here",
        "Send the id and the secret that vestibule clients create has printed: as HTTP Basic authentication, or as \
         client_id and client_secret in the form.";
    InvalidCredentials: "invalid_credentials", UNAUTHORIZED, "The address or the password is wrong",
        "No account could be opened with this address and this password. Which of them is wrong is not said, so that \
         nobody can find out who has an account.";
    InvalidRefreshToken: "invalid_refresh_token", UNAUTHORIZED, "The refresh token is not valid",
        "The refresh token is unknown, has expired, was revoked or was used before. Log in again.";
    Forbidden: "forbidden", FORBIDDEN, "The permission is missing",
        "None of the caller's roles carries the permission that this call needs.";
    ReauthenticationRequired: "reauthentication_required", FORBIDDEN, "A recent login is needed",
        "What could take an account over needs a login within the last 10 minutes. Log in again, then repeat the \
         call with the new access token.";
    WrongPassword: "wrong_password", FORBIDDEN, "The current password is wrong",
        "A password is changed only by whoever knows the current one.";
    RegistrationClosed: "registration_closed", FORBIDDEN, "Registration is closed",
        "This service does not take new users by themselves. Ask whoever operates it for an account.";
    NotFound: "not_found", NOT_FOUND, "There is nothing here",
        "The path is unknown, or what it names does not exist or is not for the caller to see.";
    MethodNotAllowed: "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here",
        "The path exists, but not with this method. The header Allow lists those that it has.";
    RequestTimeout: "request_timeout", REQUEST_TIMEOUT, "The request took too long to arrive",
        "The body did not arrive in time. Send the request again.";
    EmailTaken: "email_taken", CONFLICT, "The address belongs to another account",
        "An address has at most one account. Log in with it, or use another address.";
    LastAdmin: "last_admin", CONFLICT, "The last administrator must stay one",
        "Someone must be able to administer the service. Give another active user the role admin first.";
    Stale: "stale", PRECONDITION_FAILED, "The record has changed",
        "The record is no longer the one that If-Match names. Read it again and decide anew.";
    PayloadTooLarge: "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "A body can have at most 64 KiB.";
    UriTooLong: "uri_too_long", URI_TOO_LONG, "The URL is too long",
        "Path and query together can have at most 8 KiB.";
    UnsupportedMediaType: "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body is not declared as what it must be",
        "Send the header Content-Type: application/json, in UTF-8 and without Content-Encoding; where a form is asked \
         for, application/x-www-form-urlencoded.";
    ValidationFailed: "validation_failed", UNPROCESSABLE_ENTITY, "The content is not acceptable",
        "The list errors has an entry for each fault: where it is, a stable code, and what would be right.";
    IdempotencyKeyReused: "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The idempotency key was used before",
        "Another registration was sent under this Idempotency-Key within the last 24 hours. Send the same one again, \
         or use a new key.";
    RateLimited: "rate_limited", TOO_MANY_REQUESTS, "Too many requests",
        "Wait as many seconds as the header Retry-After says.";
    HeadersTooLarge: "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large",
        "A request can have at most 64 headers and 16 KiB of them.";
    InternalError: "internal_error", INTERNAL_SERVER_ERROR, "Something went wrong here",
        "A defect of the service. Whoever operates it finds the cause in the log under the request id.";
    Overloaded: "overloaded", SERVICE_UNAVAILABLE, "The service is overloaded",
        "More requests of this kind are waiting than can be answered in time. Wait as many seconds as the header Retry-After says.";
    Unavailable: "unavailable", SERVICE_UNAVAILABLE, "The service is unavailable for the moment",
        "Something that the service stands on does not answer. Wait as many seconds as the header Retry-After says.";
    DeadlineExceeded: "deadline_exceeded", SERVICE_UNAVAILABLE, "The answer took too long",
        "The request could not be answered within its 10 seconds. What it was to change may have been changed: look \
         before repeating it.";
}

impl Code {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// The name that OAuth has for it (RFC 6749, section 5.2), where its libraries look for one.
    pub(crate) fn oauth_error(self) -> Option<&'static str> {
        matches!(self, Self::InvalidRequest | Self::InvalidClient).then(|| self.as_str())
    }

    /// The kind that says no more than the status itself: for errors that come from below the handlers.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::URI_TOO_LONG => Self::UriTooLong,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::HeadersTooLarge,
            status if status.is_client_error() => Self::MalformedRequest,
            _ => Self::InternalError,
        }
    }
}
