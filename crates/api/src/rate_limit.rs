//! What a client is told of its budget (draft-ietf-httpapi-ratelimit-headers-10, RFC 9651).

use crate::error::ApiError;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use std::time::Duration;
use vestibule_domain::throttle::{Limited, Standing};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The answer to a limited call, whatever came of it.
pub(crate) fn answer<T, E>(limited: Limited<T, E>, show: impl FnOnce(T) -> Response) -> Response
where
    ApiError: From<E>,
{
    let answered = limited.outcome.map(show).map_err(ApiError::from);
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    if let Some(Standing { policy, quota, window, remaining, reset }) = limited.standing {
        let (window, reset) = (whole_seconds(window), whole_seconds(reset));
        let fields = [
            (RATE_LIMIT, format!("\"{policy}\";r={remaining};t={reset}")),
            (RATE_LIMIT_POLICY, format!("\"{policy}\";q={quota};w={window}")),
        ];
        for (name, text) in fields {
            if let Ok(value) = HeaderValue::try_from(text) {
                response.headers_mut().insert(name, value);
            }
        }
    }
    response
}

/// Rounded up: whoever waits so long has waited long enough.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        for (nanos, seconds) in [(0, 0), (1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_nanos(nanos)), seconds, "{nanos}");
        }
    }
}
