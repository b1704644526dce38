//! The port for clients.

use super::ClientRecord;
use crate::error::StoreError;
use crate::id::ClientId;
use async_trait::async_trait;

/// Straight to the primary.
#[async_trait]
pub trait ClientReads: Send + Sync {
    /// All of them, the oldest first.
    async fn clients(&self) -> Result<Vec<ClientRecord>, StoreError>;
}

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait ClientWrites: Send {
    async fn insert_client(&mut self, record: &ClientRecord) -> Result<(), StoreError>;
    /// `false` if there is no such client.
    async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError>;
}
