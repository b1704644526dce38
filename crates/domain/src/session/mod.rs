//! Sessions: one sign-in on one device, kept alive by refresh tokens of which only the newest counts.

mod end;
mod login;
mod refresh;
mod rotations;
pub mod service;
pub mod store;
mod token;

pub use end::{Logout, LogoutScope};
pub use login::Login;
pub use refresh::{RefreshSealer, SealedToken};
pub use service::{SessionError, SessionService, SessionSettings, SignIn};
pub use token::{RefreshFamilyHash, RefreshSecretHash, RefreshToken, RefreshTokenHash};

use crate::clock::Timestamp;
use crate::context::UserAgent;
use crate::id::{SessionId, UserId};
use crate::secret::{OpaqueToken, TokenHash, TokenPurpose};
use std::net::IpAddr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: Timestamp,
    /// When it was last refreshed.
    pub last_seen_at: Timestamp,
    /// When the user last proved who they are.
    pub authenticated_at: Timestamp,
    /// Not to be refreshed after this, however often it is used.
    pub expires_at: Timestamp,
    /// Not to be refreshed after this, unless it is refreshed before.
    pub idle_expires_at: Timestamp,
    /// Of the login.
    pub ip: Option<IpAddr>,
    pub user_agent: Option<UserAgent>,
    pub amr: Vec<Amr>,
}

impl Session {
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at || now >= self.idle_expires_at
    }
}

/// How the user proved who they are (RFC 8176).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amr {
    Password,
}

impl Amr {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Password].into_iter().find(|amr| amr.as_str() == text)
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    LoggedOut,
    /// From the list of sessions, by the user or an administrator.
    Revoked,
    PasswordChanged,
    UserDisabled,
    /// A refresh token was presented that had been replaced before: one of its two holders is a thief.
    RefreshTokenReused,
    /// Made room for a newer one.
    Displaced,
}

impl EndReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Revoked => "revoked",
            Self::PasswordChanged => "password_changed",
            Self::UserDisabled => "user_disabled",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::Displaced => "displaced",
        }
    }
}

/// Shows that a login comes from a device that the user has logged in from before.
#[derive(Debug)]
pub enum Device {}

impl TokenPurpose for Device {
    const PREFIX: &'static str = "vdt_";
}

pub type DeviceToken = OpaqueToken<Device>;
pub type DeviceTokenHash = TokenHash<Device>;
