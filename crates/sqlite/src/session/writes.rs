//! Sessions and devices: how they begin and end.

use crate::error::{bounded, exactly_one};
use crate::unit_of_work::SqliteUnitOfWork;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::context::UserAgent;
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::service::MAX_DEVICES;
use vestibule_domain::session::store::SessionWrites;
use vestibule_domain::session::{Amr, DeviceTokenHash, EndReason, RefreshTokenHash, Session};
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl SessionWrites for SqliteUnitOfWork {
    async fn insert_session(&mut self, session: &Session, token: &RefreshTokenHash) -> Result<(), StoreError> {
        let amr: Vec<_> = session.amr.iter().copied().map(Amr::as_str).collect();
        let query = sqlx::query!(
            "INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at,
                                   idle_expires_at, idle_expires_day, ip, user_agent, amr, refresh_family_hash,
                                   refresh_hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7 - ?7 % 86400000 + 86400000, ?8, ?9, ?10, ?11, ?12)",
            session.id.as_uuid(),
            session.user.as_uuid(),
            session.created_at.as_millis(),
            session.last_seen_at.as_millis(),
            session.authenticated_at.as_millis(),
            session.expires_at.as_millis(),
            session.idle_expires_at.min(session.expires_at).as_millis(),
            session.ip.map(|ip| ip.to_string()),
            session.user_agent.as_ref().map(UserAgent::as_str),
            amr.join(" "),
            token.family.as_bytes().as_slice(),
            token.secret.as_bytes().as_slice(),
        );
        exactly_one("insert_session", &bounded("insert_session", query.execute(self.connection())).await?)
    }

    async fn displace_sessions(
        &mut self,
        user: UserId,
        newest: SessionId,
        keep: u32,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        // By the day the index passes over what has expired, and tells without the row what does not expire within one.
        let query = sqlx::query_scalar!(
            r#"UPDATE sessions SET ended_at = ?3, end_reason = ?4
               WHERE id IN (SELECT id FROM sessions
                            WHERE user_id = ?1 AND id <> ?5 AND ended_at IS NULL
                              AND idle_expires_day > ?3
                              AND (idle_expires_day > ?3 + 86400000 OR idle_expires_at > ?3)
                            ORDER BY created_at DESC, id DESC
                            LIMIT -1 OFFSET ?2)
               RETURNING id AS "id!: Uuid""#,
            user.as_uuid(),
            keep.saturating_sub(1),
            now.as_millis(),
            EndReason::Displaced.as_str(),
            newest.as_uuid(),
        );
        let displaced = bounded("displace_sessions", query.fetch_all(self.connection())).await?;
        Ok(displaced.into_iter().map(Into::into).collect())
    }

    async fn end_session(
        &mut self,
        user: UserId,
        id: SessionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "UPDATE sessions SET ended_at = ?3, end_reason = ?4 WHERE id = ?1 AND user_id = ?2 AND ended_at IS NULL",
            id.as_uuid(),
            user.as_uuid(),
            now.as_millis(),
            reason.as_str(),
        );
        Ok(bounded("end_session", query.execute(self.connection())).await?.rows_affected() == 1)
    }

    async fn holds_session(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?2 AND user_id = ?1 AND ended_at IS NULL) AS "holds!: bool""#,
            user.as_uuid(),
            id.as_uuid(),
        );
        bounded("holds_session", query.fetch_one(self.connection())).await
    }

    async fn end_sessions(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let query = sqlx::query_scalar!(
            r#"UPDATE sessions SET ended_at = ?3, end_reason = ?4
               WHERE user_id = ?1 AND ended_at IS NULL AND id IS NOT ?2
               RETURNING id AS "id!: Uuid""#,
            user.as_uuid(),
            except.map(SessionId::as_uuid),
            now.as_millis(),
            reason.as_str(),
        );
        let ended = bounded("end_sessions", query.fetch_all(self.connection())).await?;
        Ok(ended.into_iter().map(Into::into).collect())
    }

    async fn forget_devices(&mut self, user: UserId) -> Result<(), StoreError> {
        let query = sqlx::query!("DELETE FROM devices WHERE user_id = ?1", user.as_uuid());
        bounded("forget_devices", query.execute(self.connection())).await.map(drop)
    }

    async fn insert_device(
        &mut self,
        user: UserId,
        device: &DeviceTokenHash,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "INSERT INTO devices (hash, user_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
            device.as_bytes().as_slice(),
            user.as_uuid(),
            now.as_millis(),
            expires_at.as_millis(),
        );
        exactly_one("insert_device", &bounded("insert_device", query.execute(self.connection())).await?)?;
        let query = sqlx::query!(
            "DELETE FROM devices
             WHERE hash IN (SELECT hash FROM devices
                            WHERE user_id = ?1
                            ORDER BY created_at DESC, hash = ?2 DESC
                            LIMIT -1 OFFSET ?3)",
            user.as_uuid(),
            device.as_bytes().as_slice(),
            MAX_DEVICES,
        );
        bounded("forget_oldest_devices", query.execute(self.connection())).await.map(drop)
    }
}
