//! The port for the change feed.

use super::{Change, Recorded, Run};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::token::KeySet;
use async_trait::async_trait;

/// For the [`Follower`](super::Follower): straight to the primary, and past whatever requests wait for, so that no load
/// keeps a revocation waiting. To be called on one runtime: connections belong to the one that opened them.
#[async_trait]
pub trait FeedReads: Send + Sync {
    /// The number of the newest change; 0 if there is none.
    async fn newest_change(&self) -> Result<i64, StoreError>;
    /// The changes numbered above `after`, and those of `missing` that exist by now, in order, at most `limit`.
    async fn changes(&self, after: i64, missing: &[i64], limit: u32) -> Result<Vec<Recorded>, StoreError>;
    /// As [`KeyReads::signing_keys`](crate::token::store::KeyReads::signing_keys), once the feed told of a change.
    async fn changed_keys(&self) -> Result<KeySet, StoreError>;
}

/// For readers elsewhere. Straight to the primary as well, in the queue of all requests.
#[async_trait]
pub trait RevocationReads: Send + Sync {
    /// Where somebody begins who wants what was written at `since` or later: the lowest number among the first such
    /// changes by their times; without any, the newest number; 0 in an empty feed.
    async fn first_change(&self, since: Timestamp) -> Result<i64, StoreError>;
    /// What ended among the first [`MAX_PASSED`] changes numbered above `after` and those of `missing` that exist by
    /// now, in order, at most `limit` runs, which together have every number that was seen. `None` if `after` is
    /// above the newest number.
    async fn ends(&self, after: i64, missing: &[i64], limit: u32) -> Result<Option<Vec<Run>>, StoreError>;
}

/// How many changes [`RevocationReads::ends`] looks at above `after`: most may be no ends.
pub const MAX_PASSED: u32 = 10_000;

#[async_trait]
pub trait FeedUpkeep: Send + Sync {
    /// Deletes up to `limit` changes from before `before`; how many.
    async fn purge_changes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait FeedWrites: Send {
    /// In their order. Numbered in the order in which transactions *take* numbers; they may become visible in another.
    async fn append_changes(&mut self, changes: &[Change], at: Timestamp) -> Result<(), StoreError>;
}
