//! The port for signing and checking access tokens.

use super::{Jwk, KeyError, KeySet};
use crate::access::RoleName;
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId, UserId};
use crate::session::Amr;
use std::collections::BTreeSet;
use std::fmt;
use zeroize::Zeroizing;

/// What an access token says, beside issuer and audience, which the codec knows.
#[derive(Debug, Clone)]
pub struct AccessClaims {
    pub subject: UserId,
    pub session: SessionId,
    pub id: TokenId,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub authenticated_at: Timestamp,
    pub amr: Vec<Amr>,
    pub roles: BTreeSet<RoleName>,
    /// Left out of the token if `None`.
    pub email: Option<String>,
}

/// A signed token, for the client alone.
pub struct AccessToken(Zeroizing<String>);

impl AccessToken {
    pub fn new(token: String) -> Self {
        Self(Zeroizing::new(token))
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken[redacted]")
    }
}

/// What a checked token proves. Whether the session is still alive it cannot know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedToken {
    pub subject: UserId,
    pub session: SessionId,
    pub id: TokenId,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Why a token is refused. For the log; the client learns only that it is invalid, or that it has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("not a compact JWS of at most 8 KiB in canonical base64url")]
    Malformed,
    #[error("the header does not fit: {0}")]
    Header(&'static str),
    #[error("no key in use has this id")]
    UnknownKey,
    #[error("the signature is wrong")]
    Signature,
    #[error("the claims do not fit: {0}")]
    Claims(&'static str),
    #[error("the token has expired")]
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    #[error("there is no key to sign with")]
    NoActiveKey,
    #[error("the signature could not be made")]
    Failed,
}

/// Holds the keys in memory and does no I/O.
pub trait TokenCodec: Send + Sync + fmt::Debug {
    fn sign(&self, claims: &AccessClaims) -> Result<AccessToken, SigningError>;
    /// `now` comes from the caller, who needs it as well: one look at the clock for a request.
    fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, TokenFault>;
    /// Replaces all keys at once. An error tells of a key that is left out because it does not open; the others are in
    /// use all the same, and what was revoked is out.
    fn load(&self, keys: &KeySet) -> Result<(), KeyError>;
    /// The public keys with which a token may verify now or soon (RFC 7517); none for symmetric signatures.
    fn public_keys(&self) -> Vec<Jwk>;
    /// `iss` of every token.
    fn issuer(&self) -> &str;
    /// `aud` of every token.
    fn audience(&self) -> &str;
    /// Whether something can be signed now.
    fn is_ready(&self) -> bool;
}
