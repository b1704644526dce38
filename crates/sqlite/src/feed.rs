//! The change feed. As one transaction writes at a time, numbers appear in their order and without gaps.

use crate::error::{bounded, corrupt, exactly_one};
use crate::open::SqliteStore;
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::feed::store::{FeedReads, FeedWrites};
use vestibule_domain::feed::{Change, Recorded};
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::{StoreError, Timestamp};

struct ChangeRow {
    number: i64,
    kind: String,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    at: i64,
}

impl TryFrom<ChangeRow> for Recorded {
    type Error = StoreError;

    fn try_from(row: ChangeRow) -> Result<Self, StoreError> {
        let at = Timestamp::from_millis(row.at).ok_or_else(|| corrupt("changes", "at", row.number))?;
        let change = Change::from_parts(&row.kind, row.user_id.map(Into::into), row.session_id.map(Into::into));
        Ok(Self { number: row.number, at, change })
    }
}

#[async_trait]
impl FeedReads for SqliteStore {
    async fn newest_change(&self) -> Result<i64, StoreError> {
        // Where AUTOINCREMENT stands: the newest change may have been purged since.
        let query = sqlx::query_scalar!(
            r#"SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) AS "number!: i64""#
        );
        bounded("newest_change", query.fetch_one(self.readers())).await
    }

    async fn first_change(&self, since: Timestamp) -> Result<Option<i64>, StoreError> {
        // Clocks move, so the first by its time need not have the lowest number; it is among the first few.
        let query = sqlx::query_scalar!(
            r#"SELECT min(number) AS "number?: i64"
               FROM (SELECT number FROM changes WHERE at >= ?1 ORDER BY at LIMIT 1000)"#,
            since.as_millis(),
        );
        bounded("first_change", query.fetch_one(self.readers())).await
    }

    async fn changes(&self, after: i64, missing: &[i64], limit: u32) -> Result<Vec<Recorded>, StoreError> {
        let missing = format!("{missing:?}");
        let query = sqlx::query_as!(
            ChangeRow,
            r#"SELECT number AS "number!", kind AS "kind!", user_id AS "user_id?: Uuid",
                      session_id AS "session_id?: Uuid", at AS "at!"
               FROM changes
               WHERE number <= ?1 AND number IN (SELECT value FROM json_each(?2))
               UNION ALL
               SELECT number, kind, user_id, session_id, at FROM changes WHERE number > ?1
               ORDER BY 1
               LIMIT ?3"#,
            after,
            missing,
            limit,
        );
        let rows = bounded("changes", query.fetch_all(self.readers())).await?;
        rows.into_iter().map(Recorded::try_from).collect()
    }

    async fn purge_changes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query!(
            "DELETE FROM changes
             WHERE number IN (SELECT number FROM changes WHERE at < ?1 ORDER BY at LIMIT ?2)",
            before.as_millis(),
            limit,
        );
        Ok(bounded("purge_changes", query.execute(self.writer())).await?.rows_affected())
    }
}

#[async_trait]
impl FeedWrites for SqliteUnitOfWork {
    async fn append_changes(&mut self, changes: &[Change], at: Timestamp) -> Result<(), StoreError> {
        for change in changes {
            let query = sqlx::query!(
                "INSERT INTO changes (kind, user_id, session_id, at) VALUES (?1, ?2, ?3, ?4)",
                change.kind(),
                change.user().map(UserId::as_uuid),
                change.session().map(SessionId::as_uuid),
                at.as_millis(),
            );
            exactly_one("append_changes", &bounded("append_changes", query.execute(self.connection())).await?)?;
        }
        Ok(())
    }
}
