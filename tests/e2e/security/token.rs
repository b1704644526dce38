//! Taking access tokens apart, and putting others together.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use vestibule_testkit::app::HMAC_SECRET;

/// Header and claims.
pub(crate) fn claims(token: &str) -> (Value, Value) {
    let part = |text: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let mut parts = token.split('.');
    let mut next = || part(parts.next().expect("three parts"));
    (next(), next())
}

pub(crate) fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// Signed as the service would sign it with HS256: only what the token says is wrong.
pub(crate) fn sign(header: &str, claims: &str) -> String {
    let secret = STANDARD.decode(HMAC_SECRET).expect("base64");
    sign_with(&secret, header, claims)
}

pub(crate) fn sign_with(secret: &[u8], header: &str, claims: &str) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(tag))
}
