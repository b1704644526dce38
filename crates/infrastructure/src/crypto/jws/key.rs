//! The two halves of a key, each good for one algorithm.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm as JwsAlgorithm, DecodingKey};
use vestibule_domain::token::Algorithm;

/// The provider is named here, not taken from the process's default, which would depend on the features that other
/// crates ask for.
pub(super) struct VerifyingHalf {
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Not by `jsonwebtoken`, which parses the key anew for each signature: with Ed25519 that takes nearly half of the
/// time.
pub(super) enum SigningHalf {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(Box<RsaKeyPair>),
    Hs256(Box<hmac::Key>),
}

impl VerifyingHalf {
    pub(super) fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { algorithm, key }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&jws(self.algorithm), &self.key)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}

impl SigningHalf {
    pub(super) fn symmetric(secret: &[u8]) -> Self {
        Self::Hs256(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    pub(super) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, Unspecified> {
        Ok(match algorithm {
            Algorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)?),
            Algorithm::Es256 => Self::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)?),
            Algorithm::Rs256 => Self::Rs256(Box::new(RsaKeyPair::from_pkcs8(der)?)),
            Algorithm::Hs256 => return Err(Unspecified),
        })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Es256(_) => Algorithm::Es256,
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Hs256(_) => Algorithm::Hs256,
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let rng = SystemRandom::new();
        match self {
            Self::EdDsa(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
            Self::Es256(pair) => Some(pair.sign(&rng, message).ok()?.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &rng, message, &mut signature).ok()?;
                Some(signature)
            }
            Self::Hs256(key) => Some(hmac::sign(key, message).as_ref().to_vec()),
        }
    }

    /// Whether the two halves are of one pair.
    pub(super) fn fits(&self, verifying: &VerifyingHalf) -> bool {
        const PROBE: &[u8] = b"vestibule";
        self.sign(PROBE).is_some_and(|signature| verifying.verifies(PROBE, &signature))
    }
}

fn jws(algorithm: Algorithm) -> JwsAlgorithm {
    match algorithm {
        Algorithm::EdDsa => JwsAlgorithm::EdDSA,
        Algorithm::Es256 => JwsAlgorithm::ES256,
        Algorithm::Rs256 => JwsAlgorithm::RS256,
        Algorithm::Hs256 => JwsAlgorithm::HS256,
    }
}
