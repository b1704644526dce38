//! Access tokens as signed JWTs (RFC 7515, RFC 7519, RFC 9068).
//!
//! The signatures are those of `jsonwebtoken`. What a token must look like is checked here, because that library
//! reads the system's clock, parses `crit` without obeying it, does not look at `typ`, and passes over claims of the
//! wrong type.

mod claims;
mod compact;
mod key;
mod keyring;
mod public;

use super::keys::KeyForge;
use super::secrets::HmacSecret;
use claims::{Audience, IssuedClaims, ReadClaims};
use compact::{Compact, Header};
use key::{SigningHalf, VerifyingHalf};
use keyring::{Keyring, Symmetric};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use vestibule_domain::Clock;
use vestibule_domain::token::{
    AccessClaims, AccessToken, Algorithm, Jwk, KeyError, KeySet, SigningError, TokenCodec, TokenFault, VerifiedToken,
};

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

    fn with_verifying_key<T>(&self, id: &str, use_key: impl FnOnce(&VerifyingHalf) -> T) -> Result<T, TokenFault> {
        if let Some(symmetric) = self.symmetric.as_ref().filter(|symmetric| symmetric.id == id) {
            return Ok(use_key(&symmetric.verifying));
        }
        let keyring = self.keyring();
        let key = keyring.verifying(id, self.algorithm, self.clock.now()).ok_or(TokenFault::UnknownKey)?;
        Ok(use_key(key))
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

    fn verify(&self, token: &str) -> Result<VerifiedToken, TokenFault> {
        let token = Compact::parse(token).ok_or(TokenFault::Malformed)?;
        let header = Header::parse(&token.header)?;
        // The key says what the algorithm is; the header may only agree (RFC 8725, section 3.1).
        self.with_verifying_key(&header.kid, |key| {
            if header.alg != key.algorithm().as_str() {
                return Err(TokenFault::Header("alg is not that of the key"));
            }
            if !key.verifies(token.message.as_bytes(), &token.signature) {
                return Err(TokenFault::Signature);
            }
            Ok(())
        })??;
        ReadClaims::parse(&token.claims)?.check(&self.audience, self.clock.now())
    }

    fn load(&self, keys: &KeySet) -> Result<(), KeyError> {
        let (keyring, outcome) = Keyring::open(keys, self.algorithm, &self.forge, self.clock.now());
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
