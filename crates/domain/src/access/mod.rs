//! Who is calling, and what they may do.

mod introspect;
mod role;
pub mod service;

pub use introspect::Introspection;
pub use role::{Permission, RoleCatalog, RoleName, UnknownRole};
pub use service::{AccessError, AccessService, AccessSettings, Freshness};

use crate::clock::Timestamp;
use crate::feed::Principal;
use crate::id::UserId;
use crate::user::User;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// How recent a login must be for what could take an account over.
pub const RECENT_LOGIN: Duration = Duration::from_mins(10);

/// The bearer of a valid access token whose session and user are alive.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(crate) principal: Arc<Principal>,
    pub(crate) roles: Arc<RoleCatalog>,
}

/// So a caller has a user and a session.
impl Deref for Caller {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

/// Why a caller may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller lacks the permission and may know so.
    #[error("the permission is missing")]
    Forbidden,
    /// The caller may not know whether the target exists.
    #[error("no such user")]
    NotFound,
    /// The last login is longer ago than [`RECENT_LOGIN`].
    #[error("the last login is too long ago")]
    ReauthenticationRequired,
    /// It was ended while the request was under way: what was proved in it counts no more.
    #[error("the session is over")]
    SessionOver,
}

impl Caller {
    /// The user as `write` shows them to themselves: written once, and kept as long as they are remembered as they are.
    /// There is one way to show a user.
    pub fn shown(&self, write: impl FnOnce(&User) -> Box<str>) -> &str {
        self.principal.shown.get_or_init(|| write(&self.user))
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.roles.allow(&self.user.roles, permission)
    }

    /// For what is done to `target`. Without the permission another user does not exist for the caller.
    pub fn require(&self, permission: Permission, target: UserId) -> Result<(), Denied> {
        if self.may(permission) {
            Ok(())
        } else if target == self.user.id {
            Err(Denied::Forbidden)
        } else {
            Err(Denied::NotFound)
        }
    }

    pub fn require_recent_login(&self, now: Timestamp) -> Result<(), Denied> {
        if now.since(self.session.authenticated_at) <= RECENT_LOGIN {
            Ok(())
        } else {
            Err(Denied::ReauthenticationRequired)
        }
    }
}

/// On whose word something is done.
#[derive(Debug, Clone, Copy)]
pub enum Authority<'a> {
    User(&'a Caller),
    /// Whoever has the machine: the command line. May do everything.
    Operator,
}

impl Authority<'_> {
    pub fn may(self, permission: Permission) -> bool {
        match self {
            Self::User(caller) => caller.may(permission),
            Self::Operator => true,
        }
    }

    pub fn require(self, permission: Permission, target: UserId) -> Result<(), Denied> {
        match self {
            Self::User(caller) => caller.require(permission, target),
            Self::Operator => Ok(()),
        }
    }
}
