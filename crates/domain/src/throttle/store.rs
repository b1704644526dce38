//! The port for buckets.

use super::{Bucket, BucketKey};
use crate::clock::Timestamp;
use crate::error::StoreError;
use async_trait::async_trait;

/// Looks at buckets, one for each key and in their order, and changes them; `false` if they are to stay as they are.
/// May be called again if the transaction lost to another one.
pub type ChangeBuckets<'a> = dyn FnMut(&mut [Bucket]) -> bool + Send + 'a;

#[async_trait]
pub trait ThrottleStore: Send + Sync {
    /// Hands the buckets to `change` and keeps what it makes of them, in a transaction of its own: nobody else sees or
    /// changes them meanwhile. `keys` are in ascending order, each once; where there is no bucket yet it is a new one.
    async fn change_buckets(&self, keys: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Result<(), StoreError>;
    /// Deletes up to `limit` buckets that expired before `before`; how many.
    async fn purge_buckets(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
