//! What is remembered of those who tried.

use crate::error::{bounded, corrupt, exactly_one};
use crate::open::SqliteStore;
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use vestibule_domain::throttle::store::{ChangeBuckets, ThrottleStore};
use vestibule_domain::throttle::{Bucket, BucketKey};
use vestibule_domain::{StoreError, Timestamp, UnitOfWork};

struct ThrottleRow {
    full_at: i64,
    failures: i64,
    closed_until: i64,
    tried: Vec<u8>,
    running: i64,
    running_until: i64,
    is_reported: bool,
    expires_at: i64,
}

impl ThrottleRow {
    fn bucket(&self, key: &BucketKey) -> Result<Bucket, StoreError> {
        let corrupt = |column| corrupt("throttles", column, format_args!("{key:?}"));
        let time = |column, millis| Timestamp::from_millis(millis).ok_or_else(|| corrupt(column));
        Ok(Bucket {
            full_at: time("full_at", self.full_at)?,
            failures: self.failures.try_into().map_err(|_| corrupt("failures"))?,
            closed_until: time("closed_until", self.closed_until)?,
            tried: Bucket::tried_from_bytes(&self.tried).ok_or_else(|| corrupt("tried"))?,
            running: self.running.try_into().map_err(|_| corrupt("running"))?,
            running_until: time("running_until", self.running_until)?,
            is_reported: self.is_reported,
            expires_at: time("expires_at", self.expires_at)?,
        })
    }
}

#[async_trait]
impl ThrottleStore for SqliteStore {
    async fn change_buckets(&self, keys: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        let mut work = self.begin_work().await?;
        let mut found = Vec::new();
        for key in keys {
            found.push(bucket(&mut work, key).await?);
        }
        let mut buckets = found.clone();
        if !change(&mut buckets) || buckets == found {
            return Ok(());
        }
        for (key, bucket) in keys.iter().zip(&buckets) {
            keep(&mut work, key, bucket).await?;
        }
        Box::new(work).commit().await
    }

    async fn purge_buckets(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query!(
            "DELETE FROM throttles
             WHERE key IN (SELECT key FROM throttles WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
            before.as_millis(),
            limit,
        );
        Ok(bounded("purge_buckets", query.execute(self.writer())).await?.rows_affected())
    }
}

async fn bucket(work: &mut SqliteUnitOfWork, key: &BucketKey) -> Result<Bucket, StoreError> {
    let query = sqlx::query_as!(
        ThrottleRow,
        r#"SELECT full_at, failures, closed_until, tried, running, running_until, is_reported AS "is_reported: bool",
                expires_at
         FROM throttles WHERE key = ?1"#,
        key.as_bytes().as_slice(),
    );
    let found = bounded("bucket", query.fetch_optional(work.connection())).await?;
    found.map_or_else(|| Ok(Bucket::default()), |row| row.bucket(key))
}

async fn keep(work: &mut SqliteUnitOfWork, key: &BucketKey, bucket: &Bucket) -> Result<(), StoreError> {
    let query = sqlx::query!(
        "INSERT INTO throttles
             (key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (key) DO UPDATE
         SET full_at = excluded.full_at, failures = excluded.failures, closed_until = excluded.closed_until,
             tried = excluded.tried, running = excluded.running, running_until = excluded.running_until,
             is_reported = excluded.is_reported, expires_at = excluded.expires_at",
        key.as_bytes().as_slice(),
        bucket.full_at.as_millis(),
        bucket.failures,
        bucket.closed_until.as_millis(),
        bucket.tried_bytes(),
        bucket.running,
        bucket.running_until.as_millis(),
        bucket.is_reported,
        bucket.expires_at.as_millis(),
    );
    exactly_one("keep_bucket", &bounded("keep_bucket", query.execute(work.connection())).await?)
}
