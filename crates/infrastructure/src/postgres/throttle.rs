//! What is remembered of those who tried.

use super::PgStore;
use super::error::{Constraint, Failure, bounded, corrupt};
use super::unit_of_work::PgUnitOfWork;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use vestibule_domain::throttle::store::{ChangeBuckets, Swap, ThrottleStore, those_that_differ};
use vestibule_domain::throttle::{Bucket, BucketKey};
use vestibule_domain::{StoreError, Timestamp, UnitOfWork};

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

/// Of several buckets, each field by itself, as arrays go into a statement.
struct Columns {
    full_at: Vec<DateTime<Utc>>,
    failures: Vec<i64>,
    closed_until: Vec<DateTime<Utc>>,
    tried: Vec<Vec<u8>>,
    running: Vec<i64>,
    running_until: Vec<DateTime<Utc>>,
    is_reported: Vec<bool>,
    expires_at: Vec<DateTime<Utc>>,
}

impl Columns {
    fn of(buckets: &[Bucket]) -> Self {
        fn column<T>(buckets: &[Bucket], field: impl Fn(&Bucket) -> T) -> Vec<T> {
            buckets.iter().map(field).collect()
        }
        Self {
            full_at: column(buckets, |bucket| bucket.full_at.as_datetime()),
            failures: column(buckets, |bucket| bucket.failures.into()),
            closed_until: column(buckets, |bucket| bucket.closed_until.as_datetime()),
            tried: column(buckets, Bucket::tried_bytes),
            running: column(buckets, |bucket| bucket.running.into()),
            running_until: column(buckets, |bucket| bucket.running_until.as_datetime()),
            is_reported: column(buckets, |bucket| bucket.is_reported),
            expires_at: column(buckets, |bucket| bucket.expires_at.as_datetime()),
        }
    }
}

#[async_trait]
impl ThrottleStore for PgStore {
    async fn buckets(&self, keys: &[BucketKey]) -> Result<Vec<Bucket>, StoreError> {
        let mut lease = self.pool.lease().await?;
        let rows = read(lease.connection(), keys).await;
        in_order(keys, &lease.settle(rows)?)
    }

    async fn swap_buckets(&self, keys: &[BucketKey], old: &[Bucket], new: &[Bucket]) -> Result<Swap, StoreError> {
        let mut lease = self.pool.lease().await?;
        let swapped = swap(lease.connection(), keys, old, new).await;
        // Into a place that was empty when the statement began.
        let is_late = swapped.as_ref().is_err_and(|failure| failure.violates(Constraint::ThrottleKey));
        let rows = match lease.settle(swapped) {
            Err(_) if is_late => Vec::new(),
            rows => rows?,
        };
        match outcome(keys, &rows)? {
            // The others may have been inserted since.
            Swap::Lost(_) if rows.len() < keys.len() => Ok(Swap::Lost(self.buckets(keys).await?)),
            outcome => Ok(outcome),
        }
    }

    async fn change_buckets(&self, keys: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        let mut work = PgUnitOfWork::begin(&self.pool).await?;
        let query = sqlx::query!(
            r#"SELECT count(pg_advisory_xact_lock(turn)) AS "taken!" FROM unnest($1::bigint[]) AS t (turn)"#,
            &turns(keys),
        );
        let taken = bounded("wait_for_buckets", query.fetch_one(work.connection()?)).await;
        work.settle(taken)?;
        let rows = read(work.connection()?, keys).await;
        let found = in_order(keys, &work.settle(rows)?)?;
        let mut buckets = found.clone();
        change(&mut buckets);
        let (keys, old, new) = those_that_differ(keys, &found, &buckets);
        if keys.is_empty() {
            return Ok(());
        }
        let swapped = swap(work.connection()?, &keys, &old, &new).await;
        match outcome(&keys, &work.settle(swapped)?)? {
            Swap::Done => Box::new(work).commit().await,
            Swap::Lost(_) => Err(unexpected("somebody has changed buckets out of turn")),
        }
    }

    async fn purge_buckets(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // One that is being changed is not over.
        let query = sqlx::query!(
            "DELETE FROM throttles WHERE key = ANY (ARRAY(
                 SELECT key FROM throttles WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
             ))",
            before.as_datetime(),
            i64::from(limit),
        );
        let mut lease = self.pool.lease().await?;
        let purged = bounded("purge_buckets", query.execute(lease.connection())).await;
        Ok(lease.settle(purged)?.rows_affected())
    }
}

async fn read(connection: &mut PgConnection, keys: &[BucketKey]) -> Result<Vec<ThrottleRow>, Failure> {
    let query = sqlx::query_as!(
        ThrottleRow,
        "SELECT key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at
         FROM throttles WHERE key = ANY ($1)",
        &bytes(keys),
    );
    bounded("buckets", query.fetch_all(connection)).await
}

/// A new one for each that is not among the rows.
fn in_order(keys: &[BucketKey], rows: &[ThrottleRow]) -> Result<Vec<Bucket>, StoreError> {
    let row = |key: &BucketKey| rows.iter().find(|row| row.key == key.as_bytes());
    keys.iter().map(|key| row(key).map_or_else(|| Ok(Bucket::default()), |row| row.bucket(key))).collect()
}

