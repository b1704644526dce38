//! Cryptography that hides nothing, so that tests can see through it.

use super::HandClock;
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use vestibule_domain::Timestamp;
use vestibule_domain::credential::{HashingError, NewPassword, PasswordAttempt, PasswordHash, PasswordHasher, Verdict};
use vestibule_domain::id::{KeyId, SessionId, TokenId, UserId};
use vestibule_domain::session::{RefreshSealer, RefreshToken, SealedToken};
use vestibule_domain::throttle::{KeyedHash, Network};
use vestibule_domain::token::{
    AccessClaims, AccessToken, Algorithm, Jwk, KeyError, KeyGenerator, KeySet, SigningError, TokenCodec, TokenFault,
    VerifiedToken,
};

/// A hash that is the password; a mark tells that it is of an older kind.
#[derive(Debug, Default)]
pub(crate) struct PlainHasher {
    verified: AtomicUsize,
    overloaded: AtomicBool,
    /// What time it takes, on which clock.
    takes: Mutex<Option<(Arc<HandClock>, Duration)>>,
    /// Whether nothing that is asked for is finished.
    held: AtomicBool,
}

impl PlainHasher {
    pub(crate) fn set_takes(&self, clock: &Arc<HandClock>, time: Duration) {
        *self.takes.lock().unwrap() = Some((Arc::clone(clock), time));
    }

    pub(crate) fn set_held(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
    }

    async fn turn(&self) {
        poll_fn(|_| if self.held.load(Ordering::SeqCst) { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    pub(crate) fn set_overloaded(&self, overloaded: bool) {
        self.overloaded.store(overloaded, Ordering::SeqCst);
    }

    pub(crate) fn verified(&self) -> usize {
        self.verified.load(Ordering::SeqCst)
    }
}

pub(crate) fn phc(password: &[u8]) -> PasswordHash {
    PasswordHash::from_phc(format!("new:{}", String::from_utf8_lossy(password)))
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: NewPassword, _: Option<Network>) -> Result<PasswordHash, HashingError> {
        if let Some((clock, time)) = &*self.takes.lock().unwrap() {
            clock.advance(*time);
        }
        self.turn().await;
        Ok(phc(password.as_bytes()))
    }

    async fn verify(
        &self,
        attempt: PasswordAttempt,
        hash: Option<&PasswordHash>,
        _: Option<Network>,
    ) -> Result<Verdict, HashingError> {
        self.turn().await;
        if self.overloaded.load(Ordering::SeqCst) {
            return Err(HashingError::Overloaded { retry_after: Duration::from_secs(1) });
        }
        self.verified.fetch_add(1, Ordering::SeqCst);
        let right = phc(attempt.as_bytes());
        Ok(match hash.map(PasswordHash::as_phc) {
            Some(phc) if phc == right.as_phc() => Verdict::Match { upgraded: None },
            Some(phc) if phc.replace("old:", "new:") == right.as_phc() => Verdict::Match { upgraded: Some(right) },
            _ => Verdict::Mismatch,
        })
    }
}

/// With no key.
#[derive(Debug)]
pub(crate) struct PlainHash;

impl KeyedHash for PlainHash {
    fn digest(&self, purpose: &'static str, data: &[u8]) -> [u8; 32] {
        Sha256::new_with_prefix(purpose).chain_update([0]).chain_update(data).finalize().into()
    }
}

/// Tokens that say in plain text what they prove.
#[derive(Debug, Default)]
pub(crate) struct PlainCodec {
    stopped: AtomicBool,
    loaded: Mutex<KeySet>,
    /// What the newest token says.
    signed: Mutex<Option<AccessClaims>>,
    /// A key that does not open.
    closed: Mutex<Option<KeyId>>,
}

impl PlainCodec {
    pub(crate) fn set_ready(&self, ready: bool) {
        self.stopped.store(!ready, Ordering::SeqCst);
    }

    pub(crate) fn loaded(&self) -> KeySet {
        self.loaded.lock().unwrap().clone()
    }

    pub(crate) fn last_signed(&self) -> AccessClaims {
        self.signed.lock().unwrap().clone().unwrap()
    }

    pub(crate) fn cannot_open(&self, key: KeyId) {
        *self.closed.lock().unwrap() = Some(key);
    }
}

impl TokenCodec for PlainCodec {
    fn sign(&self, claims: &AccessClaims) -> Result<AccessToken, SigningError> {
        if !self.is_ready() {
            return Err(SigningError::NoActiveKey);
        }
        *self.signed.lock().unwrap() = Some(claims.clone());
        let times = [claims.issued_at, claims.expires_at].map(Timestamp::as_millis);
        let ids = format!("{} {} {}", claims.subject, claims.session, claims.id);
        Ok(AccessToken::new(format!("{ids} {} {}", times[0], times[1])))
    }

    fn verify(&self, token: &str, _: Timestamp) -> Result<VerifiedToken, TokenFault> {
        let parts: Vec<_> = token.split(' ').collect();
        let [subject, session, id, issued, expires] = parts[..] else { return Err(TokenFault::Malformed) };
        let time = |text: &str| Timestamp::from_millis(text.parse().unwrap()).unwrap();
        Ok(VerifiedToken {
            subject: UserId::parse(subject).map_err(|_| TokenFault::Malformed)?,
            session: SessionId::parse(session).map_err(|_| TokenFault::Malformed)?,
            id: TokenId::parse(id).map_err(|_| TokenFault::Malformed)?,
            issued_at: time(issued),
            expires_at: time(expires),
        })
    }

    fn load(&self, keys: &KeySet) -> Result<(), KeyError> {
        *self.loaded.lock().unwrap() = keys.clone();
        self.closed.lock().unwrap().map_or(Ok(()), |key| Err(KeyError::Unsealable(key)))
    }

    fn public_keys(&self) -> Vec<Jwk> {
        Vec::new()
    }

    fn issuer(&self) -> &'static str {
        "https://auth.example"
    }

    fn audience(&self) -> &'static str {
        "vestibule"
    }

    fn is_ready(&self) -> bool {
        !self.stopped.load(Ordering::SeqCst)
    }
}

/// Opens only with the parent: its hash comes first.
#[derive(Debug)]
pub(crate) struct XorSealer;

impl RefreshSealer for XorSealer {
    fn seal(&self, parent: &RefreshToken, child: &RefreshToken) -> SealedToken {
        let mixed = parent.secret().iter().zip(child.secret()).map(|(a, b)| a ^ b);
        SealedToken::from_bytes(parent.secret_hash().as_bytes().iter().copied().chain(mixed).collect())
    }

    fn open(&self, parent: &RefreshToken, sealed: &SealedToken) -> Option<RefreshToken> {
        let (hash, mixed) = sealed.as_bytes().split_at(32);
        let child: Vec<u8> = parent.secret().iter().zip(mixed).map(|(a, b)| a ^ b).collect();
        (hash == parent.secret_hash().as_bytes()).then(|| parent.with_secret(child.try_into().unwrap()))
    }
}

#[derive(Debug)]
pub(crate) struct PlainKeys;

impl KeyGenerator for PlainKeys {
    fn generate(&self, _: KeyId, _: Algorithm) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
        Ok((vec![1], vec![2]))
    }
}
