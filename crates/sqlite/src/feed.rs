//! The change feed. As one transaction writes at a time, numbers appear in their order and without gaps.

use crate::error::{bounded, corrupt, exactly_one};
use crate::open::SqliteStore;
use crate::token;
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::feed::store::{FeedReads, FeedUpkeep, FeedWrites, MAX_PASSED, RevocationReads};
use vestibule_domain::feed::{Change, Recorded, Run};
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::token::KeySet;
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
        bounded("newest_change", query.fetch_one(self.feed())).await
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
        let rows = bounded("changes", query.fetch_all(self.feed())).await?;
        rows.into_iter().map(Recorded::try_from).collect()
    }

    async fn changed_keys(&self) -> Result<KeySet, StoreError> {
        token::signing_keys(self.feed()).await
    }
}

struct RunRow {
    number: i64,
    kind: String,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    at: i64,
    length: i64,
}

impl TryFrom<RunRow> for Run {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        let RunRow { number, kind, user_id, session_id, at, length } = row;
        let length = u32::try_from(length).unwrap_or(1);
        Ok(Self { length, last: ChangeRow { number, kind, user_id, session_id, at }.try_into()? })
    }
}

#[async_trait]
impl RevocationReads for SqliteStore {
    async fn first_change(&self, since: Timestamp) -> Result<i64, StoreError> {
        // Clocks move, so the first by its time need not have the lowest number; it is among the first few.
        let query = sqlx::query_scalar!(
            r#"SELECT coalesce(min(number), (SELECT max(number) FROM changes), 0) AS "number!: i64"
               FROM (SELECT number FROM changes WHERE at >= ?1 ORDER BY at LIMIT 1000)"#,
            since.as_millis(),
        );
        bounded("first_change", query.fetch_one(self.readers())).await
    }

    async fn ends(&self, after: i64, missing: &[i64], limit: u32) -> Result<Option<Vec<Run>>, StoreError> {
        let missing = format!("{missing:?}");
        // Numbers are in a row as long as the next one is there; a run is cut behind each end.
        let query = sqlx::query_as!(
            RunRow,
            r#"SELECT number AS "number!: i64", kind AS "kind!: String", user_id AS "user_id?: Uuid",
                      session_id AS "session_id?: Uuid", at AS "at!: i64",
                      place - lag(place, 1, 0) OVER (ORDER BY number) AS "length!: i64"
               FROM (SELECT *, row_number() OVER numbers AS place, lead(number) OVER numbers AS next
                     FROM (SELECT * FROM changes WHERE number <= ?1 AND number IN (SELECT value FROM json_each(?2))
                           UNION ALL
                           SELECT * FROM (SELECT * FROM changes WHERE number > ?1 ORDER BY number LIMIT ?3))
                     WINDOW numbers AS (ORDER BY number))
               WHERE kind IN ('session_ended', 'user_gone') OR next IS NOT number + 1
               ORDER BY number LIMIT ?4"#,
            after,
            missing,
            MAX_PASSED,
            limit,
        );
        let rows = bounded("ends", query.fetch_all(self.readers())).await?;
        if rows.is_empty() && self.newest_change().await? < after {
            return Ok(None);
        }
        rows.into_iter().map(Run::try_from).collect::<Result<_, _>>().map(Some)
    }
}

#[async_trait]
impl FeedUpkeep for SqliteStore {
    async fn purge_changes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let query = sqlx::query!(
            "DELETE FROM changes
             WHERE number IN (SELECT number FROM changes WHERE at < ?1 ORDER BY at LIMIT ?2)",
            before.as_millis(),
            limit,
        );
        Ok(self.execute("purge_changes", query).await?.rows_affected())
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
