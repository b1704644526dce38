//! Refresh tokens. Each names its session (RFC 9700, section 4.14.2, the note on implementation).

use crate::Rng;
use crate::id::SessionId;
use crate::secret::{MalformedToken, TokenHash, decode, encode};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

const PREFIX: &str = "vrt_";
/// Bytes of the session, the family secret and the token secret.
const PARTS: usize = 16 + 16 + 32;
/// Bytes of the check: as many as leave no character of base64url a bit to spare.
const CHECK: usize = 5;

/// The plain token, as the client holds it: `vrt_`, then 92 characters of base64url for the id of its session, the
/// *family secret* of 128 random bits that all tokens of the session share, the *token secret* of 256 random bits of its
/// own, and a check of 40 bits, the first of the SHA-256 of the rest.
///
/// A family secret with a token secret that is neither the current one nor its parent's is proof of reuse: replaced
/// tokens need not be stored. The check keeps a damaged token from being taken for a replaced one, which would end the
/// session.
#[derive(Clone)]
pub struct RefreshToken {
    session: SessionId,
    family: Zeroizing<[u8; 16]>,
    secret: Zeroizing<[u8; 32]>,
}

impl RefreshToken {
    pub fn new(session: SessionId, family: [u8; 16], secret: [u8; 32]) -> Self {
        Self { session, family: Zeroizing::new(family), secret: Zeroizing::new(secret) }
    }

    /// The first one of the session.
    pub fn generate(session: SessionId, rng: &dyn Rng) -> Self {
        Self::new(session, rng.bytes(), rng.bytes())
    }

    /// Another one of the same session and family, to take its place.
    #[must_use]
    pub fn child(&self, rng: &dyn Rng) -> Self {
        self.with_secret(rng.bytes())
    }

    /// The one of the same session and family that has this secret.
    #[must_use]
    pub fn with_secret(&self, secret: [u8; 32]) -> Self {
        Self::new(self.session, *self.family, secret)
    }

    /// What [`reveal`](Self::reveal) writes. [`MalformedToken`] for all else, one with a wrong check included.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        let bytes = decode::<{ PARTS + CHECK }>(PREFIX, text)?;
        let (parts, check) = bytes.split_at(PARTS);
        if !Sha256::digest(parts).starts_with(check) {
            return Err(MalformedToken);
        }
        let (session, parts) = parts.split_first_chunk().ok_or(MalformedToken)?;
        let (family, parts) = parts.split_first_chunk().ok_or(MalformedToken)?;
        let secret = parts.first_chunk().ok_or(MalformedToken)?;
        Ok(Self::new(Uuid::from_bytes(*session).into(), *family, *secret))
    }

    /// The text that goes to the client, and nowhere else.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PARTS + CHECK));
        bytes.extend_from_slice(self.session.as_uuid().as_bytes());
        bytes.extend_from_slice(self.family.as_slice());
        bytes.extend_from_slice(self.secret.as_slice());
        let digest = Sha256::digest(bytes.as_slice());
        bytes.extend(digest.into_iter().take(CHECK));
        encode(PREFIX, &bytes)
    }

    /// Under which its child is sealed, or which is sealed itself.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// What is stored and looked up.
    pub fn hash(&self) -> RefreshTokenHash {
        RefreshTokenHash {
            session: self.session,
            family: RefreshFamilyHash::from_bytes(Sha256::digest(self.family.as_slice()).into()),
            secret: self.secret_hash(),
        }
    }

    /// All that differs between the hashes of a family's tokens.
    pub fn secret_hash(&self) -> RefreshSecretHash {
        RefreshSecretHash::from_bytes(Sha256::digest(self.secret.as_slice()).into())
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}[redacted]")
    }
}

#[derive(Debug)]
pub enum RefreshFamily {}
#[derive(Debug)]
pub enum RefreshSecret {}

pub type RefreshFamilyHash = TokenHash<RefreshFamily>;
pub type RefreshSecretHash = TokenHash<RefreshSecret>;

/// The session of a refresh token, and the SHA-256 of each of its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTokenHash {
    pub session: SessionId,
    pub family: RefreshFamilyHash,
    pub secret: RefreshSecretHash,
}
