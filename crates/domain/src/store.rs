//! The store: all ports to what lasts, and the transaction in which a use case writes.

use crate::audit::{AuditEvent, AuditKind, AuditRecord, store::AuditWrites};
use crate::client::store::{ClientReads, ClientWrites};
use crate::clock::Timestamp;
use crate::credential::store::{CredentialReads, CredentialWrites};
use crate::error::StoreError;
use crate::feed::Change;
use crate::feed::store::{FeedReads, FeedUpkeep, FeedWrites, RevocationReads};
use crate::id::{SessionId, UserId};
use crate::services::Ports;
use crate::session::store::{Opened, Opening, SessionReads, SessionRotation, SessionUpkeep, SessionWrites};
use crate::throttle::store::ThrottleStore;
use crate::token::store::{KeyReads, KeyWrites};
use crate::user::store::{IdempotencyUpkeep, IdempotencyWrites, Registration, UserReads, UserWrites};
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
    /// [`UnitOfWork::open_session`] and its commit, in as few round trips as there can be.
    async fn open_session(&self, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
        open_and_commit(self.begin().await?, opening).await
    }
    /// [`UnitOfWork::register`] and its commit, in as few round trips as there can be.
    async fn register(&self, registration: &Registration<'_>) -> Result<bool, StoreError> {
        let mut work = self.begin().await?;
        let registered = work.register(registration).await?;
        work.commit().await?;
        Ok(registered)
    }
    /// Appends an event that goes with no other write.
    async fn record(&self, record: &AuditRecord<'_>) -> Result<(), StoreError> {
        let mut work = self.begin().await?;
        work.append_audit(record).await?;
        work.commit().await
    }
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

    /// Records the login, opens the session and makes room for it, with the trail and the feed. `None` if what was
    /// proved counts no more ([`UserWrites::record_login`]): then nothing was written.
    async fn open_session(&mut self, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
        let Opening { epoch, session, token, keep, device, succeeded, displaced } = opening;
        let (user, now) = (session.user, session.created_at);
        let Some(user) = self.record_login(user, *epoch, now).await? else { return Ok(None) };
        self.insert_session(session, token).await?;
        if let Some((device, expires_at)) = device {
            self.insert_device(user.id, device, now, *expires_at).await?;
        }
        let made_room = self.displace_sessions(user.id, session.id, *keep, now).await?;
        self.append_audit(succeeded).await?;
        if !made_room.is_empty() {
            self.append_audit(displaced).await?;
        }
        let opened = Opened { user, displaced: made_room };
        self.append_changes(&opened.changes(), now).await?;
        Ok(Some(opened))
    }

    /// Inserts the user, or nothing if the canonical address is taken, and appends to the trail what it was.
    async fn register(&mut self, registration: &Registration<'_>) -> Result<bool, StoreError> {
        let Registration { user, password, registered, refused } = registration;
        let inserted = self.insert_user(user, Some(password)).await?;
        self.append_audit(if inserted { registered } else { refused }).await?;
        Ok(inserted)
    }
}

/// One statement after the other: for a store that has no shorter way, or where somebody was in it.
pub async fn open_and_commit(
    mut work: Box<dyn UnitOfWork>,
    opening: &Opening<'_>,
) -> Result<Option<Opened>, StoreError> {
    let opened = work.open_session(opening).await?;
    if opened.is_some() {
        work.commit().await?;
    }
    Ok(opened)
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
        self.work.append_audit(&self.ports.audit_record(event.clone())).await?;
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
        self.ports.committed(&self.changes, &self.events);
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
