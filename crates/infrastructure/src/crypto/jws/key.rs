//! The two halves of a key, each good for one algorithm.

use aws_lc_rs::error::Unspecified;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm as JwsAlgorithm, DecodingKey, EncodingKey};
use vestibule_domain::token::Algorithm;

/// The provider is named here, not taken from the process's default, which would depend on the features that other
/// crates ask for.
pub(super) struct VerifyingHalf {
    algorithm: Algorithm,
    key: DecodingKey,
}

pub(super) struct SigningHalf {
    algorithm: Algorithm,
    key: EncodingKey,
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
        Self { algorithm: Algorithm::Hs256, key: EncodingKey::from_secret(secret) }
    }

    pub(super) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, Unspecified> {
        let key = match algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_der(der),
            Algorithm::Es256 => EncodingKey::from_ec_der(der),
            Algorithm::Rs256 => EncodingKey::from_rsa_der(pkcs1(der).ok_or(Unspecified)?),
            Algorithm::Hs256 => return Err(Unspecified),
        };
        Ok(Self { algorithm, key })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signer = (DEFAULT_PROVIDER.signer_factory)(&jws(self.algorithm), &self.key).ok()?;
        signer.try_sign(message).ok()
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

/// The library wants the `RSAPrivateKey` (RFC 8017) that a `PrivateKeyInfo` (RFC 5208) ends with: after its own
/// header, the version, the algorithm's name and the header of the octet string.
fn pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    const VERSION_AND_RSA_ENCRYPTION: [u8; 18] =
        *b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let [0x30, 0x82, _, _, body @ ..] = pkcs8 else {
        return None;
    };
    match body.strip_prefix(&VERSION_AND_RSA_ENCRYPTION)? {
        [0x04, 0x82, _, _, key @ ..] => Some(key),
        _ => None,
    }
}
