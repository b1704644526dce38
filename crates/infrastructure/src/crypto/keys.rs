//! Making signing keys, and opening them.

use super::aead::Sealer;
use super::secrets::MasterKey;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use std::fmt;
use vestibule_domain::id::KeyId;
use vestibule_domain::token::{Algorithm, KeyError, KeyGenerator, SigningKey};
use zeroize::Zeroizing;

const PURPOSE: &[u8] = b"vestibule signing key v1";

/// Makes Ed25519, P-256 and RSA-2048 keys and seals their private parts under the master key, each bound to its id,
/// so that two rows of the store cannot be exchanged.
pub struct KeyForge {
    master_key: MasterKey,
}

struct Pair {
    /// `SubjectPublicKeyInfo`, DER.
    public: Vec<u8>,
    /// PKCS #8, DER.
    private: Zeroizing<Vec<u8>>,
}

impl KeyForge {
    pub fn new(master_key: MasterKey) -> Self {
        Self { master_key }
    }

    /// The private part as PKCS #8, DER.
    pub(super) fn open(&self, key: &SigningKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.sealer()
            .and_then(|sealer| sealer.open(key.id.as_uuid().as_bytes(), &key.sealed_private_key))
            .map_err(|_| KeyError::Unsealable(key.id))
    }

    fn sealer(&self) -> Result<Sealer, Unspecified> {
        Sealer::derive(self.master_key.as_bytes(), PURPOSE)
    }
}

impl KeyGenerator for KeyForge {
    /// HS256 has no key pair: [`KeyError::Generation`].
    fn generate(&self, id: KeyId, algorithm: Algorithm) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
        let seal = |pair: Pair| -> Result<_, Unspecified> {
            let sealed = self.sealer()?.seal(id.as_uuid().as_bytes(), &pair.private)?;
            Ok((pair.public, sealed))
        };
        generate_pair(algorithm).and_then(seal).map_err(|_| KeyError::Generation)
    }
}

fn generate_pair(algorithm: Algorithm) -> Result<Pair, Unspecified> {
    match algorithm {
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate()?;
            Ok(Pair { public: spki(pair.public_key())?, private: secret(pair.to_pkcs8()?.as_ref()) })
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
            Ok(Pair { public: spki(pair.public_key())?, private: secret(pair.to_pkcs8v1()?.as_ref()) })
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
            let private: Pkcs8V1Der<'_> = pair.as_der()?;
            Ok(Pair { public: spki(pair.public_key())?, private: secret(private.as_ref()) })
        }
        Algorithm::Hs256 => Err(Unspecified),
    }
}

fn spki(public: &impl AsDer<PublicKeyX509Der<'static>>) -> Result<Vec<u8>, Unspecified> {
    Ok(public.as_der()?.as_ref().to_vec())
}

fn secret(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

impl fmt::Debug for KeyForge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyForge").finish_non_exhaustive()
    }
}
