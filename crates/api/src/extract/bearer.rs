//! Access tokens (RFC 6750, section 2.1). Never read from anywhere but the header: a URL ends up in logs and
//! histories (RFC 9700, section 4.3.2).

use crate::error::ApiError;
use crate::problem::Code;
use crate::state::AppState;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use vestibule_domain::access::{AccessError, Caller, Freshness};

/// More is no token of ours; checked before anything is decoded.
const MAX_BYTES: usize = 8 * 1024;

/// Whoever calls, as known within a second: for reading, and for what is one's own.
///
/// Fails with 401 `unauthenticated` without a bearer token, 401 `invalid_token` for one that is malformed, expired,
/// wrongly signed, or of a session that is over, and 503 `unavailable` if that cannot be found out.
#[derive(Debug)]
pub(crate) struct Bearer(pub(crate) Caller);

/// Whoever calls, as the store knows now: for administration and what can take an account over. Fails as
/// [`Bearer`] does.
#[derive(Debug)]
pub(crate) struct FreshBearer(pub(crate) Caller);

/// For logging out, which is no error a second time. Without an `Authorization` header it is absent; for a header
/// that is there it fails as [`FreshBearer`] does, but not if the session of a good token is over.
#[derive(Debug)]
pub(crate) enum OptionalBearer {
    Absent,
    Alive(Caller),
    Over,
}

impl FromRequestParts<AppState> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        authenticate(parts, state, Freshness::Feed).await.map(Self)
    }
}

impl FromRequestParts<AppState> for FreshBearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = authenticate(parts, state, Freshness::Store).await?;
        // For whatever else the handler demands that depends on who calls.
        parts.extensions.insert(caller.clone());
        Ok(Self(caller))
    }
}

impl FromRequestParts<AppState> for OptionalBearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self::Absent);
        }
        let token = bearer_token(&parts.headers)?;
        match state.services.access.authenticate(token, Freshness::Store).await {
            Ok(caller) => Ok(Self::Alive(caller)),
            Err(AccessError::SessionOver) => Ok(Self::Over),
            Err(error) => Err(error.into()),
        }
    }
}

async fn authenticate(parts: &Parts, state: &AppState, freshness: Freshness) -> Result<Caller, ApiError> {
    let token = bearer_token(&parts.headers)?;
    Ok(state.services.access.authenticate(token, freshness).await?)
}

/// What may be a token, of the only `Authorization` header: the scheme in any case, one space, and the rest. Whether
/// that is a token (RFC 6750, section 2.1) is for the codec to say, which has seen most of them before.
pub(super) fn bearer_token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(ApiError::new(Code::Unauthenticated));
    };
    if values.next().is_some() {
        return Err(ApiError::invalid_token("There is more than one Authorization header."));
    }
    let Some((scheme, token)) = value.as_bytes().split_at_checked("bearer ".len()) else {
        return Err(ApiError::new(Code::Unauthenticated));
    };
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return Err(ApiError::new(Code::Unauthenticated));
    }
    let token = str::from_utf8(token).ok().filter(|token| token.len() <= MAX_BYTES);
    token.ok_or_else(|| ApiError::invalid_token("The access token is not valid."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let value = |bytes: &&[u8]| HeaderValue::from_bytes(bytes).unwrap();
        values.iter().map(|bytes| (header::AUTHORIZATION, value(bytes))).collect()
    }

    fn refusal(values: &[&[u8]]) -> Code {
        bearer_token(&headers(values)).unwrap_err().code()
    }

    #[test]
    fn a_token_is_found_whatever_the_case_of_the_scheme() {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let headers = headers(&[format!("{scheme} a.b-c_~+/==").as_bytes()]);
            assert_eq!(bearer_token(&headers).unwrap(), "a.b-c_~+/==");
        }
    }

    #[test]
    fn no_bearer_token_is_told_from_a_bad_one() {
        assert_eq!(refusal(&[]), Code::Unauthenticated);
        let none: [&[u8]; 6] = [b"", b"Bearer", b"Basic YTpi", b" Bearer x", b"Bearer\tx", b"\xff x"];
        for none in none {
            assert_eq!(refusal(&[none]), Code::Unauthenticated, "{none:?}");
        }
        let long = [b"Bearer ".as_slice(), &[b'x'; MAX_BYTES + 1]].concat();
        let bad: [&[&[u8]]; 3] = [&[b"Bearer \xff"], &[b"Bearer x", b"Bearer x"], &[&long]];
        for bad in bad {
            assert_eq!(refusal(bad), Code::InvalidToken);
        }
    }

    proptest! {
        #[test]
        fn any_header_is_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
                if let Ok(token) = bearer_token(&headers) {
                    prop_assert_eq!(token.as_bytes(), &bytes[b"bearer ".len()..]);
                }
            }
        }
    }
}
