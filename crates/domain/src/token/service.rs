//! The life of signing keys: `next → active → retiring → retired`, or `revoked`.

use super::{Algorithm, Jwk, KeyError, KeySet, KeyState, SigningKey};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::clock::Timestamp;
use crate::context::RequestContext;
use crate::error::{StoreError, lost_to_other, retried};
use crate::feed::Change;
use crate::id::KeyId;
use crate::services::Ports;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a key is published before it signs: longer than the key set may be cached.
pub const PUBLISHED_BEFORE_USE: Duration = Duration::from_mins(10);
/// How long others may keep the key set (`max-age`).
pub const KEY_SET_MAX_AGE: Duration = Duration::from_mins(5);
/// How far clocks may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);
/// A key that has signed for so long is replaced.
const ROTATION: Duration = Duration::from_hours(90 * 24);
/// How long before a key would sign too late it is replaced: more than the pause between two calls of
/// [`KeyService::ensure`], less than what [`KeyService::retirement`] leaves beyond that.
const SUCCESSION: Duration = Duration::from_mins(2);

#[derive(Debug, Clone)]
pub struct KeySettings {
    pub algorithm: Algorithm,
    pub access_ttl: Duration,
}

#[derive(Debug, Clone)]
pub struct KeyService {
    ports: Arc<Ports>,
    settings: KeySettings,
    reloads: Arc<Reloads>,
}

/// Several tasks reload; an answer that comes late must not bring revoked keys back.
#[derive(Debug, Default)]
struct Reloads {
    begun: AtomicU64,
    newest: Mutex<u64>,
}

