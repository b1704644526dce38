//! The change feed.

use super::error::bounded;
use super::unit_of_work::PgUnitOfWork;
use super::{PgStore, token};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use uuid::Uuid;
use vestibule_domain::feed::store::{FeedReads, FeedUpkeep, FeedWrites, MAX_PASSED, RevocationReads};
use vestibule_domain::feed::{Change, Recorded, Run};
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::token::KeySet;
use vestibule_domain::{StoreError, Timestamp};

#[derive(Debug)]
struct ChangeRow {
    number: i64,
    kind: String,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    at: DateTime<Utc>,
}

impl From<ChangeRow> for Recorded {
    fn from(row: ChangeRow) -> Self {
        let change = Change::from_parts(&row.kind, row.user_id.map(Into::into), row.session_id.map(Into::into));
        Self { number: row.number, at: row.at.into(), change }
    }
}

struct RunRow {
    number: i64,
    kind: String,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    at: DateTime<Utc>,
    length: i64,
}

impl From<RunRow> for Run {
    fn from(RunRow { number, kind, user_id, session_id, at, length }: RunRow) -> Self {
        let length = u32::try_from(length).unwrap_or(1);
        Self { length, last: ChangeRow { number, kind, user_id, session_id, at }.into() }
    }
}

async fn newest(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT coalesce(max(number), 0) AS "number!" FROM changes"#).fetch_one(connection).await
}

#[async_trait]
impl FeedReads for PgStore {
    async fn newest_change(&self) -> Result<i64, StoreError> {
        let mut lease = self.feed.lease().await?;
        let newest = bounded("newest_change", newest(lease.connection())).await;
        lease.settle(newest)
    }

    async fn changes(&self, after: i64, missing: &[i64], limit: u32) -> Result<Vec<Recorded>, StoreError> {
        // Two ranges of one index; with OR it would be the whole table.
        let query = sqlx::query_as!(
            ChangeRow,
            r#"(SELECT number AS "number!", kind AS "kind!", user_id AS "user_id?", session_id AS "session_id?",
                       at AS "at!"
                FROM changes WHERE number = ANY ($2::bigint[]) AND number <= $1)
               UNION ALL
               (SELECT number, kind, user_id, session_id, at FROM changes WHERE number > $1 ORDER BY number LIMIT $3)
               ORDER BY 1 LIMIT $3"#,
            after,
            missing,
            i64::from(limit),
        );
        let mut lease = self.feed.lease().await?;
        let rows = bounded("changes", query.fetch_all(lease.connection())).await;
        Ok(lease.settle(rows)?.into_iter().map(Into::into).collect())
    }

    async fn changed_keys(&self) -> Result<KeySet, StoreError> {
        token::signing_keys(&self.feed).await
    }
}

#[async_trait]
impl RevocationReads for PgStore {
    async fn first_change(&self, since: Timestamp) -> Result<i64, StoreError> {
        // Clocks disagree, so the first by its time need not have the lowest number; it is among the first few.
        let query = sqlx::query_scalar!(
            r#"SELECT coalesce(min(number), (SELECT max(number) FROM changes), 0) AS "number!"
               FROM (SELECT number FROM changes WHERE at >= $1 ORDER BY at LIMIT 1000) AS first"#,
            since.as_datetime(),
        );
        let mut lease = self.pool.lease().await?;
        let first = bounded("first_change", query.fetch_one(lease.connection())).await;
        lease.settle(first)
    }

    async fn ends(&self, after: i64, missing: &[i64], limit: u32) -> Result<Option<Vec<Run>>, StoreError> {
        // Numbers are in a row as long as the next one is there; a run is cut behind each end.
        let query = sqlx::query_as!(
            RunRow,
            r#"SELECT number AS "number!", kind AS "kind!", user_id AS "user_id?", session_id AS "session_id?",
                      at AS "at!", place - lag(place, 1, 0::bigint) OVER (ORDER BY number) AS "length!"
               FROM (SELECT *, row_number() OVER numbers AS place, lead(number) OVER numbers AS next
                     FROM ((SELECT * FROM changes WHERE number = ANY ($2::bigint[]) AND number <= $1)
                           UNION ALL
                           (SELECT * FROM changes WHERE number > $1 ORDER BY number LIMIT $3)) AS passed
                     WINDOW numbers AS (ORDER BY number)) AS placed
               WHERE kind IN ('session_ended', 'user_gone') OR next IS DISTINCT FROM number + 1
               ORDER BY number LIMIT $4"#,
            after,
            missing,
            i64::from(MAX_PASSED),
            i64::from(limit),
        );
        let mut lease = self.pool.lease().await?;
        let read = bounded("ends", async {
            let rows = query.fetch_all(lease.connection()).await?;
            let is_known = !rows.is_empty() || newest(lease.connection()).await? >= after;
            Ok::<_, sqlx::Error>(is_known.then_some(rows))
        })
        .await;
        Ok(lease.settle(read)?.map(|rows| rows.into_iter().map(Run::from).collect()))
    }
}

#[async_trait]
impl FeedUpkeep for PgStore {
    async fn purge_changes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query!(
            "DELETE FROM changes WHERE number = ANY (ARRAY(
                 SELECT number FROM changes WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
             ))",
            before.as_datetime(),
            i64::from(limit),
        );
        let mut lease = self.pool.lease().await?;
        let purged = bounded("purge_changes", query.execute(lease.connection())).await;
        Ok(lease.settle(purged)?.rows_affected())
    }
}

#[async_trait]
impl FeedWrites for PgUnitOfWork {
    async fn append_changes(&mut self, changes: &[Change], at: Timestamp) -> Result<(), StoreError> {
        let kinds: Vec<_> = changes.iter().map(|change| change.kind().to_owned()).collect();
        let users: Vec<_> = changes.iter().map(|change| change.user().map(UserId::as_uuid)).collect();
        let sessions: Vec<_> = changes.iter().map(|change| change.session().map(SessionId::as_uuid)).collect();
        let query = sqlx::query!(
            "INSERT INTO changes (kind, user_id, session_id, at)
             SELECT kind, user_id, session_id, $4
             FROM unnest($1::text[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS c (kind, user_id, session_id, position)
             ORDER BY position",
            &kinds,
            &users as &[Option<Uuid>],
            &sessions as &[Option<Uuid>],
            at.as_datetime(),
        );
        let appended = bounded("append_changes", query.execute(self.connection()?)).await;
        self.settle(appended).map(drop)
    }
}
