//! Passwords and how they are proved.

mod blocklist;
mod breach;
mod hasher;
mod password;
pub mod service;
pub mod store;

pub use breach::{BreachKey, BreachedPasswords};
pub use hasher::{HashingError, PasswordHash, PasswordHasher, Verdict};
pub use password::{NewPassword, Owner, PasswordAttempt, PasswordPolicy, PasswordSettings};
pub use service::{ChangePassword, CredentialError, CredentialService};
