//! Sessions and devices: how they are forgotten.

use crate::postgres::PgStore;
use crate::postgres::error::bounded;
use async_trait::async_trait;
use vestibule_domain::id::SessionId;
use vestibule_domain::session::store::SessionUpkeep;
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl SessionUpkeep for PgStore {
    async fn purge_sessions(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // What another process is deleting is left to it. As an array, here and below: joined with so many rows as a
        // part of them all might be, a plan for any time reads the whole table.
        let query = sqlx::query_scalar!(
            r#"WITH over AS (
                   SELECT id FROM sessions WHERE LEAST(ended_at, idle_expires_day) < $1
                   ORDER BY LEAST(ended_at, idle_expires_day) LIMIT $2 FOR UPDATE SKIP LOCKED
               ), sessions_gone AS (
                   DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id FROM over)) RETURNING 1
               ), expired AS (
                   SELECT hash FROM devices WHERE expires_at < $1
                   ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
               ), devices_gone AS (
                   DELETE FROM devices WHERE hash = ANY (ARRAY(SELECT hash FROM expired)) RETURNING 1
               )
               SELECT (SELECT count(*) FROM sessions_gone) + (SELECT count(*) FROM devices_gone) AS "purged!""#,
            before.as_datetime(),
            i64::from(limit),
        );
        let mut lease = self.pool.lease().await?;
        let purged = bounded("purge_sessions", query.fetch_one(lease.connection())).await;
        lease.settle(purged).map(i64::unsigned_abs)
    }

    async fn forget_sealed_children(
        &self,
        before: Timestamp,
        after: SessionId,
        limit: u32,
    ) -> Result<Option<SessionId>, StoreError> {
        // What is being refreshed right now gets another child anyway.
        let query = sqlx::query_scalar!(
            r#"WITH sealed AS (
                   SELECT id FROM sessions WHERE refresh_is_sealed AND id > $2 ORDER BY id LIMIT $3
               ), stale AS (
                   SELECT id FROM sessions WHERE id = ANY (ARRAY(SELECT id FROM sealed)) AND refresh_replaced_at < $1
                   FOR NO KEY UPDATE SKIP LOCKED
               ), forgotten AS (
                   UPDATE sessions SET refresh_sealed_child = NULL, refresh_is_sealed = false
                   WHERE id = ANY (ARRAY(SELECT id FROM stale))
               )
               SELECT id AS "id!" FROM sealed ORDER BY id OFFSET $3 - 1"#,
            before.as_datetime(),
            after.as_uuid(),
            i64::from(limit),
        );
        let mut lease = self.pool.lease().await?;
        let last = bounded("forget_sealed_children", query.fetch_optional(lease.connection())).await;
        Ok(lease.settle(last)?.map(Into::into))
    }
}
