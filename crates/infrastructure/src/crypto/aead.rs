//! Authenticated encryption: AES-256-GCM under a key that HKDF-SHA256 derives for one purpose (NIST SP 800-38D,
//! RFC 5869).

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

/// The first byte of everything sealed, so that a later format can be told from this one.
const FORMAT: u8 = 1;

/// Sealed: the format, the nonce (random, 12 bytes), the ciphertext, the tag (16 bytes).
pub(super) struct Sealer(RandomizedNonceKey);

impl Sealer {
    /// Different purposes get independent keys from one secret, so that what was sealed for one never opens as
    /// another.
    pub(super) fn derive(secret: &[u8], purpose: &[u8]) -> Result<Self, Unspecified> {
        let mut key = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, &[]).extract(secret).expand(&[purpose], HKDF_SHA256)?.fill(key.as_mut_slice())?;
        RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).map(Self)
    }

    /// `context` is not in the result but must be the same when it is opened.
    pub(super) fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut body = plain.to_vec();
        // Encrypts in place: no copy of the plaintext is left.
        let nonce = self.0.seal_in_place_append_tag(Aad::from(context), &mut body)?;
        Ok([&[FORMAT], nonce.as_ref().as_slice(), &body].concat())
    }

    pub(super) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let Some((&FORMAT, rest)) = sealed.split_first() else {
            return Err(Unspecified);
        };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unspecified)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self.0.open_in_place(Nonce::from(nonce), Aad::from(context), &mut body)?.len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(purpose: &[u8]) -> Sealer {
        Sealer::derive(&[7; 32], purpose).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_secret_purpose_and_context_alone() {
        let sealed = sealer(b"a").seal(b"context", b"plain").unwrap();
        assert_eq!(sealer(b"a").open(b"context", &sealed).unwrap().as_slice(), b"plain");
        assert!(sealer(b"b").open(b"context", &sealed).is_err());
        assert!(sealer(b"a").open(b"other", &sealed).is_err());
        assert!(Sealer::derive(&[8; 32], b"a").unwrap().open(b"context", &sealed).is_err());
    }

    #[test]
    fn no_byte_can_be_changed_or_cut() {
        let sealed = sealer(b"a").seal(b"", b"plain").unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(sealer(b"a").open(b"", &changed).is_err(), "byte {position} changed");
            assert!(sealer(b"a").open(b"", &sealed[..position]).is_err(), "cut to {position}");
        }
    }

    #[test]
    fn the_same_text_is_never_sealed_the_same_way_twice() {
        let sealer = sealer(b"a");
        assert_ne!(sealer.seal(b"", b"plain").unwrap(), sealer.seal(b"", b"plain").unwrap());
    }
}
