//! Opaque tokens: 256 random bits behind a greppable prefix. The plain form is handed out once and never stored;
//! the stored form is its SHA-256, which needs no salt or stretching because the input cannot be guessed. Refresh tokens,
//! which have parts, are in [`session`](crate::session).

use crate::Rng;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::{fmt, marker::PhantomData};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What a token is good for; tokens of different purposes are different types.
pub trait TokenPurpose: Send + Sync + 'static {
    /// Lets secret scanners and people recognise the token.
    const PREFIX: &'static str;
}

/// The plain token, as the client holds it.
pub struct OpaqueToken<P> {
    bytes: Zeroizing<[u8; 32]>,
    purpose: PhantomData<P>,
}

/// The text is not a token of this kind: another prefix, length or spelling, or not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this kind")]
pub struct MalformedToken;

/// The prefix and the bytes in unpadded base64url, in the one spelling that [`encode`] gives them.
pub(crate) fn decode<const N: usize>(prefix: &str, text: &str) -> Result<Zeroizing<[u8; N]>, MalformedToken> {
    let body = text.strip_prefix(prefix).ok_or(MalformedToken)?;
    let mut bytes = Zeroizing::new([0; N]);
    // The engine refuses trailing bits that are not zero.
    match URL_SAFE_NO_PAD.decode_slice(body, bytes.as_mut_slice()) {
        Ok(length) if length == N => Ok(bytes),
        _ => Err(MalformedToken),
    }
}

pub(crate) fn encode(prefix: &str, bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + bytes.len().div_ceil(3) * 4));
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
    text
}

impl<P: TokenPurpose> OpaqueToken<P> {
    pub fn generate(rng: &dyn Rng) -> Self {
        Self::from_bytes(rng.bytes())
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes: Zeroizing::new(bytes), purpose: PhantomData }
    }

    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        Ok(Self { bytes: decode(P::PREFIX, text)?, purpose: PhantomData })
    }

    /// What is stored and looked up.
    pub fn hash(&self) -> TokenHash<P> {
        TokenHash { bytes: Sha256::digest(self.reveal().as_bytes()).into(), purpose: PhantomData }
    }

    /// The text that goes to the client, and nowhere else.
    pub fn reveal(&self) -> Zeroizing<String> {
        encode(P::PREFIX, self.bytes.as_slice())
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl<P: TokenPurpose> fmt::Debug for OpaqueToken<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[redacted]", P::PREFIX)
    }
}

/// The SHA-256 of a token's text, or of what is secret in it. Compared in constant time.
pub struct TokenHash<P> {
    bytes: [u8; 32],
    purpose: PhantomData<P>,
}

impl<P> TokenHash<P> {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes, purpose: PhantomData }
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl<P> Clone for TokenHash<P> {
    fn clone(&self) -> Self {
        Self::from_bytes(self.bytes)
    }
}

impl<P> PartialEq for TokenHash<P> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }
}

impl<P> Eq for TokenHash<P> {}

impl<P> fmt::Debug for TokenHash<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash[redacted]")
    }
}
