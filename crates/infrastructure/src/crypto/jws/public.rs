//! From a stored public key to what verifies and what clients read.

use super::key::VerifyingHalf;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use vestibule_domain::token::{Algorithm, JwkParameters};

/// `SubjectPublicKeyInfo` up to the key itself, whose length these formats fix (RFC 8410; RFC 5480).
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const P256_UNCOMPRESSED: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";

pub(super) struct PublicKey {
    pub(super) verifying: VerifyingHalf,
    pub(super) parameters: JwkParameters,
}

impl PublicKey {
    /// `None` if it is not a key of the algorithm, which HS256 has none of.
    pub(super) fn from_spki(algorithm: Algorithm, der: &[u8]) -> Option<Self> {
        let (key, parameters) = match algorithm {
            Algorithm::EdDsa => {
                let x: &[u8; 32] = der.strip_prefix(ED25519)?.try_into().ok()?;
                (DecodingKey::from_ed_der(x), JwkParameters::Okp { x: encode(x) })
            }
            Algorithm::Es256 => {
                let (x, y) = der.strip_prefix(P256_UNCOMPRESSED)?.split_at_checked(32)?;
                if y.len() != 32 {
                    return None;
                }
                let point = [&[4], x, y].concat();
                (DecodingKey::from_ec_der(&point), JwkParameters::Ec { x: encode(x), y: encode(y) })
            }
            Algorithm::Rs256 => {
                let (n, e) = (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(der).ok()?;
                let parameters = JwkParameters::Rsa { n: encode(&n), e: encode(&e) };
                (DecodingKey::from_rsa_raw_components(&n, &e), parameters)
            }
            Algorithm::Hs256 => return None,
        };
        Some(Self { verifying: VerifyingHalf::new(algorithm, key), parameters })
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
