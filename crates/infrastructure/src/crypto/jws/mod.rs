//! Access tokens as signed JWTs (RFC 7515, RFC 7519, RFC 9068).
//!
//! `jsonwebtoken` verifies the signatures. What a token must look like is checked here, because that library reads the
//! system's clock, parses `crit` without obeying it, does not look at `typ`, and passes over claims of the wrong type.

mod claims;
mod compact;
mod key;
mod keyring;
mod public;
mod verified;

use super::keys::KeyForge;
use super::secrets::HmacSecret;
use claims::{Audience, IssuedClaims, Proof, ReadClaims};
use compact::{Compact, Header};
use key::{SigningHalf, VerifyingHalf};
use keyring::{Keyring, Symmetric};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use verified::{Signer, TokenTag, Verified};
use vestibule_domain::token::{
    AccessClaims, AccessToken, Algorithm, Jwk, KeyError, KeySet, SigningError, TokenCodec, TokenFault, VerifiedToken,
};
use vestibule_domain::{Clock, Timestamp};

/// In bytes. What is longer is not even looked at.
const MAX_BYTES: usize = 8 * 1024;
/// In bytes: what fits every server's and proxy's idea of a header.
const MAX_ISSUED_BYTES: usize = 1024;

#[derive(Debug)]
pub struct JwsSettings {
    /// What new tokens are signed with. Keys of other algorithms go on verifying until they retire.
    pub algorithm: Algorithm,
    pub issuer: String,
    pub audience: String,
    /// For HS256, and used with no other algorithm; without it HS256 is never ready.
    pub secret: Option<HmacSecret>,
}

/// Signs and verifies with keys in memory: no call does I/O.
pub struct JwsCodec {
    algorithm: Algorithm,
    audience: Audience,
    symmetric: Option<Symmetric>,
    keyring: RwLock<Arc<Keyring>>,
    forge: Arc<KeyForge>,
    clock: Arc<dyn Clock>,
}

impl JwsCodec {
    /// Has no keys but the secret until it is given some.
    pub fn new(settings: JwsSettings, forge: Arc<KeyForge>, clock: Arc<dyn Clock>) -> Self {
        let JwsSettings { algorithm, issuer, audience, secret } = settings;
        Self {
            algorithm,
            audience: Audience { issuer, audience },
            symmetric: secret.filter(|_| algorithm == Algorithm::Hs256).and_then(|secret| Symmetric::new(&secret)),
            keyring: RwLock::default(),
            forge,
            clock,
        }
    }

    fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key to sign with now and its id.
    fn with_signing_key<T>(&self, use_key: impl FnOnce(&str, &SigningHalf) -> T) -> Result<T, SigningError> {
        if let Some(symmetric) = &self.symmetric {
            return Ok(use_key(&symmetric.id, &symmetric.signing));
        }
        let keyring = self.keyring();
        let (id, key) = keyring.signing(self.algorithm, self.clock.now()).ok_or(SigningError::NoActiveKey)?;
        Ok(use_key(id, key))
    }

    fn verifying_key<'a>(
        &'a self,
        keyring: &'a Keyring,
        id: &str,
        now: Timestamp,
    ) -> Result<(Signer, &'a VerifyingHalf), TokenFault> {
        if let Some(symmetric) = self.symmetric.as_ref().filter(|symmetric| symmetric.id == id) {
            return Ok((Signer::Secret, &symmetric.verifying));
        }
        let (id, key) = keyring.verifying(id, self.algorithm, now).ok_or(TokenFault::UnknownKey)?;
        Ok((Signer::Key(id), key))
    }

    /// Everything but the time, by which alone a token that was good can become worthless while its key counts.
    fn check(&self, keyring: &Keyring, token: &str, now: Timestamp) -> Result<Verified, TokenFault> {
        let token = Compact::parse(token).ok_or(TokenFault::Malformed)?;
        let header = Header::parse(&token.header)?;
        // The key says what the algorithm is; the header may only agree (RFC 8725, section 3.1).
        let (signer, key) = self.verifying_key(keyring, &header.kid, now)?;
        if header.alg != key.algorithm().as_str() {
            return Err(TokenFault::Header("alg is not that of the key"));
        }
        if !key.verifies(token.message.as_bytes(), &token.signature) {
            return Err(TokenFault::Signature);
        }
        let proof = ReadClaims::parse(&token.claims)?.prove(&self.audience)?;
        Ok(Verified { signer, proof })
    }

    /// What [`Self::check`] found once, if the key still counts.
    fn recall(&self, keyring: &Keyring, tag: TokenTag, now: Timestamp) -> Option<Proof> {
        let Verified { signer, proof } = keyring.verified.get(tag)?;
        let counts = match signer {
            Signer::Secret => true,
            Signer::Key(id) => keyring.stands_by(id, self.algorithm, now),
        };
        if !counts || proof.is_over(now) {
            keyring.verified.forget(tag);
        }
        counts.then_some(proof)
    }
}

impl TokenCodec for JwsCodec {
    /// A token over 1 KiB goes without `email`, and if need be without `roles`, rather than not at all: both can be
    /// read from `/users/me`, and a list of roles that was cut short would be wrong where a missing one is not.
    fn sign(&self, claims: &AccessClaims) -> Result<AccessToken, SigningError> {
        let whole = IssuedClaims::new(claims, &self.audience);
        self.with_signing_key(|id, key| {
            let mut token = compact::issue(id, key, &whole)?;
            if token.len() > MAX_ISSUED_BYTES {
                token = compact::issue(id, key, &whole.without_email())?;
            }
            if token.len() > MAX_ISSUED_BYTES {
                tracing::warn!(user = %claims.subject, "the roles do not fit an access token, which goes without them");
                token = compact::issue(id, key, &whole.without_email_and_roles())?;
            }
            Ok(AccessToken::new(token))
        })?
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, TokenFault> {
        if token.len() > MAX_BYTES {
            return Err(TokenFault::Malformed);
        }
        // Held, not copied: there is one count less for all threads to share.
        let keyring = self.keyring.read().unwrap_or_else(PoisonError::into_inner);
        let tag = keyring.verified.tag(token);
        if let Some(proof) = tag.and_then(|tag| self.recall(&keyring, tag, now)) {
            return proof.at(now);
        }
        let verified = self.check(&keyring, token, now)?;
        let token = verified.proof.at(now)?;
        if let Some(tag) = tag {
            keyring.verified.insert(tag, verified, now);
        }
        Ok(token)
    }

    fn load(&self, keys: &KeySet) -> Result<(), KeyError> {
        let (current, now) = (self.keyring(), self.clock.now());
        if current.holds(keys) {
            current.verified.forget_expired(now);
            return Ok(());
        }
        let (keyring, outcome) = Keyring::open(keys, self.algorithm, &self.forge, now);
        *self.keyring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
        outcome
    }

    fn public_keys(&self) -> Vec<Jwk> {
        match self.algorithm {
            // Its tokens are for a single party, which has the secret.
            Algorithm::Hs256 => Vec::new(),
            algorithm => self.keyring().published(algorithm, self.clock.now()),
        }
    }

    fn issuer(&self) -> &str {
        &self.audience.issuer
    }

    fn audience(&self) -> &str {
        &self.audience.audience
    }

    fn is_ready(&self) -> bool {
        self.with_signing_key(|_, _| ()).is_ok()
    }
}

impl fmt::Debug for JwsCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwsCodec").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
