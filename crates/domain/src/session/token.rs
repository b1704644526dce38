//! Refresh tokens. Each names its session (RFC 9700, section 4.14.2, the note on implementation).

use crate::Rng;
use crate::id::SessionId;
use crate::secret::{MalformedToken, TokenHash};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

const PREFIX: &str = "vrt_";
/// The bytes of its check.
const CHECK: usize = 5;
/// Those of a token: session, family, secret, check.
const LENGTH: usize = 16 + 16 + 32 + CHECK;

/// The plain token, as the client holds it: `vrt_`, then 92 characters of base64url for the id of the session, 128
/// random bits that all its tokens have in common (their *family*), 256 random bits of its own, and a check of 40.
///
/// Whoever brings the family and a secret that is not the current one has had a token of the session: no store has to
/// keep those that were replaced. By the check a token that was damaged is not taken for one of them.
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

    /// The first one of a session.
    pub fn generate(session: SessionId, rng: &dyn Rng) -> Self {
        Self::new(session, rng.bytes(), rng.bytes())
    }

    /// The one that is to replace it.
    #[must_use]
    pub fn successor(&self, rng: &dyn Rng) -> Self {
        self.with_secret(rng.bytes())
    }

    /// Another one of its family.
    #[must_use]
    pub fn with_secret(&self, secret: [u8; 32]) -> Self {
        Self::new(self.session, *self.family, secret)
    }

    /// As [`reveal`](Self::reveal) writes it, and no other spelling of it: no character has bits to spare.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        let body = text.strip_prefix(PREFIX).ok_or(MalformedToken)?;
        let mut bytes = Zeroizing::new([0; LENGTH]);
        if URL_SAFE_NO_PAD.decode_slice(body, bytes.as_mut_slice()) != Ok(LENGTH) {
            return Err(MalformedToken);
        }
        let (session, rest) = bytes.split_first_chunk().ok_or(MalformedToken)?;
        let (family, rest) = rest.split_first_chunk().ok_or(MalformedToken)?;
        let (secret, check) = rest.split_first_chunk().ok_or(MalformedToken)?;
        let token = Self::new(Uuid::from_bytes(*session).into(), *family, *secret);
        if token.digest().starts_with(check) { Ok(token) } else { Err(MalformedToken) }
    }

    /// The text that goes to the client, and nowhere else.
    pub fn reveal(&self) -> Zeroizing<String> {
        let (session, digest) = (self.session.as_uuid(), self.digest());
        let (check, _) = digest.split_at(CHECK);
        let parts: [&[u8]; 4] = [session.as_bytes(), self.family.as_slice(), self.secret.as_slice(), check];
        let bytes = Zeroizing::new(parts.concat());
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + LENGTH.div_ceil(3) * 4));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        text
    }

    /// Begins with the check.
    fn digest(&self) -> [u8; 32] {
        let digest = Sha256::new()
            .chain_update(self.session.as_uuid().as_bytes())
            .chain_update(self.family.as_slice())
            .chain_update(self.secret.as_slice());
        digest.finalize().into()
    }

    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// What is stored and looked up.
    pub fn hash(&self) -> RefreshTokenHash {
        RefreshTokenHash {
            session: self.session,
            family: FamilyHash::from_bytes(Sha256::digest(self.family.as_slice()).into()),
            secret: self.secret_hash(),
        }
    }

    /// The part of it in which the tokens of a family differ.
    pub fn secret_hash(&self) -> SecretHash {
        SecretHash::from_bytes(Sha256::digest(self.secret.as_slice()).into())
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}[redacted]")
    }
}

#[derive(Debug)]
pub enum Family {}
#[derive(Debug)]
pub enum Secret {}

pub type FamilyHash = TokenHash<Family>;
pub type SecretHash = TokenHash<Secret>;

/// The session of a refresh token, and the SHA-256 of what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTokenHash {
    pub session: SessionId,
    pub family: FamilyHash,
    pub secret: SecretHash,
}