/// When a new key begins to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationTiming {
    /// After [`PUBLISHED_BEFORE_USE`]: nobody meets a token whose key they have not seen.
    Published,
    /// Now: whoever checks offline fetches the key set again.
    Now,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyServiceError {
    #[error("HS256 signs with `tokens.secret`: change it there")]
    Symmetric,
    #[error("there is no key with this id that is not revoked")]
    NoSuchKey,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

lost_to_other!(KeyServiceError);

impl KeyService {
    pub fn new(ports: Arc<Ports>, settings: KeySettings) -> Self {
        Self { ports, settings, reloads: Arc::default() }
    }

    pub fn public_keys(&self) -> Vec<Jwk> {
        self.ports.codec.public_keys()
    }

    /// Takes the keys of the store into use.
    pub async fn reload(&self) -> Result<(), KeyServiceError> {
        self.take(self.ports.store.signing_keys()).await
    }

    /// As [`Self::reload`], for the follower of the feed: past whatever requests wait for.
    pub async fn follow(&self) -> Result<(), KeyServiceError> {
        self.take(self.ports.store.changed_keys()).await
    }

    async fn take(&self, read: impl Future<Output = Result<KeySet, StoreError>>) -> Result<(), KeyServiceError> {
        let ticket = self.reloads.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let keys = read.await?;
        let mut newest = self.reloads.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if ticket < *newest {
            // One that began later has read what this one has not.
            return Ok(());
        }
        *newest = ticket;
        Ok(self.ports.codec.load(&keys)?)
    }

    /// Sees to it that there is a key to sign with and, before it is too old, one to follow it. Safe to call from
    /// any number of processes at any time; to be called at least once a minute.
    pub async fn ensure(&self) -> Result<(), KeyServiceError> {
        retried(|| self.try_ensure()).await?;
        self.reload().await
    }

    async fn try_ensure(&self) -> Result<(), KeyServiceError> {
        let now = self.ports.clock.now();
        let keys = self.ports.store.signing_keys().await?;
        let algorithm = self.settings.algorithm;
        let timing = match keys.active(algorithm, now) {
            _ if algorithm == Algorithm::Hs256 => return self.retire_all(&keys, now).await,
            None => RotationTiming::Now,
            Some(key) if self.signs_too_late(key, now) => RotationTiming::Now,
            Some(key) if now.since(key.activates_at) > ROTATION && keys.next(algorithm, now).is_none() => {
                RotationTiming::Published
            }
            Some(_) => return Ok(()),
        };
        self.add(&keys, timing, Actor::Service).await
    }

    /// Whether what the key signs could soon outlive it. Its follower should have taken over by then, but was revoked
    /// or is of another algorithm.
    fn signs_too_late(&self, key: &SigningKey, now: Timestamp) -> bool {
        key.retires_at.is_some_and(|end| end < now.plus(self.settings.access_ttl).plus(LEEWAY).plus(SUCCESSION))
    }

    /// A shared secret follows the keys: none of them must verify for ever.
    async fn retire_all(&self, keys: &KeySet, now: Timestamp) -> Result<(), KeyServiceError> {
        if keys.iter().all(|key| key.retires_at.is_some() || key.revoked_at.is_some()) {
            return Ok(());
        }
        let mut work = self.ports.begin().await?;
        work.retire_keys_before(keys.newest_generation() + 1, self.retirement(now)).await?;
        work.change(Change::KeysChanged);
        Ok(work.commit().await?)
    }

    /// All keys with their states, the newest first.
    pub async fn list(&self) -> Result<Vec<(SigningKey, KeyState)>, KeyServiceError> {
        let now = self.ports.clock.now();
        let keys = self.ports.store.signing_keys().await?;
        let state = |key: &SigningKey| keys.state(key, self.settings.algorithm, now);
        Ok(keys.iter().map(|key| (key.clone(), state(key))).collect())
    }

    /// Adds a key that follows the active one.
    pub async fn rotate(&self, timing: RotationTiming) -> Result<(), KeyServiceError> {
        if self.settings.algorithm == Algorithm::Hs256 {
            return Err(KeyServiceError::Symmetric);
        }
        // Whoever cannot open the keys there are would seal one that nobody else can open.
        self.reload().await?;
        retried(|| self.try_rotate(timing)).await?;
        self.reload().await
    }

    /// Ends a key at once: what it signed is refused everywhere within a second. If it was the active one, the next
    /// one, or a new one, takes its place.
    pub async fn revoke(&self, id: KeyId) -> Result<(), KeyServiceError> {
        // As above: another key may have to take its place.
        self.reload().await?;
        retried(|| self.try_revoke(id)).await?;
        self.ensure().await
    }

    async fn try_revoke(&self, id: KeyId) -> Result<(), KeyServiceError> {
        let now = self.ports.clock.now();
        let keys = self.ports.store.signing_keys().await?;
        let mut work = self.ports.begin().await?;
        if !work.revoke_key(id, now).await? {
            return Err(KeyServiceError::NoSuchKey);
        }
        let was_active = keys.active(self.settings.algorithm, now).is_some_and(|key| key.id == id);
        if let Some(next) = keys.next(self.settings.algorithm, now).filter(|_| was_active) {
            work.activate_key(next.id, now).await?;
        }
        let context = RequestContext::default();
        work.audit(&AuditEvent::of_key(AuditKind::KeyRevoked, id, &context).with_actor(Actor::Operator)).await?;
        work.change(Change::KeysChanged);
        work.commit().await?;
        Ok(())
    }

    async fn try_rotate(&self, timing: RotationTiming) -> Result<(), KeyServiceError> {
        let keys = self.ports.store.signing_keys().await?;
        self.add(&keys, timing, Actor::Operator).await
    }

    async fn add(&self, keys: &KeySet, timing: RotationTiming, actor: Actor) -> Result<(), KeyServiceError> {
        let key = self.make(keys, timing, self.ports.clock.now())?;
        let mut work = self.ports.begin().await?;
        if !work.insert_key(&key).await? {
            // Another process added one in the meantime. Whether it serves as well shows in the keys as they are now.
            return Err(StoreError::Contention.into());
        }
        work.retire_keys_before(key.generation, self.retirement(key.activates_at)).await?;
        let context = RequestContext::default();
        work.audit(&AuditEvent::of_key(AuditKind::KeyAdded, key.id, &context).with_actor(actor)).await?;
        work.change(Change::KeysChanged);
        work.commit().await?;
        Ok(())
    }

    fn make(&self, keys: &KeySet, timing: RotationTiming, now: Timestamp) -> Result<SigningKey, KeyError> {
        let id = KeyId::generate(&*self.ports.clock, &*self.ports.rng);
        let (public_key, sealed_private_key) = self.ports.key_generator.generate(id, self.settings.algorithm)?;
        let activates_at = match timing {
            RotationTiming::Published => now.plus(PUBLISHED_BEFORE_USE),
            RotationTiming::Now => now,
        };
        Ok(SigningKey {
            id,
            algorithm: self.settings.algorithm,
            generation: keys.newest_generation() + 1,
            public_key,
            sealed_private_key,
            created_at: now,
            activates_at,
            retires_at: None,
            revoked_at: None,
        })
    }

    /// A key must verify its last token to the end, for the last one who cached it.
    fn retirement(&self, follower_activates_at: Timestamp) -> Timestamp {
        follower_activates_at.plus(self.settings.access_ttl).plus(LEEWAY).plus(KEY_SET_MAX_AGE)
    }
}
