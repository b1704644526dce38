//! What is remembered of those who tried.

use crate::error::{bounded, corrupt};
use crate::json;
use crate::open::SqliteStore;
use async_trait::async_trait;
use sqlx::{SqliteConnection, SqliteExecutor};
use vestibule_domain::throttle::store::{ChangeBuckets, Swap, ThrottleStore, those_that_differ};
use vestibule_domain::throttle::{Bucket, BucketKey};
use vestibule_domain::{StoreError, Timestamp, UnitOfWork};

struct ThrottleRow {
    key: Vec<u8>,
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
    async fn buckets(&self, keys: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
        buckets(self.readers(), keys).await
    }

    /// One statement, which begins and commits by itself.
    async fn swap_buckets(&self, keys: &[BucketKey], old: &[Bucket], new: &[Bucket]) -> Result<Swap, StoreError> {
        let mut turn = self.turn().await?;
        let swapped = turn.count(self.path(), async |attempts| swap(attempts, keys, old, new).await).await;
        // Others may write while this one looks.
        drop(turn);
        if swapped? { Ok(Swap::Done) } else { Ok(Swap::Lost(self.buckets(keys).await?)) }
    }

    async fn change_buckets(&self, keys: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        let mut work = self.begin_work().await?;
        let found = buckets(work.connection(), keys).await?;
        let mut buckets = found.clone();
        change(&mut buckets);
        let (keys, old, new) = those_that_differ(keys, &found, &buckets);
        if keys.is_empty() {
            return Ok(());
        }
        if !swap(work.connection(), &keys, &old, &new).await? {
            return Err(unexpected("somebody has changed buckets in this transaction"));
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
        let mut turn = self.turn().await?;
        let purge = async |attempts: &mut SqliteConnection| bounded("purge_buckets", query.execute(attempts)).await;
        Ok(turn.count(self.path(), purge).await?.rows_affected())
    }
}

async fn buckets(on: impl SqliteExecutor<'_>, keys: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
    let query = sqlx::query_as!(
        ThrottleRow,
        r#"SELECT key AS "key!", full_at, failures, closed_until, tried, running, running_until,
                  is_reported AS "is_reported: bool", expires_at
           FROM throttles WHERE key IN (SELECT unhex(value) FROM json_each(?1))"#,
        json::array(keys.iter().map(|key| json::hex(key.as_bytes()))),
    );
    let rows = bounded("buckets", query.fetch_all(on)).await?;
    let row = |key: &BucketKey| rows.iter().find(|row| row.key == key.as_bytes());
    keys.iter().map(|key| row(key).map_or_else(|| Ok(Bucket::default()), |row| row.bucket(key))).collect()
}

/// Whether all were as in `old`. What is there is compared before anything is written.
async fn swap(
    on: impl SqliteExecutor<'_>,
    keys: &[BucketKey],
    old: &[Bucket],
    new: &[Bucket],
) -> Result<bool, StoreError> {
    let none = Bucket::default();
    let rows = keys.iter().zip(old).zip(new).map(|((key, old), new)| {
        let was_new = u8::from(*old == none);
        format!("[{},{was_new},{},{}]", json::hex(key.as_bytes()), fields(old), fields(new))
    });
    let query = sqlx::query!(
        "WITH wanted AS MATERIALIZED (
             SELECT unhex(value ->> 0) AS key, value ->> 1 AS was_new,
                    value ->> 2 AS was_full_at, value ->> 3 AS was_failures, value ->> 4 AS was_closed_until,
                    unhex(value ->> 5) AS was_tried, value ->> 6 AS was_running, value ->> 7 AS was_running_until,
                    value ->> 8 AS was_reported, value ->> 9 AS was_expires_at,
                    value ->> 10 AS full_at, value ->> 11 AS failures, value ->> 12 AS closed_until,
                    unhex(value ->> 13) AS tried, value ->> 14 AS running, value ->> 15 AS running_until,
                    value ->> 16 AS is_reported, value ->> 17 AS expires_at
             FROM json_each(?1)
         )
         INSERT INTO throttles
             (key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at)
         SELECT key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at
         FROM wanted
         WHERE NOT EXISTS (
             SELECT 1 FROM wanted AS w LEFT JOIN throttles AS t ON t.key = w.key
             WHERE CASE WHEN t.key IS NULL THEN NOT w.was_new ELSE
                 (t.full_at, t.failures, t.closed_until, t.tried, t.running,
                  t.running_until, t.is_reported, t.expires_at)
                 <> (w.was_full_at, w.was_failures, w.was_closed_until, w.was_tried, w.was_running,
                     w.was_running_until, w.was_reported, w.was_expires_at)
             END
         )
         ON CONFLICT (key) DO UPDATE
         SET full_at = excluded.full_at, failures = excluded.failures, closed_until = excluded.closed_until,
             tried = excluded.tried, running = excluded.running, running_until = excluded.running_until,
             is_reported = excluded.is_reported, expires_at = excluded.expires_at",
        json::array(rows),
    );
    match bounded("swap_buckets", query.execute(on)).await?.rows_affected() {
        0 => Ok(false),
        written if written == keys.len() as u64 => Ok(true),
        _ => Err(unexpected("each row should have been written")),
    }
}

fn unexpected(what: &'static str) -> StoreError {
    StoreError::Unexpected { context: "swap_buckets", source: Some(what.into()) }
}

/// In the order of the table's columns.
fn fields(bucket: &Bucket) -> String {
    let Bucket { full_at, failures, closed_until, running, running_until, is_reported, expires_at, .. } = bucket;
    let (tried, is_reported) = (json::hex(&bucket.tried_bytes()), u8::from(*is_reported));
    let [full_at, closed_until, running_until, expires_at] =
        [full_at, closed_until, running_until, expires_at].map(|time| time.as_millis());
    format!("{full_at},{failures},{closed_until},{tried},{running},{running_until},{is_reported},{expires_at}")
}
