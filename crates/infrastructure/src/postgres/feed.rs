//! The change feed.

use super::PgStore;
use super::error::bounded;
use super::unit_of_work::PgUnitOfWork;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vestibule_domain::feed::store::{FeedReads, FeedWrites};
use vestibule_domain::feed::{Change, Recorded};
use vestibule_domain::id::{SessionId, UserId};
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

#[async_trait]
impl FeedReads for PgStore {
    async fn newest_change(&self) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar!(r#"SELECT coalesce(max(number), 0) AS "number!" FROM changes"#);
        let mut lease = self.pool.lease().await?;
        let newest = bounded("newest_change", query.fetch_one(lease.connection())).await;
        lease.settle(newest)
    }

    async fn first_change(&self, since: Timestamp) -> Result<Option<i64>, StoreError> {
        // Clocks disagree, so the first by its time need not have the lowest number; it is among the first few.
        let query = sqlx::query_scalar!(
            "SELECT min(number) FROM (SELECT number FROM changes WHERE at >= $1 ORDER BY at LIMIT 1000) AS first",
            since.as_datetime(),
        );
        let mut lease = self.pool.lease().await?;
        let first = bounded("first_change", query.fetch_one(lease.connection())).await;
        lease.settle(first)
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
        let mut lease = self.pool.lease().await?;
        let rows = bounded("changes", query.fetch_all(lease.connection())).await;
        Ok(lease.settle(rows)?.into_iter().map(Into::into).collect())
    }

    async fn purge_changes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query!(
            "DELETE FROM changes WHERE number IN (
                 SELECT number FROM changes WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
             )",
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
