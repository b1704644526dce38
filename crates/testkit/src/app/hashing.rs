//! A hasher that tells how often it was asked.

use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vestibule_domain::credential::{HashingError, NewPassword, PasswordAttempt, PasswordHash, PasswordHasher, Verdict};

#[derive(Debug)]
pub struct CountingHasher {
    inner: Arc<dyn PasswordHasher>,
    asked: AtomicU64,
}

impl CountingHasher {
    pub(super) fn new(inner: Arc<dyn PasswordHasher>) -> Self {
        Self { inner, asked: AtomicU64::new(0) }
    }

    /// How many passwords it was asked to hash or to verify so far.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl PasswordHasher for CountingHasher {
    async fn hash(&self, password: NewPassword) -> Result<PasswordHash, HashingError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.hash(password).await
    }

    async fn verify(&self, attempt: PasswordAttempt, hash: Option<&PasswordHash>) -> Result<Verdict, HashingError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.verify(attempt, hash).await
    }
}
