//! The store: all ports to what lasts, and the transaction in which a use case writes.

use crate::audit::{AuditEvent, AuditKind, store::AuditWrites};
use crate::client::store::{ClientReads, ClientWrites};
use crate::clock::Timestamp;
use crate::credential::store::{CredentialReads, CredentialWrites};
use crate::error::StoreError;
use crate::feed::Change;
use crate::feed::store::{FeedReads, FeedUpkeep, FeedWrites, RevocationReads};
use crate::id::{AuditEventId, SessionId, UserId};
use crate::services::Ports;
use crate::session::store::{SessionReads, SessionRotation, SessionUpkeep, SessionWrites};
use crate::throttle::store::ThrottleStore;
use crate::token::store::{KeyReads, KeyWrites};
use crate::user::store::{IdempotencyUpkeep, IdempotencyWrites, UserReads, UserWrites};
use async_trait::async_trait;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Everything that lasts. One adapter for each database.
#[async_trait]
pub trait Store:
    UserReads
    + IdempotencyUpkeep
    + CredentialReads
    + SessionReads
    + SessionRotation
    + SessionUpkeep
    + KeyReads
    + ClientReads
    + FeedReads
    + RevocationReads
    + FeedUpkeep
    + ThrottleStore
    + Send
    + Sync
    + fmt::Debug
{
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;
    /// Answers whether the store can be reached, can be written and has the schema that this version expects.
    async fn check(&self) -> Result<StoreHealth, StoreError>;
    /// By the store's own clock; `None` if that is this machine's.
    async fn time(&self) -> Result<Option<Timestamp>, StoreError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreHealth {
    /// Steps that this version knows and the store has not taken.
    pub pending_migrations: usize,
}

/// One transaction. Dropped without a commit it leaves nothing behind.
#[async_trait]
pub trait UnitOfWork:
    UserWrites
    + IdempotencyWrites
    + CredentialWrites
    + SessionWrites
    + KeyWrites
    + ClientWrites
    + AuditWrites
    + FeedWrites
    + Send
{
    /// When it returns, what was written is on disk.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// A unit of work in the hands of a use case: adds the trail and the feed, and lets this process forget at once what
/// the others learn from the feed.
pub struct Transaction<'a> {
    work: Box<dyn UnitOfWork>,
    changes: Vec<Change>,
    events: Vec<AuditKind>,
    ports: &'a Ports,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(work: Box<dyn UnitOfWork>, ports: &'a Ports) -> Self {
        Self { work, changes: Vec::new(), events: Vec::new(), ports }
    }

    pub async fn audit(&mut self, event: &AuditEvent<'_>) -> Result<(), StoreError> {
        let id = AuditEventId::generate(&*self.ports.clock, &*self.ports.rng);
        self.work.append_audit(id, self.ports.clock.now(), event).await?;
        self.events.push(event.kind);
        Ok(())
    }

    /// For the feed. Written with the commit: in one statement, and so late that the numbers are seen soon after they
    /// are taken.
    pub fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Tells the feed of each, because whoever checks tokens elsewhere knows nothing but the session's id.
    pub fn sessions_ended(&mut self, user: UserId, sessions: impl IntoIterator<Item = SessionId>) {
        self.changes.extend(sessions.into_iter().map(|session| Change::SessionEnded { user, session }));
    }

    pub async fn commit(mut self) -> Result<(), StoreError> {
        if !self.changes.is_empty() {
            self.work.append_changes(&self.changes, self.ports.clock.now()).await?;
        }
        self.work.commit().await?;
        for change in self.changes {
            self.ports.snapshots.apply(change);
        }
        for event in self.events {
            self.ports.tally.count(event);
        }
        Ok(())
    }
}

impl Deref for Transaction<'_> {
    type Target = dyn UnitOfWork;

    fn deref(&self) -> &Self::Target {
        &*self.work
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.work
    }
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("changes", &self.changes).finish_non_exhaustive()
    }
}
