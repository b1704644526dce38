//! The port for sessions.

use super::{DeviceTokenHash, EndReason, RefreshSecretHash, RefreshTokenHash, SealedToken, Session};
use crate::audit::AuditRecord;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::feed::{Change, Principal};
use crate::id::{SessionId, UserId};
use crate::user::{Email, User};
use async_trait::async_trait;
use std::time::Duration;

/// Straight to the primary: a read sees every write that was acknowledged before.
#[async_trait]
pub trait SessionReads: Send + Sync {
    /// The session, if it has not been ended (it may have expired), with its user.
    async fn principal(&self, id: SessionId) -> Result<Option<Principal>, StoreError>;
    /// Those that have neither ended nor expired, the newest first; at most [`super::service::MAX_SESSIONS`].
    async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;
    /// The session that the token names, ended or not, if the token has its family secret.
    async fn find_refresh(&self, token: &RefreshTokenHash) -> Result<Option<FoundRefresh>, StoreError>;
    /// Whether the device is known for the user with this address and its token has not expired.
    async fn knows_device(&self, user: &Email, device: &DeviceTokenHash, now: Timestamp) -> Result<bool, StoreError>;
}

/// What a refresh token that does not rotate is to its session.
#[derive(Debug, Clone)]
pub struct FoundRefresh {
    pub session: Session,
    pub user: User,
    pub ended: bool,
    pub standing: RefreshStanding,
}

#[derive(Debug, Clone)]
pub enum RefreshStanding {
    /// The one that counts.
    Current,
    /// The one before it; what replaced it can be opened with it, until it is forgotten.
    Parent { replaced_at: Timestamp, child: Option<SealedToken> },
    /// Neither: replaced before the parent, or made up by whoever has had a token of the family.
    Spent,
}

/// Writes that are one statement each and need no [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait SessionRotation: Send + Sync {
    /// Puts `child` in the place of `presented` if that is the current token of a session that has neither ended nor
    /// expired, of an active user; else changes nothing. Of any number of simultaneous calls with one token at most one
    /// succeeds, and none does once the session has ended.
    async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<(Session, User)>, StoreError>;
    /// All of them in one commit, in whatever order: what became of each, in the order in which they are given. Several
    /// wait for no other transaction that holds one of the sessions; the token of such a one does not rotate. `None`
    /// also for one that rotated and whose row cannot be read: [`SessionReads::find_refresh`] tells.
    async fn rotate_refreshes(&self, rotations: &[Rotation]) -> Result<Vec<Option<(Session, User)>>, StoreError>;
}

#[derive(Debug, Clone)]
pub struct Rotation {
    pub presented: RefreshTokenHash,
    /// The secret of the token that takes its place.
    pub child: RefreshSecretHash,
    pub sealed_child: SealedToken,
    /// When the token is replaced.
    pub now: Timestamp,
    /// From then to the new end of idleness, which the store keeps within the session's absolute end.
    pub idle: Duration,
}

impl Rotation {
    pub(super) fn leaving_at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    pub fn idle_expires_at(&self) -> Timestamp {
        self.now.plus(self.idle)
    }
}

/// What a login leaves behind.
#[derive(Debug)]
pub struct Opening<'a> {
    /// In which the user must still be.
    pub epoch: i64,
    pub session: &'a Session,
    /// Names that session.
    pub token: RefreshTokenHash,
    /// How many live sessions the user can have, this one included.
    pub keep: u32,
    /// A device that is to be known from now on, and until when.
    pub device: Option<(DeviceTokenHash, Timestamp)>,
    /// The user's own, in the session and from where that is; as is the next one, of the same request.
    pub succeeded: AuditRecord<'a>,
    /// Only if other sessions made room.
    pub displaced: AuditRecord<'a>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// With this login.
    pub user: User,
    /// The sessions that made room.
    pub displaced: Vec<SessionId>,
}

impl Opened {
    /// For the feed. The record of the user tells of the login.
    pub fn changes(&self) -> Vec<Change> {
        let user = self.user.id;
        let ended = self.displaced.iter().map(|session| Change::SessionEnded { user, session: *session });
        ended.chain([Change::UserChanged(user)]).collect()
    }
}

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait SessionWrites: Send {
    /// The token names the session.
    async fn insert_session(&mut self, session: &Session, token: &RefreshTokenHash) -> Result<(), StoreError>;
    /// Ends the oldest sessions of the user, so that `keep` are left; which ones. Never `newest`, whatever the clocks
    /// of other processes have made of the order.
    async fn displace_sessions(
        &mut self,
        user: UserId,
        newest: SessionId,
        keep: u32,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;
    /// `false` if the user has no such session or it has ended before.
    async fn end_session(
        &mut self,
        user: UserId,
        id: SessionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Whether the user's session has not been ended, nor will be before the transaction ends. Locks the user's row.
    async fn holds_session(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError>;
    /// All of the user, but for `except`; which ones, in no order. Locks the user's row.
    async fn end_sessions(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;
    /// All of the user.
    async fn forget_devices(&mut self, user: UserId) -> Result<(), StoreError>;
    /// Remembers the device, and forgets the user's oldest ones beyond [`super::service::MAX_DEVICES`].
    async fn insert_device(
        &mut self,
        user: UserId,
        device: &DeviceTokenHash,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;
}

/// Housekeeping.
#[async_trait]
pub trait SessionUpkeep: Send + Sync {
    /// Deletes up to `limit` sessions that ended, or expired on a day that ended, before `before`, and as many devices
    /// that expired before it, the oldest first; how many rows of either. Days are those of UTC.
    async fn purge_sessions(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    /// Looks at up to `limit` of the sessions after this one that have a sealed child, and deletes the child if its parent
    /// was replaced before `before`. The last of them, after which to go on, unless there are no more.
    async fn forget_sealed_children(
        &self,
        before: Timestamp,
        after: SessionId,
        limit: u32,
    ) -> Result<Option<SessionId>, StoreError>;
}
