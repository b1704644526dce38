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
}

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait CredentialWrites: Send {
    /// Sets or replaces the password.
    async fn set_password(&mut self, user: UserId, hash: &PasswordHash, now: Timestamp) -> Result<(), StoreError>;
}
