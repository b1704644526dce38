//! Sessions and devices: how they are read.

use super::{SessionRow, session_query, session_row};
use crate::postgres::PgStore;
use crate::postgres::error::{bounded, corrupt};
use crate::postgres::user::user_row;
use async_trait::async_trait;
use vestibule_domain::feed::Principal;
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::service::MAX_SESSIONS;
use vestibule_domain::session::store::{FoundRefresh, RefreshStanding, SessionReads};
use vestibule_domain::session::{DeviceTokenHash, RefreshTokenHash, SealedToken, Session};
use vestibule_domain::user::Email;
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl SessionReads for PgStore {
    async fn principal(&self, id: SessionId) -> Result<Option<Principal>, StoreError> {
        let query = session_query!(
            "SELECT",
            "FROM sessions AS s JOIN users AS u ON u.id = s.user_id WHERE s.id = $1 AND s.ended_at IS NULL",
            id.as_uuid(),
        );
        let mut lease = self.pool.lease().await?;
        let row = bounded("principal", query.fetch_optional(lease.connection())).await;
        let Some(row) = lease.settle(row)? else { return Ok(None) };
        let session = session_row!(row).try_into()?;
        Ok(Some(Principal::new(session, user_row!(row).try_into()?)))
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let query = sqlx::query_as!(
            SessionRow,
            "SELECT id AS session_id, user_id, created_at AS opened_at, last_seen_at, authenticated_at, expires_at,
                    idle_expires_at, ip, user_agent, amr
             FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND idle_expires_at > $2
             ORDER BY created_at DESC, id DESC LIMIT $3",
            user.as_uuid(),
            now.as_datetime(),
            i64::from(MAX_SESSIONS),
        );
        let mut lease = self.pool.lease().await?;
        let rows = bounded("sessions", query.fetch_all(lease.connection())).await;
        lease.settle(rows)?.into_iter().map(TryInto::try_into).collect()
    }

    async fn find_refresh(&self, token: &RefreshTokenHash) -> Result<Option<FoundRefresh>, StoreError> {
        let query = session_query!(
            "SELECT",
            r#", s.ended_at IS NOT NULL AS "ended!", s.refresh_hash = $3::bytea AS "is_current!",
               s.refresh_parent_hash IS NOT DISTINCT FROM $3::bytea AS "is_parent!",
               s.refresh_replaced_at AS "refresh_replaced_at?", s.refresh_sealed_child AS "refresh_sealed_child?"
            FROM sessions AS s JOIN users AS u ON u.id = s.user_id
            WHERE s.id = $1 AND s.refresh_family_hash = $2::bytea"#,
            token.session.as_uuid(),
            token.family.as_bytes(),
            token.secret.as_bytes(),
        );
        let mut lease = self.pool.lease().await?;
        let row = bounded("find_refresh", query.fetch_optional(lease.connection())).await;
        let Some(row) = lease.settle(row)? else { return Ok(None) };
        let standing = match (row.is_current, row.is_parent) {
            (true, _) => Some(RefreshStanding::Current),
            (false, true) => row.refresh_replaced_at.map(|at| RefreshStanding::Parent {
                replaced_at: at.into(),
                child: row.refresh_sealed_child.map(SealedToken::from_bytes),
            }),
            (false, false) => Some(RefreshStanding::Spent),
        };
        Ok(Some(FoundRefresh {
            standing: standing.ok_or_else(|| corrupt("sessions", "refresh_replaced_at", row.session_id))?,
            ended: row.ended,
            session: session_row!(row).try_into()?,
            user: user_row!(row).try_into()?,
        }))
    }

    async fn knows_device(&self, user: &Email, device: &DeviceTokenHash, now: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT FROM devices AS d JOIN users AS u ON u.id = d.user_id
                   WHERE d.hash = $1 AND u.email_canonical = $2 AND d.expires_at > $3
               ) AS "known!""#,
            device.as_bytes(),
            user.canonical(),
            now.as_datetime(),
        );
        let mut lease = self.pool.lease().await?;
        let known = bounded("knows_device", query.fetch_one(lease.connection())).await;
        lease.settle(known)
    }
}
