//! Sessions and devices: how they begin and end.

use crate::postgres::error::{bounded, exactly_one};
use crate::postgres::unit_of_work::PgUnitOfWork;
use async_trait::async_trait;
use vestibule_domain::context::UserAgent;
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::service::MAX_DEVICES;
use vestibule_domain::session::store::SessionWrites;
use vestibule_domain::session::{Amr, DeviceTokenHash, EndReason, RefreshTokenHash, Session};
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl SessionWrites for PgUnitOfWork {
    async fn insert_session(&mut self, session: &Session, token: &RefreshTokenHash) -> Result<(), StoreError> {
        let amr: Vec<_> = session.amr.iter().copied().map(Amr::as_str).collect();
        let query = sqlx::query!(
            "INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at,
                                   idle_expires_at, idle_expires_day, ip, user_agent, amr, refresh_family_hash,
                                   refresh_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, day_end($7), $8, $9, $10, $11::bytea, $12::bytea)",
            session.id.as_uuid(),
            session.user.as_uuid(),
            session.created_at.as_datetime(),
            session.last_seen_at.as_datetime(),
            session.authenticated_at.as_datetime(),
            session.expires_at.as_datetime(),
            session.idle_expires_at.as_datetime(),
            session.ip.map(|ip| ip.to_string()),
            session.user_agent.as_ref().map(UserAgent::as_str),
            amr.join(" "),
            token.family.as_bytes(),
            token.secret.as_bytes(),
        );
        let inserted = bounded("insert_session", query.execute(self.connection()?)).await;
        exactly_one("insert_session", &self.settle(inserted)?)
    }

    async fn displace_sessions(
        &mut self,
        user: UserId,
        newest: SessionId,
        keep: u32,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let query = sqlx::query_scalar!(
            "UPDATE sessions SET ended_at = $3, end_reason = $4
             WHERE user_id = $1 AND id <> $5 AND ended_at IS NULL AND idle_expires_at > $3 AND (created_at, id) <= (
                 SELECT created_at, id FROM sessions
                 WHERE user_id = $1 AND id <> $5 AND ended_at IS NULL AND idle_expires_at > $3
                 ORDER BY created_at DESC, id DESC OFFSET $2 LIMIT 1
             )
             RETURNING id",
            user.as_uuid(),
            i64::from(keep.saturating_sub(1)),
            now.as_datetime(),
            EndReason::Displaced.as_str(),
            newest.as_uuid(),
        );
        let displaced = bounded("displace_sessions", query.fetch_all(self.connection()?)).await;
        Ok(self.settle(displaced)?.into_iter().map(Into::into).collect())
    }

    async fn end_session(
        &mut self,
        user: UserId,
        id: SessionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query!(
            "UPDATE sessions SET ended_at = $4, end_reason = $3 WHERE id = $2 AND user_id = $1 AND ended_at IS NULL",
            user.as_uuid(),
            id.as_uuid(),
            reason.as_str(),
            now.as_datetime(),
        );
        let ended = bounded("end_session", query.execute(self.connection()?)).await;
        Ok(self.settle(ended)?.rows_affected() == 1)
    }

    async fn holds_session(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.lock_user(user).await?;
        let query = sqlx::query_scalar!(
            "SELECT id FROM sessions WHERE id = $2 AND user_id = $1 AND ended_at IS NULL FOR SHARE",
            user.as_uuid(),
            id.as_uuid(),
        );
        let held = bounded("holds_session", query.fetch_optional(self.connection()?)).await;
        Ok(self.settle(held)?.is_some())
    }

    async fn end_sessions(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.lock_user(user).await?;
        let query = sqlx::query_scalar!(
            "UPDATE sessions SET ended_at = $4, end_reason = $3
             WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND ended_at IS NULL
             RETURNING id",
            user.as_uuid(),
            except.map(SessionId::as_uuid),
            reason.as_str(),
            now.as_datetime(),
        );
        let ended = bounded("end_sessions", query.fetch_all(self.connection()?)).await;
        Ok(self.settle(ended)?.into_iter().map(Into::into).collect())
    }

    async fn forget_devices(&mut self, user: UserId) -> Result<(), StoreError> {
        let query = sqlx::query!("DELETE FROM devices WHERE user_id = $1", user.as_uuid());
        let forgotten = bounded("forget_devices", query.execute(self.connection()?)).await;
        self.settle(forgotten).map(drop)
    }

    async fn insert_device(
        &mut self,
        user: UserId,
        device: &DeviceTokenHash,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        // The statement does not see its own insert: all but one of the most leave room for it.
        let query = sqlx::query!(
            "WITH forgotten AS (
                 DELETE FROM devices WHERE user_id = $2 AND (created_at, hash) <= (
                     SELECT created_at, hash FROM devices WHERE user_id = $2
                     ORDER BY created_at DESC, hash DESC OFFSET $5 LIMIT 1
                 )
             )
             INSERT INTO devices (hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
            device.as_bytes(),
            user.as_uuid(),
            now.as_datetime(),
            expires_at.as_datetime(),
            i64::from(MAX_DEVICES) - 1,
        );
        let inserted = bounded("insert_device", query.execute(self.connection()?)).await;
        exactly_one("insert_device", &self.settle(inserted)?)
    }
}

impl PgUnitOfWork {
    /// Whoever locks several sessions of a user, or one and the user, locks the user first: two who locked the same
    /// rows in another order would wait for each other.
    async fn lock_user(&mut self, user: UserId) -> Result<(), StoreError> {
        let query = sqlx::query_scalar!("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", user.as_uuid());
        let locked = bounded("lock_user", query.fetch_optional(self.connection()?)).await;
        self.settle(locked).map(drop)
    }
}
