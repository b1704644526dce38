//! A token that is accepted is signed with the key and says what an access token says, in the one spelling it has.

use crate::issuer::ISSUER_OF_ALL;
use http::{HeaderMap, HeaderValue, header};
use vestibule_api::fuzzing;

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let bearer = HeaderValue::from_bytes(&[b"Bearer ", input].concat());
    let headers: HeaderMap = bearer.ok().map(|value| (header::AUTHORIZATION, value)).into_iter().collect();
    let presented = fuzzing::bearer_token(&headers);
    assert!(presented.is_none_or(|token| token.as_bytes() == input), "another token was read");

    let Ok(text) = std::str::from_utf8(input) else { return false };
    if !ISSUER_OF_ALL.accepts(text) {
        return false;
    }
    assert!(presented.is_some(), "a good token is not read from its header");
    ISSUER_OF_ALL.assert_sound(text);
    true
}
