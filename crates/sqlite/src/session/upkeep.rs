//! Sessions and devices: how they are forgotten.

use crate::error::bounded;
use crate::open::SqliteStore;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::id::SessionId;
use vestibule_domain::session::store::SessionUpkeep;
use vestibule_domain::{StoreError, Timestamp, UnitOfWork};

#[async_trait]
impl SessionUpkeep for SqliteStore {
    async fn purge_sessions(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut work = self.begin_work().await?;
        let query = sqlx::query!(
            "DELETE FROM sessions
             WHERE id IN (SELECT id FROM sessions
                          WHERE min(coalesce(ended_at, idle_expires_day), idle_expires_day) < ?1
                          ORDER BY min(coalesce(ended_at, idle_expires_day), idle_expires_day) LIMIT ?2)",
            before.as_millis(),
            limit,
        );
        let sessions = bounded("purge_sessions", query.execute(work.connection())).await?.rows_affected();
        let query = sqlx::query!(
            "DELETE FROM devices
             WHERE hash IN (SELECT hash FROM devices WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
            before.as_millis(),
            limit,
        );
        let devices = bounded("purge_devices", query.execute(work.connection())).await?.rows_affected();
        Box::new(work).commit().await?;
        Ok(sessions + devices)
    }

    async fn forget_sealed_children(
        &self,
        before: Timestamp,
        after: SessionId,
        limit: u32,
    ) -> Result<Option<SessionId>, StoreError> {
        let query = sqlx::query_scalar!(
            r#"SELECT id AS "id!: Uuid" FROM sessions
               WHERE refresh_is_sealed AND id > ?1
               ORDER BY id LIMIT 1 OFFSET ?2"#,
            after.as_uuid(),
            limit.saturating_sub(1),
        );
        let last = bounded("sealed_children", query.fetch_optional(self.readers())).await?;
        let query = sqlx::query!(
            "UPDATE sessions SET refresh_sealed_child = NULL
             WHERE refresh_is_sealed AND id > ?1 AND id <= ?2 AND refresh_replaced_at < ?3",
            after.as_uuid(),
            last.unwrap_or(Uuid::max()),
            before.as_millis(),
        );
        self.execute("forget_sealed_children", query).await?;
        Ok(last.map(Into::into))
    }
}
