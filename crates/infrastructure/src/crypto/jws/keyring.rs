//! The keys in memory.

use super::key::{SigningHalf, VerifyingHalf};
use super::public::PublicKey;
use super::verified::VerifiedTokens;
use crate::crypto::keys::KeyForge;
use crate::crypto::secrets::HmacSecret;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use std::collections::HashMap;
use vestibule_domain::Timestamp;
use vestibule_domain::id::KeyId;
use vestibule_domain::token::{Algorithm, Jwk, KeyError, KeySet, SigningKey};

/// The keys of the store, opened once. Which of them count follows from the time of each call.
#[derive(Default)]
pub(super) struct Keyring {
    records: KeySet,
    /// By `kid`, exactly as it stands in tokens.
    keys: HashMap<String, Key>,
    /// Whether every key that was to be opened did.
    is_whole: bool,
    /// By these keys: others begin with none.
    pub(super) verified: VerifiedTokens,
}

struct Key {
    record: SigningKey,
    public: PublicKey,
    /// Only of the algorithm that signs.
    signing: Option<SigningHalf>,
}

impl Keyring {
    /// Leaves out what is already retired or revoked, which need not open any more, and what does not open, the first
    /// fault of which comes back beside the rest: one key at fault must not keep the revocation of another from
    /// taking effect.
    pub(super) fn open(
        records: &KeySet,
        signing: Algorithm,
        forge: &KeyForge,
        now: Timestamp,
    ) -> (Self, Result<(), KeyError>) {
        let (mut keys, mut outcome) = (HashMap::new(), Ok(()));
        for record in records.iter().filter(|record| records.state(record, signing, now).verifies()) {
            let key = Key::open(record, signing, forge).map(|key| keys.insert(record.id.to_string(), key));
            outcome = outcome.and(key.map(drop));
        }
        let verified = VerifiedTokens::default();
        (Self { records: records.clone(), keys, is_whole: outcome.is_ok(), verified }, outcome)
    }

    /// Whether opening `records` would bring nothing new.
    pub(super) fn holds(&self, records: &KeySet) -> bool {
        self.is_whole && self.records == *records
    }

    pub(super) fn signing(&self, algorithm: Algorithm, now: Timestamp) -> Option<(&str, &SigningHalf)> {
        let active = self.records.active(algorithm, now)?;
        let (id, key) = self.keys.get_key_value(&active.id.to_string())?;
        Some((id, key.signing.as_ref()?))
    }

    /// `signing` is the algorithm that signs now.
    pub(super) fn verifying(&self, id: &str, signing: Algorithm, now: Timestamp) -> Option<(KeyId, &VerifyingHalf)> {
        let key = self.keys.get(id)?;
        let verifies = self.records.state(&key.record, signing, now).verifies();
        verifies.then_some((key.record.id, &key.public.verifying))
    }

    /// Whether what the key has verified still counts.
    pub(super) fn stands_by(&self, id: KeyId, signing: Algorithm, now: Timestamp) -> bool {
        let record = self.records.iter().find(|record| record.id == id);
        record.is_some_and(|record| self.records.state(record, signing, now).verifies())
    }

    /// The newest first.
    pub(super) fn published(&self, signing: Algorithm, now: Timestamp) -> Vec<Jwk> {
        let verifies = |record: &&SigningKey| self.records.state(record, signing, now).verifies();
        let jwk = |record: &SigningKey| {
            let key = self.keys.get(&record.id.to_string())?;
            Some(Jwk { id: record.id, algorithm: record.algorithm, parameters: key.public.parameters.clone() })
        };
        self.records.iter().filter(verifies).filter_map(jwk).collect()
    }
}

impl Key {
    /// The private half is opened even if it is not to sign: that it is sealed under the master key is what tells the
    /// public one from a key that somebody else has written to the store.
    fn open(record: &SigningKey, signing: Algorithm, forge: &KeyForge) -> Result<Self, KeyError> {
        let invalid = || KeyError::Invalid(record.id);
        let public = PublicKey::from_spki(record.algorithm, &record.public_key).ok_or_else(invalid)?;
        let half = SigningHalf::from_pkcs8(record.algorithm, &forge.open(record)?).map_err(|_| invalid())?;
        if !half.fits(&public.verifying) {
            return Err(invalid());
        }
        let signing = (record.algorithm == signing).then_some(half);
        Ok(Self { record: record.clone(), public, signing })
    }
}

/// The one key of HS256.
pub(super) struct Symmetric {
    pub(super) id: String,
    pub(super) signing: SigningHalf,
    pub(super) verifying: VerifyingHalf,
}

impl Symmetric {
    pub(super) fn new(secret: &HmacSecret) -> Option<Self> {
        Some(Self {
            id: key_id(secret.as_bytes())?,
            signing: SigningHalf::symmetric(secret.as_bytes()),
            verifying: VerifyingHalf::new(Algorithm::Hs256, DecodingKey::from_secret(secret.as_bytes())),
        })
    }
}

/// Changes with the secret and tells nothing of it: a part of what HKDF makes of it.
fn key_id(secret: &[u8]) -> Option<String> {
    let mut bytes = [0; 32];
    let id = Salt::new(HKDF_SHA256, &[]).extract(secret);
    id.expand(&[b"vestibule hs256 key id v1"], HKDF_SHA256).ok()?.fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes.first_chunk::<12>()?))
}
