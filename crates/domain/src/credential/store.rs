//! The port for credentials.

use super::PasswordHash;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::UserId;
use crate::user::{Email, User};
use async_trait::async_trait;

/// Straight to the primary: a read sees every write that was acknowledged before.
#[async_trait]
pub trait CredentialReads: Send + Sync {
    /// All that a login needs to know, in one read.
    async fn login_candidate(&self, email: &Email) -> Result<Option<LoginCandidate>, StoreError>;
    /// `None` if the user has no password, or is gone.
    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError>;
}

#[derive(Debug, Clone)]
pub struct LoginCandidate {
    pub user: User,
    pub password: Option<PasswordHash>,
    /// Whether the password is marked already.
    pub is_marked_breached: bool,
}

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait CredentialWrites: Send {
    /// Sets or replaces the password; the new one is unmarked.
    async fn set_password(&mut self, user: UserId, hash: &PasswordHash, now: Timestamp) -> Result<(), StoreError>;
    /// Another hash of the same password: whatever else is known of it stays. The user has a password.
    async fn upgrade_hash(&mut self, user: UserId, hash: &PasswordHash) -> Result<(), StoreError>;
    /// Marks the password as known from a breach. `false` if it was marked before, or is gone.
    async fn mark_breached(&mut self, user: UserId, now: Timestamp) -> Result<bool, StoreError>;
}
