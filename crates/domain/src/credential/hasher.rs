//! The port for password hashing.

use super::{NewPassword, PasswordAttempt};
use crate::throttle::Network;
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;

/// A password hash as a PHC string, with its algorithm, parameters and salt.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes any text: whether it is a hash that may be run is for the hasher to say when it is used.
    pub fn from_phc(phc: String) -> Self {
        Self(phc)
    }

    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash[redacted]")
    }
}

#[derive(Debug)]
pub enum Verdict {
    /// Right. If the stored hash was made with weaker parameters than today's, a new one comes with it.
    Match {
        upgraded: Option<PasswordHash>,
    },
    Mismatch,
}

/// Hashing takes tens of megabytes and milliseconds; an implementation bounds how much of it runs at once, and a caller
/// that stops waiting costs nothing that has not begun. Where more waits than can be hashed in time, the networks that
/// it comes `from` have equal shares of what can be; what comes from none has one, too.
#[async_trait]
pub trait PasswordHasher: Send + Sync + fmt::Debug {
    async fn hash(&self, password: NewPassword, from: Option<Network>) -> Result<PasswordHash, HashingError>;
    /// Takes as long without a `hash` (no such user, no password set) as with one.
    async fn verify(
        &self,
        attempt: PasswordAttempt,
        hash: Option<&PasswordHash>,
        from: Option<Network>,
    ) -> Result<Verdict, HashingError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// More is waiting than can be hashed in time.
    #[error("too many passwords are waiting to be hashed")]
    Overloaded { retry_after: Duration },
    /// The hashing threads are gone: the process is shutting down.
    #[error("password hashing has stopped")]
    Stopped,
}
