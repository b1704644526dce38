//! Secrets that an operator configures. What a person could have made up is refused (RFC 8725, section 3.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use vestibule_domain::Rng;
use zeroize::Zeroizing;

/// Of 32 random bytes fewer than this differ less than once in 10^12 times.
const LEAST_DISTINCT_BYTES: usize = 18;

/// Secrets that stand in specifications and tutorials, and that scan as random.
const SAMPLES: [&str; 2] = [
    // RFC 7515, appendix A.1
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==",
    // RFC 7520, section 3.5
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG+Onbc6mxCcYg=",
];

/// Under which private keys lie in the store.
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// The key of HS256, which signs and verifies.
pub struct HmacSecret(Zeroizing<Vec<u8>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("must be base64 (make one with `openssl rand -base64 32`)")]
    NotBase64,
    #[error("must be {expected} bytes in base64, not {found} (make one with `openssl rand -base64 32`)")]
    Length { expected: &'static str, found: usize },
    #[error("can be guessed: it is a sample, text, or a pattern (make one with `openssl rand -base64 32`)")]
    Guessable,
}

impl MasterKey {
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(Zeroizing::new(rng.bytes()))
    }

    /// Padded base64 of 32 random bytes; space around it does not count.
    pub fn from_base64(text: &str) -> Result<Self, SecretError> {
        let bytes = decode(text).ok_or(SecretError::NotBase64)?;
        let key = bytes
            .as_slice()
            .try_into()
            .map_err(|_| SecretError::Length { expected: "exactly 32", found: bytes.len() })?;
        if is_guessable(&bytes) {
            return Err(SecretError::Guessable);
        }
        Ok(Self(Zeroizing::new(key)))
    }

    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl HmacSecret {
    /// Padded base64 of at least 32 random bytes; space around it does not count.
    pub fn from_base64(text: &str) -> Result<Self, SecretError> {
        random_bytes(text).map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// At least 32, in padded base64; space around it does not count. For HS256 a key as long as the hash (RFC 7518,
/// section 3.2).
pub(super) fn random_bytes(text: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let bytes = decode(text).ok_or(SecretError::NotBase64)?;
    if bytes.len() < 32 {
        return Err(SecretError::Length { expected: "at least 32", found: bytes.len() });
    }
    if is_guessable(&bytes) {
        return Err(SecretError::Guessable);
    }
    Ok(bytes)
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(text.trim()).ok().map(Zeroizing::new)
}

/// Random bytes do not fit any of these; what people make up fits at least one.
fn is_guessable(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let is_repetitive = seen.iter().filter(|seen| **seen).count() < LEAST_DISTINCT_BYTES;
    let is_text = bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    let mut steps = bytes.iter().zip(bytes.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a));
    let first_step = steps.next();
    let is_progression = steps.all(|step| Some(step) == first_step);
    is_repetitive || is_text || is_progression || SAMPLES.contains(&STANDARD.encode(bytes).as_str())
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey[redacted]")
    }
}

impl fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSecret[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemRng;

    #[test]
    fn a_generated_master_key_survives_its_text_form() {
        let key = MasterKey::generate(&SystemRng);
        let again = MasterKey::from_base64(&format!(" {}\n", *key.to_base64())).unwrap();
        assert_eq!(key.as_bytes(), again.as_bytes());
    }

    #[test]
    fn a_master_key_of_another_length_is_refused() {
        let long = STANDARD.encode([1; 33]);
        assert_eq!(
            MasterKey::from_base64(&long).unwrap_err(),
            SecretError::Length { expected: "exactly 32", found: 33 }
        );
        assert_eq!(MasterKey::from_base64("").unwrap_err(), SecretError::Length { expected: "exactly 32", found: 0 });
    }

    #[test]
    fn case_73_rfc7518_3_2_a_short_hs256_secret_is_refused_with_the_way_to_make_one() {
        let error = HmacSecret::from_base64(&STANDARD.encode([9; 31])).unwrap_err();
        assert_eq!(error, SecretError::Length { expected: "at least 32", found: 31 });
        assert!(error.to_string().contains("openssl rand -base64 32"));
        assert_eq!(HmacSecret::from_base64("not base64!").unwrap_err(), SecretError::NotBase64);
    }

    #[test]
    fn case_73_rfc8725_3_5_dictionary_words_samples_and_patterns_are_refused() {
        let words = b"The quick brown fox jumps over 13 lazy dogs!".to_vec();
        let jwt_io = b"your-256-bit-secret-your-256-bit-secret".to_vec();
        let progression: Vec<u8> = (0..64).map(|n| n * 3).collect();
        let period: Vec<u8> = b"\x00\xf1\x9c\x22\x7e\x81\xd5\x33".repeat(4);
        for secret in [words, jwt_io, progression, period, vec![0; 32], vec![0xff; 64]] {
            let text = STANDARD.encode(&secret);
            assert_eq!(HmacSecret::from_base64(&text).unwrap_err(), SecretError::Guessable, "{text}");
        }
        for sample in SAMPLES {
            assert_eq!(HmacSecret::from_base64(sample).unwrap_err(), SecretError::Guessable, "{sample}");
        }
    }

    #[test]
    fn random_secrets_are_accepted() {
        for _ in 0..1_000 {
            assert!(HmacSecret::from_base64(&MasterKey::generate(&SystemRng).to_base64()).is_ok());
        }
    }

    #[test]
    fn debug_says_nothing() {
        let key = MasterKey::generate(&SystemRng);
        let secret = HmacSecret::from_base64(&key.to_base64()).unwrap();
        assert_eq!(format!("{key:?} {secret:?}"), "MasterKey[redacted] HmacSecret[redacted]");
    }
}
