//! The change feed: how every process learns within a second what another one changed, and may answer from memory
//! until then.

mod follower;
mod forgotten;
mod recent;
mod revocations;
pub mod service;
mod snapshots;
pub mod store;

pub use follower::{Follower, Gaps};
pub use revocations::{Revocation, RevocationCursor};
pub use service::{RevocationPage, RevocationService};
pub use snapshots::{Principal, Snapshots};

use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use std::ops::RangeInclusive;

/// What others must forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The record or the roles.
    UserChanged(UserId),
    /// With all sessions, which are not told of one by one.
    UserGone(UserId),
    /// Before its time: that a session has expired, its times tell.
    SessionEnded { user: UserId, session: SessionId },
    /// A signing key was added or revoked.
    KeysChanged,
    /// A client was made or deleted.
    ClientsChanged,
}

impl Change {
    /// The stable name under which it is stored.
    pub fn kind(self) -> &'static str {
        match self {
            Self::UserChanged(_) => "user_changed",
            Self::UserGone(_) => "user_gone",
            Self::SessionEnded { .. } => "session_ended",
            Self::KeysChanged => "keys_changed",
            Self::ClientsChanged => "clients_changed",
        }
    }

    pub fn user(self) -> Option<UserId> {
        match self {
            Self::UserChanged(user) | Self::UserGone(user) | Self::SessionEnded { user, .. } => Some(user),
            Self::KeysChanged | Self::ClientsChanged => None,
        }
    }

    pub fn session(self) -> Option<SessionId> {
        match self {
            Self::SessionEnded { session, .. } => Some(session),
            Self::UserChanged(_) | Self::UserGone(_) | Self::KeysChanged | Self::ClientsChanged => None,
        }
    }

    /// From how it is stored; `None` if no change that this version knows looks like this.
    pub fn from_parts(kind: &str, user: Option<UserId>, session: Option<SessionId>) -> Option<Self> {
        match (kind, user, session) {
            ("user_changed", Some(user), None) => Some(Self::UserChanged(user)),
            ("user_gone", Some(user), None) => Some(Self::UserGone(user)),
            ("session_ended", Some(user), Some(session)) => Some(Self::SessionEnded { user, session }),
            ("keys_changed", None, None) => Some(Self::KeysChanged),
            ("clients_changed", None, None) => Some(Self::ClientsChanged),
            _ => None,
        }
    }
}

/// A change as the feed has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    pub number: i64,
    /// By the clock of the process that wrote it.
    pub at: Timestamp,
    /// `None` if it is of a kind that this version does not know.
    pub change: Option<Change>,
}

/// Changes whose numbers are in a row. Those before the last one are no ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// At least 1.
    pub length: u32,
    pub last: Recorded,
}

impl Run {
    pub fn numbers(&self) -> RangeInclusive<i64> {
        self.last.number + 1 - i64::from(self.length)..=self.last.number
    }
}

impl From<Recorded> for Run {
    fn from(last: Recorded) -> Self {
        Self { length: 1, last }
    }
}
