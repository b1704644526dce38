//! A hasher that tells how often it was asked, and that can be held.

use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::{RwLock, RwLockWriteGuard, watch};
use vestibule_domain::credential::{HashingError, NewPassword, PasswordAttempt, PasswordHash, PasswordHasher, Verdict};
use vestibule_domain::throttle::Network;

#[derive(Debug)]
pub struct CountingHasher {
    inner: Arc<dyn PasswordHasher>,
    asked: watch::Sender<u64>,
    /// Whoever reads may go on.
    open: RwLock<()>,
}

impl CountingHasher {
    pub(super) fn new(inner: Arc<dyn PasswordHasher>) -> Self {
        Self { inner, asked: watch::Sender::new(0), open: RwLock::default() }
    }

    /// How many passwords it was asked to hash or to verify so far.
    pub fn asked(&self) -> u64 {
        *self.asked.borrow()
    }

    /// Returns once it was asked so often.
    pub async fn was_asked(&self, times: u64) {
        self.asked.subscribe().wait_for(|asked| *asked >= times).await.expect("the sender is here");
    }

    /// Until this is dropped it answers nobody.
    pub async fn hold(&self) -> RwLockWriteGuard<'_, ()> {
        self.open.write().await
    }

    async fn turn(&self) {
        self.asked.send_modify(|asked| *asked += 1);
        drop(self.open.read().await);
    }
}

#[async_trait]
impl PasswordHasher for CountingHasher {
    async fn hash(&self, password: NewPassword, from: Option<Network>) -> Result<PasswordHash, HashingError> {
        self.turn().await;
        self.inner.hash(password, from).await
    }

    async fn verify(
        &self,
        attempt: PasswordAttempt,
        hash: Option<&PasswordHash>,
        from: Option<Network>,
    ) -> Result<Verdict, HashingError> {
        self.turn().await;
        self.inner.verify(attempt, hash, from).await
    }
}
