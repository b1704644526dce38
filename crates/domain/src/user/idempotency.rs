//! Registrations that may be repeated (draft-ietf-httpapi-idempotency-key-header): whoever lost the answer asks again
//! and gets the same one.

use super::{Register, User};
use crate::clock::Timestamp;
use crate::fault::Fault;
use crate::id::UserId;
use crate::throttle::KeyedHash;
use std::time::Duration;

/// How long a key is remembered.
pub const IDEMPOTENCY_TTL: Duration = Duration::from_hours(24);

/// What the client calls one registration, however often it sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// 1 to 255 printable ASCII characters without spaces; with quotation marks around them, as the draft writes it,
    /// or without, as most clients do: both are the same key.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let printable = key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if printable && (1..=255).contains(&key.len()) {
            return Ok(Self(key.to_owned()));
        }
        Err(Fault::new(
            "invalid_key",
            "must have 1 to 255 printable ASCII characters without spaces or quotation marks",
        ))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// What the store keeps of it, and of the registration that it names. Keyed, because the registration has a
    /// password in it, which a plain hash would give away to whoever tries.
    pub(super) fn claim(&self, request: &Register, hash: &dyn KeyedHash) -> IdempotencyClaim {
        let fields =
            [request.email.as_written().as_bytes(), request.name.as_str().as_bytes(), request.password.as_bytes()];
        let mut content = zeroize::Zeroizing::new(Vec::new());
        for field in fields {
            content.extend_from_slice(&(field.len() as u64).to_be_bytes());
            content.extend_from_slice(field);
        }
        IdempotencyClaim {
            key: hash.digest("idempotency key", self.as_bytes()),
            request: hash.digest("registration", &content),
        }
    }
}

/// Both hashes are keyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyClaim {
    pub key: [u8; 32],
    pub request: [u8; 32],
}

/// What came of the first registration under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstOutcome {
    pub request: [u8; 32],
    /// `None` if the address was taken.
    pub user: Option<UserId>,
    pub at: Timestamp,
}

impl FirstOutcome {
    /// The user as the first answer told of them: everything else was in the request, which is the same.
    pub(super) fn user_as_told(&self, again: &User) -> Option<User> {
        self.user.map(|id| User { id, created_at: self.at, updated_at: self.at, ..again.clone() })
    }
}
