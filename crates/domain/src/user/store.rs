//! The port for users.

use super::{Email, FirstOutcome, IdempotencyClaim, Name, Status, User};
use crate::access::RoleName;
use crate::audit::AuditRecord;
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::error::StoreError;
use crate::id::UserId;
use crate::page::{Page, PageRequest};
use async_trait::async_trait;
use std::collections::BTreeSet;

/// Straight to the primary: a read sees every write that was acknowledged before.
#[async_trait]
pub trait UserReads: Send + Sync {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError>;
    /// In order of id, which is the order of registration to the millisecond; sessions are counted as of `now`.
    async fn users(
        &self,
        filter: &UserFilter,
        page: PageRequest,
        now: Timestamp,
    ) -> Result<Page<ListedUser>, StoreError>;
    /// Whether anyone is an administrator: active and with the role.
    async fn has_administrator(&self) -> Result<bool, StoreError>;
}

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait IdempotencyWrites: Send {
    /// Remembers that the first registration under this key came to `user`, or, with `None`, that its address was
    /// taken; if another one was first since `forgotten`, changes nothing and tells what came of that.
    async fn claim_idempotency_key(
        &mut self,
        claim: &IdempotencyClaim,
        user: Option<UserId>,
        now: Timestamp,
        forgotten: Timestamp,
    ) -> Result<Option<FirstOutcome>, StoreError>;
}

/// Housekeeping.
#[async_trait]
pub trait IdempotencyUpkeep: Send + Sync {
    /// Deletes up to `limit` idempotency keys that were first used before `before`; how many.
    async fn purge_idempotency_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// All set conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    pub email: Option<Email>,
    pub status: Option<Status>,
    pub role: Option<RoleName>,
    /// In lower case: the beginning of the canonical address or of the folded name.
    pub prefix: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ListedUser {
    pub user: User,
    /// Sessions that have neither ended nor expired.
    pub active_sessions: u32,
    /// When a login found the password in a list of breached ones; whoever sets another one ends that.
    pub password_breached_at: Option<Timestamp>,
}

/// Within a [`UnitOfWork`](crate::UnitOfWork). Each is one statement that carries its own condition.
#[async_trait]
pub trait UserWrites: Send {
    /// With the password, if there is one. `false` if the canonical address is taken: then nothing was written, in as
    /// many round trips.
    async fn insert_user(&mut self, user: &User, password: Option<&PasswordHash>) -> Result<bool, StoreError>;
    async fn update_profile(&mut self, update: &ProfileUpdate) -> Result<ProfileOutcome, StoreError>;
    /// Sets the status and, on disabling, advances the epoch. The user as it is now; unchanged if it had the status.
    async fn set_status(&mut self, id: UserId, status: Status, now: Timestamp) -> Result<Option<User>, StoreError>;
    async fn set_roles(
        &mut self,
        id: UserId,
        roles: &BTreeSet<RoleName>,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError>;
    /// With everything that belongs to the user, except the audit trail.
    async fn delete_user(&mut self, id: UserId, version: Option<i64>) -> Result<DeleteOutcome, StoreError>;
    /// `None` if the user is gone, disabled, or no longer in `epoch`: what was proved before counts no more. Locks
    /// the user's row, so that a session made after it cannot slip past a change of password or a disabling.
    async fn record_login(&mut self, id: UserId, epoch: i64, now: Timestamp) -> Result<Option<User>, StoreError>;
    /// `false` if the user is gone or no longer in `epoch`. Locks the user's row.
    async fn advance_epoch(&mut self, id: UserId, epoch: i64) -> Result<bool, StoreError>;
    /// Whether `id` is an administrator and no other one is left. Until the transaction ends no other transaction
    /// gets an answer, so two administrators cannot demote each other (write skew).
    async fn is_last_administrator(&mut self, id: UserId) -> Result<bool, StoreError>;
}

/// What a registration leaves behind.
#[derive(Debug)]
pub struct Registration<'a> {
    pub user: &'a User,
    pub password: &'a PasswordHash,
    /// About no session, key or client; as is the next one, of the same request.
    pub registered: AuditRecord<'a>,
    /// Instead, if the address is taken.
    pub refused: AuditRecord<'a>,
}

#[derive(Debug, Clone)]
pub struct ProfileUpdate {
    pub id: UserId,
    pub name: Option<Name>,
    /// A new address is unverified.
    pub email: Option<Email>,
    /// Only if this is still the record's version.
    pub version: Option<i64>,
    pub now: Timestamp,
}

#[derive(Debug)]
pub enum ProfileOutcome {
    Updated(User),
    EmailTaken,
    /// The record has another version.
    Stale,
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteOutcome {
    Deleted,
    Stale,
    Missing,
}
