//! What can go wrong in a store, whatever the store is.

use std::error::Error;

/// For the log, never for the client, who only learns that the service is unavailable or has failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, has no free connection, did not answer in time or is read-only. Trying again
    /// later may help.
    #[error("the store is unavailable: {context}")]
    Unavailable {
        context: &'static str,
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A deadlock or serialisation failure: nothing was written, and the same call may succeed at once.
    #[error("the transaction lost to another one")]
    Contention,
    /// A row that fits no state of the domain.
    #[error("row {row} of {table} has no valid {column}")]
    Corrupt { table: &'static str, column: &'static str, row: String },
    /// A defect: a statement or its result was not what this version expects.
    #[error("the store answered unexpectedly: {context}")]
    Unexpected {
        context: &'static str,
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

/// How often a use case that lost to another transaction is tried before the client is told to come back.
const ATTEMPTS: u32 = 3;

/// Runs a whole use case again while it fails only with [`StoreError::Contention`]; the last failure is returned.
///
/// At once and without jitter, which is for losers that would meet again. Here they do not: whoever lost a deadlock, or
/// waited in vain for a lock, gave up its own, the winner went on, and the next attempt queues for the lock in the
/// store. No store runs transactions that look first and fail at their commit (PostgreSQL's are `read committed`,
/// SQLite's take the only lock when they begin).
pub(crate) async fn retried<T, E, F>(attempt: impl Fn() -> F) -> Result<T, E>
where
    E: LostToOther,
    F: Future<Output = Result<T, E>>,
{
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(error) if error.lost_to_other() => tracing::debug!("transaction lost to another one, trying again"),
            outcome => return outcome,
        }
    }
    attempt().await
}

/// Tells an error that means «try again at once» from all others.
pub(crate) trait LostToOther {
    fn lost_to_other(&self) -> bool;
}

impl LostToOther for StoreError {
    fn lost_to_other(&self) -> bool {
        matches!(self, Self::Contention)
    }
}

/// For the error enum of a use case, which wraps a store's error in a variant `Store`.
macro_rules! lost_to_other {
    ($error:ty) => {
        impl $crate::error::LostToOther for $error {
            fn lost_to_other(&self) -> bool {
                matches!(self, Self::Store($crate::StoreError::Contention))
            }
        }
    };
}
pub(crate) use lost_to_other;