/// Answers with how many were written, as the `failures` of a row whose key is empty; or, if not all are as in `old`,
/// with those that are there.
///
/// Who writes takes turns with those who want the same buckets, in the order of the keys: rows alone would not do,
/// because some are yet to be inserted. What others have changed while it waited is seen then, because the rows are
/// held; what they have inserted is not, and its own inserts fail by it. A time finer than a millisecond, which
/// somebody has written by hand, counts as it is read. The disk is not waited for, twice in each login: a crash of the
/// server forgets less than a second of attempts (docs/decisions/0023).
///
/// The keys are named twice: joined with a list alone, a plan made for few rows would read all there are by then.
async fn swap(
    connection: &mut PgConnection,
    keys: &[BucketKey],
    old: &[Bucket],
    new: &[Bucket],
) -> Result<Vec<ThrottleRow>, Failure> {
    let none = Bucket::default();
    let was_new: Vec<_> = old.iter().map(|bucket| *bucket == none).collect();
    let (was, new) = (Columns::of(old), Columns::of(new));
    let query = sqlx::query_as!(
        ThrottleRow,
        r#"WITH wanted AS (
               SELECT * FROM unnest(
                   $1::bytea[], $2::boolean[],
                   $3::timestamptz[], $4::bigint[], $5::timestamptz[], $6::bytea[], $7::bigint[],
                   $8::timestamptz[], $9::boolean[], $10::timestamptz[],
                   $11::timestamptz[], $12::bigint[], $13::timestamptz[], $14::bytea[], $15::bigint[],
                   $16::timestamptz[], $17::boolean[], $18::timestamptz[]
               ) AS wanted (
                   key, was_new,
                   was_full_at, was_failures, was_closed_until, was_tried, was_running,
                   was_running_until, was_reported, was_expires_at,
                   full_at, failures, closed_until, tried, running,
                   running_until, is_reported, expires_at
               )
           ), turns AS MATERIALIZED (
               SELECT count(pg_advisory_xact_lock(turn)) AS taken FROM unnest($19::bigint[]) AS t (turn)
           ), found AS MATERIALIZED (
               SELECT * FROM throttles
               WHERE (SELECT taken FROM turns) > 0 AND key = ANY ($1) FOR UPDATE
           ), agreed AS MATERIALIZED (
               SELECT set_config('synchronous_commit', 'off', true) = 'off' AND NOT EXISTS (
                   SELECT FROM wanted AS w LEFT JOIN found AS f ON f.key = w.key
                   WHERE CASE WHEN f.key IS NULL THEN NOT w.was_new ELSE
                       (date_trunc('milliseconds', f.full_at), f.failures,
                        date_trunc('milliseconds', f.closed_until), f.tried, f.running,
                        date_trunc('milliseconds', f.running_until), f.is_reported,
                        date_trunc('milliseconds', f.expires_at))
                       <> (w.was_full_at, w.was_failures, w.was_closed_until, w.was_tried, w.was_running,
                           w.was_running_until, w.was_reported, w.was_expires_at)
                   END
               ) AS agreed
           ), inserted AS (
               INSERT INTO throttles
                   (key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at)
               SELECT key, full_at, failures, closed_until, tried, running, running_until, is_reported, expires_at
               FROM wanted
               WHERE (SELECT agreed FROM agreed) AND key NOT IN (SELECT key FROM found)
               RETURNING key
           ), updated AS (
               UPDATE throttles AS t
               SET full_at = w.full_at, failures = w.failures, closed_until = w.closed_until, tried = w.tried,
                   running = w.running, running_until = w.running_until, is_reported = w.is_reported,
                   expires_at = w.expires_at
               FROM wanted AS w
               WHERE (SELECT agreed FROM agreed) AND t.key = w.key AND t.key = ANY ($1)
               RETURNING t.key
           )
           SELECT key AS "key!", full_at AS "full_at!", failures AS "failures!", closed_until AS "closed_until!",
                  tried AS "tried!", running AS "running!", running_until AS "running_until!",
                  is_reported AS "is_reported!", expires_at AS "expires_at!"
           FROM found WHERE NOT (SELECT agreed FROM agreed)
           UNION ALL
           SELECT '', now(), (SELECT count(*) FROM inserted) + (SELECT count(*) FROM updated), now(), '', 0, now(),
                  false, now()
           FROM agreed WHERE agreed"#,
        &bytes(keys),
        &was_new,
        &was.full_at,
        &was.failures,
        &was.closed_until,
        &was.tried,
        &was.running,
        &was.running_until,
        &was.is_reported,
        &was.expires_at,
        &new.full_at,
        &new.failures,
        &new.closed_until,
        &new.tried,
        &new.running,
        &new.running_until,
        &new.is_reported,
        &new.expires_at,
        &turns(keys),
    );
    bounded("swap_buckets", query.fetch_all(connection)).await
}

/// Of what [`swap`] answers.
fn outcome(keys: &[BucketKey], rows: &[ThrottleRow]) -> Result<Swap, StoreError> {
    match rows {
        [done] if done.key.is_empty() && usize::try_from(done.failures) == Ok(keys.len()) => Ok(Swap::Done),
        [done] if done.key.is_empty() => Err(unexpected("each row should have been written")),
        found => in_order(keys, found).map(Swap::Lost),
    }
}

/// What whoever wants the buckets waits for. Two of one number are rare, and only wait for each other.
fn turns(keys: &[BucketKey]) -> Vec<i64> {
    keys.iter().filter_map(|key| key.as_bytes().first_chunk()).map(|bytes| i64::from_be_bytes(*bytes)).collect()
}

fn unexpected(what: &'static str) -> StoreError {
    StoreError::Unexpected { context: "swap_buckets", source: Some(what.into()) }
}

fn bytes(keys: &[BucketKey]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.as_bytes().to_vec()).collect()
}
