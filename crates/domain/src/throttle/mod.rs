//! How often somebody may try: guessing passwords, asking which addresses have accounts, making accounts.
//!
//! What is tried is charged *before* the work is done, in a transaction of its own that no rollback of the work undoes
//! (CVE-2026-35597), and given back when it turns out right; so of any number of simultaneous guesses no more are
//! verified than the budget has (CVE-2024-1722); but whoever is refused because of attempts that may yet turn out right
//! is told to come back soon. Buckets are found by keyed hashes: the store names neither addresses nor accounts, and an
//! account that does not exist has its bucket like any other.

mod bucket;
mod charge;
mod key;
mod ledger;
mod local;
mod rule;
mod service;
mod step;
pub mod store;

pub use bucket::{Bucket, Tried};
pub use charge::ThrottleSettings;
pub use key::{BucketKey, KeyedHash, Network};
pub use rule::{Budget, Lockout, Rule, Spread};
pub use service::Throttle;

pub(crate) use ledger::Place;

use crate::error::StoreError;
use std::time::Duration;

/// Too many attempts; nothing was charged for this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct Throttled {
    pub retry_after: Duration,
}

/// How much of a budget is left: the fields of `RateLimit` and `RateLimit-Policy`
/// (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The stable name of the policy.
    pub policy: &'static str,
    /// How many attempts the budget has when it is full.
    pub quota: u32,
    /// In which time an empty budget fills.
    pub window: Duration,
    pub remaining: u32,
    /// Until the budget is full again, or for a closed one until it opens.
    pub reset: Duration,
}

/// What came of a limited use case, and how much of its budget is left; `None` where nothing is limited.
#[derive(Debug)]
pub struct Limited<T, E> {
    pub outcome: Result<T, E>,
    pub standing: Option<Standing>,
}

/// What an error of a use case means for the budget.
pub trait Judged: From<Throttled> + From<StoreError> {
    /// Whether the caller was wrong, so that the charge stays. Everything else (the store is away, too much is waiting
    /// to be hashed) says nothing about the caller and is given back.
    fn is_failure(&self) -> bool;
}
