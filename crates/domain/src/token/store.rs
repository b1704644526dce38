//! The port for signing keys.

use super::{KeySet, SigningKey};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::KeyId;
use async_trait::async_trait;

/// Straight to the primary.
#[async_trait]
pub trait KeyReads: Send + Sync {
    /// Without those of algorithms that this version does not know.
    async fn signing_keys(&self) -> Result<KeySet, StoreError>;
}

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait KeyWrites: Send {
    /// `false` if the generation is taken: another process was first, and nothing was written.
    async fn insert_key(&mut self, key: &SigningKey) -> Result<bool, StoreError>;
    /// Gives an end to all keys older than `generation` that have none yet, or a later one.
    async fn retire_keys_before(&mut self, generation: i64, at: Timestamp) -> Result<(), StoreError>;
    /// `false` if there is no such key or it was revoked before.
    async fn revoke_key(&mut self, id: KeyId, now: Timestamp) -> Result<bool, StoreError>;
    /// Lets a waiting key begin now.
    async fn activate_key(&mut self, id: KeyId, now: Timestamp) -> Result<(), StoreError>;
}
