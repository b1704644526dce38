//! What is remembered of those who tried.

use super::PgStore;
use super::error::{bounded, corrupt};
use super::unit_of_work::PgUnitOfWork;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use vestibule_domain::throttle::store::{ChangeBuckets, ThrottleStore};
use vestibule_domain::throttle::{Bucket, BucketKey};
use vestibule_domain::{StoreError, Timestamp, UnitOfWork};

/// The disk is not waited for, twice in each login: a crash of the server forgets less than a second of attempts
/// (docs/decisions/0023).
const UNHURRIED: &str = "BEGIN; SET LOCAL synchronous_commit = off";

struct ThrottleRow {
    key: Vec<u8>,
    full_at: DateTime<Utc>,
    failures: i64,
    closed_until: DateTime<Utc>,
    tried: Vec<u8>,
    running: i64,
    running_until: DateTime<Utc>,
    is_reported: bool,
    expires_at: DateTime<Utc>,
}

impl ThrottleRow {
    fn bucket(&self, key: &BucketKey) -> Result<Bucket, StoreError> {
        let corrupt = |column| corrupt("throttles", column, format_args!("{key:?}"));
        Ok(Bucket {
            full_at: self.full_at.into(),
            failures: self.failures.try_into().map_err(|_| corrupt("failures"))?,
            closed_until: self.closed_until.into(),
            tried: Bucket::tried_from_bytes(&self.tried).ok_or_else(|| corrupt("tried"))?,
            running: self.running.try_into().map_err(|_| corrupt("running"))?,
            running_until: self.running_until.into(),
            is_reported: self.is_reported,
            expires_at: self.expires_at.into(),
        })
    }
}

#[async_trait]
impl ThrottleStore for PgStore {
    async fn change_buckets(&self, keys: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        let mut work = PgUnitOfWork::begin_with(&self.pool, UNHURRIED).await?;
        let found = lock(&mut work, keys).await?;
        let mut buckets = found.clone();
        if !change(&mut buckets) || buckets == found {
            return Ok(());
        }
        update(&mut work, keys, &buckets).await?;
        Box::new(work).commit().await
    }

    async fn purge_buckets(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // One that is being changed is not over.
        let query = sqlx::query!(
            "DELETE FROM throttles WHERE key IN (
                 SELECT key FROM throttles WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
             )",
            before.as_datetime(),
            i64::from(limit),
        );
        let mut lease = self.pool.lease().await?;
        let purged = bounded("purge_buckets", query.execute(lease.connection())).await;
        Ok(lease.settle(purged)?.rows_affected())
    }
}

/// Makes those that are not there, so that of two who try for the first time one waits for the other.
async fn lock(work: &mut PgUnitOfWork, keys: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
    // In the order of the keys, as everybody does, so that nobody waits for somebody who waits for them. DO NOTHING
    // would not lock what is there.
    let new = Bucket::default();
    let query = sqlx::query_as!(
        ThrottleRow,
        "INSERT INTO throttles
             (key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at)
         SELECT key, $2, $3, $4, $5, $6, $7, $8, $9 FROM unnest($1::bytea[]) AS wanted (key) ORDER BY key
         ON CONFLICT ON CONSTRAINT throttles_pkey DO UPDATE SET failures = throttles.failures
         RETURNING key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at",
        &bytes(keys),
        new.full_at.as_datetime(),
        i64::from(new.failures),
        new.closed_until.as_datetime(),
        new.tried_bytes(),
        i64::from(new.running),
        new.running_until.as_datetime(),
        new.is_reported,
        new.expires_at.as_datetime(),
    );
    let rows = bounded("lock_buckets", query.fetch_all(work.connection()?)).await;
    let rows = work.settle(rows)?;
    let missing = || StoreError::Unexpected { context: "lock_buckets", source: Some("a row is missing".into()) };
    let bucket = |key: &BucketKey| rows.iter().find(|row| row.key == key.as_bytes()).ok_or_else(missing)?.bucket(key);
    keys.iter().map(bucket).collect()
}

/// The keys are named twice: joined with a list alone, a plan made for few rows would read all there are by then.
async fn update(work: &mut PgUnitOfWork, keys: &[BucketKey], buckets: &[Bucket]) -> Result<(), StoreError> {
    let times = |time: fn(&Bucket) -> Timestamp| -> Vec<_> { buckets.iter().map(|b| time(b).as_datetime()).collect() };
    let counts = |count: fn(&Bucket) -> u32| -> Vec<_> { buckets.iter().map(|b| i64::from(count(b))).collect() };
    let tried: Vec<_> = buckets.iter().map(Bucket::tried_bytes).collect();
    let is_reported: Vec<_> = buckets.iter().map(|bucket| bucket.is_reported).collect();
    let query = sqlx::query!(
        "UPDATE throttles
         SET full_at = new.full_at, failures = new.failures, closed_until = new.closed_until, tried = new.tried,
             running = new.running, running_until = new.running_until, is_reported = new.is_reported,
             expires_at = new.expires_at
         FROM unnest($1::bytea[], $2::timestamptz[], $3::bigint[], $4::timestamptz[], $5::bytea[], $6::bigint[],
                     $7::timestamptz[], $8::boolean[], $9::timestamptz[])
              AS new (key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at)
         WHERE throttles.key = new.key AND throttles.key = ANY ($1)",
        &bytes(keys),
        &times(|bucket| bucket.full_at),
        &counts(|bucket| bucket.failures),
        &times(|bucket| bucket.closed_until),
        &tried,
        &counts(|bucket| bucket.running),
        &times(|bucket| bucket.running_until),
        &is_reported,
        &times(|bucket| bucket.expires_at),
    );
    let updated = bounded("update_buckets", query.execute(work.connection()?)).await;
    if work.settle(updated)?.rows_affected() == keys.len() as u64 {
        return Ok(());
    }
    Err(StoreError::Unexpected { context: "update_buckets", source: Some("each row should have been affected".into()) })
}

fn bytes(keys: &[BucketKey]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.as_bytes().to_vec()).collect()
}
