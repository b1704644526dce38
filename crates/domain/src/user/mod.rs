//! Users: who they are and what may become of them.

mod administer;
mod email;
mod idempotency;
mod name;
mod profile;
mod register;
pub mod service;
pub mod store;

pub use email::Email;
pub use idempotency::{FirstOutcome, IDEMPOTENCY_TTL, IdempotencyClaim, IdempotencyKey};
pub use name::Name;
pub use profile::{ChangeProfile, ProfileChange};
pub use register::{Register, RegistrationMode};
pub use service::{DeleteUser, UserError, UserService};

use crate::{access::RoleName, clock::Timestamp, id::UserId};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: Email,
    /// Whether the user has shown that mail to `email` reaches them.
    pub email_verified: bool,
    pub name: Name,
    pub status: Status,
    pub roles: BTreeSet<RoleName>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    /// Counts every change of this record, logins included: the strong validator of RFC 9110, section 8.8.1.
    pub version: i64,
    /// Counts what makes earlier proofs of identity worthless: change of password, disabling. A login that began
    /// under an older epoch does not complete.
    pub epoch: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    /// Cannot log in; all sessions are over.
    Disabled,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Disabled].into_iter().find(|status| status.as_str() == text)
    }
}
