//! Names for what the store must not name.

use super::secrets::MasterKey;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use std::fmt;
use vestibule_domain::throttle::KeyedHash;
use vestibule_domain::token::KeyError;

const PURPOSE: &[u8] = b"vestibule keyed hash v1";

/// HMAC-SHA256 under a key that HKDF-SHA256 derives from the master key (RFC 2104, RFC 5869): the same on all replicas
/// and after each start.
pub struct HmacKeyedHash(Key);

impl HmacKeyedHash {
    pub fn derive(master_key: &MasterKey) -> Result<Self, KeyError> {
        let secret = Salt::new(HKDF_SHA256, &[]).extract(master_key.as_bytes());
        let key = secret.expand(&[PURPOSE], HMAC_SHA256).map_err(|_| KeyError::Generation)?;
        Ok(Self(key.into()))
    }
}

impl KeyedHash for HmacKeyedHash {
    fn digest(&self, purpose: &'static str, data: &[u8]) -> [u8; 32] {
        let mut context = Context::with_key(&self.0);
        // With its length before it no purpose runs into the data.
        context.update(&(purpose.len() as u64).to_be_bytes());
        context.update(purpose.as_bytes());
        context.update(data);
        let mut digest = [0; 32];
        // The tag of HMAC-SHA256 has as many bytes.
        digest.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        digest
    }
}

impl fmt::Debug for HmacKeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKeyedHash[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemRng;

    fn hash(master_key: &MasterKey) -> HmacKeyedHash {
        HmacKeyedHash::derive(master_key).unwrap()
    }

    #[test]
    fn all_replicas_with_one_master_key_agree() {
        let key = MasterKey::generate(&SystemRng);
        let again = MasterKey::from_base64(&key.to_base64()).unwrap();
        assert_eq!(hash(&key).digest("login", b"192.0.2.1"), hash(&again).digest("login", b"192.0.2.1"));
    }

    #[test]
    fn another_purpose_or_data_or_master_key_makes_another_hash() {
        let key = MasterKey::generate(&SystemRng);
        let one = hash(&key).digest("login", b"192.0.2.1");
        assert_ne!(one, hash(&key).digest("taken", b"192.0.2.1"));
        assert_ne!(one, hash(&key).digest("login", b"192.0.2.2"));
        assert_ne!(one, hash(&MasterKey::generate(&SystemRng)).digest("login", b"192.0.2.1"));
    }

    #[test]
    fn a_purpose_does_not_run_into_the_data() {
        let hash = hash(&MasterKey::generate(&SystemRng));
        assert_ne!(hash.digest("ab", b"c"), hash.digest("a", b"bc"));
        assert_ne!(hash.digest("ab", b""), hash.digest("", b"ab"));
    }

    #[test]
    fn it_stays_the_same_from_version_to_version() {
        let key = MasterKey::from_base64("nefT/oQmF10ku656y60HqXd12QlS5U/mOKv/4l9R4G8=").unwrap();
        let expected: [u8; 32] = [
            0x65, 0x58, 0xe5, 0x2a, 0x19, 0x79, 0xf0, 0x60, 0xba, 0xe5, 0x0f, 0xfb, 0x31, 0x79, 0x66, 0x5d, 0x33, 0x7b,
            0x20, 0x4b, 0x46, 0x69, 0x54, 0x58, 0x9f, 0xd8, 0xbf, 0xb9, 0xe4, 0x84, 0x00, 0x9f,
        ];
        assert_eq!(hash(&key).digest("login", b"192.0.2.1"), expected);
    }

    #[test]
    fn debug_says_nothing() {
        assert_eq!(format!("{:?}", hash(&MasterKey::generate(&SystemRng))), "HmacKeyedHash[redacted]");
    }
}
