//! Signing keys and their lives.

use crate::clock::Timestamp;
use crate::id::KeyId;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    #[default]
    EdDsa,
    Es256,
    Rs256,
    /// One secret signs and verifies: for a single party. Its key comes from the configuration, not from the store.
    Hs256,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Rs256, Self::Hs256];

    /// As in RFC 7518, section 3.1, and RFC 8037.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// One key, as every process sees it in the store. Its state follows from the times, so that all agree on it
/// without telling each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub id: KeyId,
    pub algorithm: Algorithm,
    /// 1, 2, 3 …: two processes that add a key at once cannot both take the same number.
    pub generation: i64,
    /// `SubjectPublicKeyInfo` (RFC 5280), DER.
    pub public_key: Vec<u8>,
    /// PKCS #8, encrypted under the master key with `id` as associated data.
    pub sealed_private_key: Vec<u8>,
    pub created_at: Timestamp,
    /// When it begins to sign; published before.
    pub activates_at: Timestamp,
    /// When it no longer verifies; none while nothing follows it.
    pub retires_at: Option<Timestamp>,
    /// No longer good for anything from then on.
    pub revoked_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Verifies what it has signed, which is nothing if another one took its place before its time came.
    Retiring,
    Retired,
    Revoked,
}

impl KeyState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    pub fn verifies(self) -> bool {
        matches!(self, Self::Next | Self::Active | Self::Retiring)
    }
}

/// All keys of the store, the newest generation first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<SigningKey>,
    /// Also of what was left out.
    newest_generation: i64,
}

impl KeySet {
    pub fn new(mut keys: Vec<SigningKey>) -> Self {
        keys.sort_by_key(|key| std::cmp::Reverse(key.generation));
        let newest_generation = keys.first().map_or(0, |key| key.generation);
        Self { keys, newest_generation }
    }

    /// Notes a key whose algorithm only a later version knows, which runs beside this one. It must not keep this
    /// version from the keys that it knows; its generation is taken all the same.
    pub fn leave_out(&mut self, id: KeyId, generation: i64, algorithm: &str) {
        tracing::warn!(%id, algorithm, "a signing key is left out: this version does not know its algorithm");
        self.newest_generation = self.newest_generation.max(generation);
    }

    pub fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter()
    }

    pub fn newest_generation(&self) -> i64 {
        self.newest_generation
    }

    /// The newest of those whose time has come.
    pub fn active(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        self.keys.iter().find(|key| {
            key.algorithm == algorithm
                && key.activates_at <= now
                && key.revoked_at.is_none()
                && key.retires_at.is_none_or(|at| now < at)
        })
    }

    /// The one that waits for its time.
    pub fn next(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.algorithm == algorithm && key.activates_at > now && key.revoked_at.is_none())
    }

    /// Whether a newer one signs by the time that this one would: it never will.
    fn is_superseded(&self, key: &SigningKey, signing: Algorithm) -> bool {
        key.algorithm != signing
            || self.active(signing, key.activates_at).is_some_and(|active| active.generation > key.generation)
    }

    /// `signing` is the algorithm that is configured; keys of others only verify what they have signed.
    pub fn state(&self, key: &SigningKey, signing: Algorithm, now: Timestamp) -> KeyState {
        if key.revoked_at.is_some() {
            KeyState::Revoked
        } else if key.retires_at.is_some_and(|at| at <= now) {
            KeyState::Retired
        } else if key.activates_at > now && !self.is_superseded(key, signing) {
            KeyState::Next
        } else if self.active(signing, now).is_some_and(|active| active.id == key.id) {
            KeyState::Active
        } else {
            KeyState::Retiring
        }
    }
}

/// A public key as clients read it (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    pub id: KeyId,
    pub algorithm: Algorithm,
    pub parameters: JwkParameters,
}

/// Each value in unpadded base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwkParameters {
    /// Ed25519 (RFC 8037, section 2).
    Okp { x: String },
    /// P-256 (RFC 7518, section 6.2).
    Ec { x: String, y: String },
    /// RFC 7518, section 6.3.
    Rsa { n: String, e: String },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "the private key {0} does not open with this master key: `tokens.master_key` must be the one it was sealed with"
    )]
    Unsealable(KeyId),
    #[error("the key {0} is not a valid key of its algorithm")]
    Invalid(KeyId),
    #[error("the key could not be made")]
    Generation,
}

/// The port that makes keys.
pub trait KeyGenerator: Send + Sync + fmt::Debug {
    /// The public key (`SubjectPublicKeyInfo`, DER) and the sealed private key.
    fn generate(&self, id: KeyId, algorithm: Algorithm) -> Result<(Vec<u8>, Vec<u8>), KeyError>;
}
