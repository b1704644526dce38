//! Passwords that others have used before, and lost.

use sha1::{Digest, Sha1};
use std::fmt;

/// What a password is called in lists of breached ones: the first 64 bits of the SHA-1 of its NFC in UTF-8, because
/// that is how such lists are published. An index, not a way to store a password.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BreachKey(u64);

impl BreachKey {
    /// Of a password in NFC.
    pub fn of(password: &str) -> Self {
        Self::from_sha1(Sha1::digest(password.as_bytes()).into())
    }

    pub fn from_sha1(digest: [u8; 20]) -> Self {
        Self(digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte)))
    }

    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for BreachKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who sees it can try passwords against it, a billion in a second.
        f.write_str("BreachKey[redacted]")
    }
}

/// The port for known passwords. It never misses one that is known and may, rarely, take an unknown one for known; an
/// implementation states how rarely. An answer takes microseconds, and none fails.
pub trait BreachedPasswords: Send + Sync + fmt::Debug {
    /// Whether the password is known as it stands.
    fn contains(&self, key: BreachKey) -> bool;
    /// Whether so many have used it that guessers also try it with digits and signs around it.
    fn is_common(&self, key: BreachKey) -> bool;
}
