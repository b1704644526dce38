//! Passwords and how they are proved.

mod blocklist;
mod hasher;
mod password;
pub mod service;
pub mod store;

pub use hasher::{HashingError, PasswordHash, PasswordHasher, Verdict};
pub use password::{NewPassword, Owner, PasswordAttempt, PasswordPolicy};
pub use service::{ChangePassword, CredentialError, CredentialService};
