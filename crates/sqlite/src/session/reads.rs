//! Sessions and devices: how they are read.

use super::{SessionRow, select_sessions, session_row};
use crate::error::bounded;
use crate::open::SqliteStore;
use crate::user::user_row;
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;
use vestibule_domain::feed::Principal;
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::service::MAX_SESSIONS;
use vestibule_domain::session::store::{FoundRefresh, SessionReads};
use vestibule_domain::session::{DeviceTokenHash, RefreshTokenHash, Session};
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl SessionReads for SqliteStore {
    async fn principal(&self, id: SessionId) -> Result<Option<Principal>, StoreError> {
        let query = select_sessions!("", "WHERE s.id = ?1 AND s.ended_at IS NULL", id.as_uuid());
        let found = bounded("principal", query.fetch_optional(self.readers())).await?;
        found
            .map(|row| {
                let session = session_row!(row).try_into()?;
                Ok(Principal { session: Arc::new(session), user: Arc::new(user_row!(row).try_into()?) })
            })
            .transpose()
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let query = sqlx::query_as!(
            SessionRow,
            r#"SELECT id AS "id!: Uuid", user_id AS "user_id!: Uuid", created_at, last_seen_at, authenticated_at,
                      expires_at, idle_expires_at, ip, user_agent, amr
               FROM sessions
               WHERE user_id = ?1 AND ended_at IS NULL AND idle_expires_at > ?2
               ORDER BY created_at DESC, id DESC
               LIMIT ?3"#,
            user.as_uuid(),
            now.as_millis(),
            MAX_SESSIONS,
        );
        let rows = bounded("sessions", query.fetch_all(self.readers())).await?;
        rows.into_iter().map(Session::try_from).collect()
    }

    async fn find_refresh(&self, token: &RefreshTokenHash) -> Result<Option<FoundRefresh>, StoreError> {
        self.find_refresh_token(token).await
    }

    async fn knows_device(&self, user: UserId, device: &DeviceTokenHash, now: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT 1 FROM devices WHERE hash = ?1 AND user_id = ?2 AND expires_at > ?3
               ) AS "known!: bool""#,
            device.as_bytes().as_slice(),
            user.as_uuid(),
            now.as_millis(),
        );
        bounded("knows_device", query.fetch_one(self.readers())).await
    }
}
