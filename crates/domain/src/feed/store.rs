//! The port for the change feed.

use super::{Change, Recorded};
use crate::clock::Timestamp;
use crate::error::StoreError;
use async_trait::async_trait;

/// Straight to the primary.
#[async_trait]
pub trait FeedReads: Send + Sync {
    /// The number of the newest change; 0 if there is none.
    async fn newest_change(&self) -> Result<i64, StoreError>;
    /// The lowest number among the first changes written at `since` or later, by their times; `None` if there is none.
    async fn first_change(&self, since: Timestamp) -> Result<Option<i64>, StoreError>;
    /// The changes numbered above `after`, and those of `missing` that exist by now, in order, at most `limit`.
    async fn changes(&self, after: i64, missing: &[i64], limit: u32) -> Result<Vec<Recorded>, StoreError>;
    /// Deletes up to `limit` changes from before `before`; how many.
    async fn purge_changes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Within a [`UnitOfWork`](crate::UnitOfWork).
#[async_trait]
pub trait FeedWrites: Send {
    /// In their order. Numbered in the order in which transactions *take* numbers; they may become visible in another.
    async fn append_changes(&mut self, changes: &[Change], at: Timestamp) -> Result<(), StoreError>;
}
