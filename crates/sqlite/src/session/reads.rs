//! Sessions and devices: how they are read.

use super::{SessionRow, session_query, session_row};
use crate::error::{bounded, corrupt};
use crate::open::SqliteStore;
use crate::user::user_row;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::feed::Principal;
use vestibule_domain::id::{SessionId, UserId};
use vestibule_domain::session::service::MAX_SESSIONS;
use vestibule_domain::session::store::{FoundRefresh, RefreshStanding, SessionReads};
use vestibule_domain::session::{DeviceTokenHash, RefreshTokenHash, SealedToken, Session};
use vestibule_domain::user::Email;
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl SessionReads for SqliteStore {
    async fn principal(&self, id: SessionId) -> Result<Option<Principal>, StoreError> {
        let query = session_query!("", "WHERE s.id = ?1 AND s.ended_at IS NULL", id.as_uuid());
        let found = bounded("principal", query.fetch_optional(self.readers())).await?;
        found
            .map(|row| {
                let session = session_row!(row).try_into()?;
                Ok(Principal::new(session, user_row!(row).try_into()?))
            })
            .transpose()
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let query = sqlx::query_as!(
            SessionRow,
            r#"SELECT id AS "session_id!: Uuid", user_id AS "user_id!: Uuid", created_at AS opened_at, last_seen_at,
                      authenticated_at, expires_at, idle_expires_at, ip, user_agent, amr
               FROM sessions
               WHERE user_id = ?1 AND ended_at IS NULL AND idle_expires_day > ?2 AND idle_expires_at > ?2
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
        let query = session_query!(
            r#", s.ended_at IS NOT NULL AS "ended!: bool",
                 s.refresh_hash = ?3 AS "is_current!: bool",
                 s.refresh_parent_hash IS ?3 AS "is_parent!: bool",
                 s.refresh_replaced_at AS "refresh_replaced_at?",
                 s.refresh_sealed_child AS "refresh_sealed_child?""#,
            "WHERE s.id = ?1 AND s.refresh_family_hash = ?2",
            token.session.as_uuid(),
            token.family.as_bytes().as_slice(),
            token.secret.as_bytes().as_slice(),
        );
        let found = bounded("find_refresh", query.fetch_optional(self.readers())).await?;
        let Some(row) = found else { return Ok(None) };
        let standing = match (row.is_current, row.is_parent) {
            (true, _) => Some(RefreshStanding::Current),
            (false, true) => row.refresh_replaced_at.and_then(Timestamp::from_millis).map(|replaced_at| {
                RefreshStanding::Parent { replaced_at, child: row.refresh_sealed_child.map(SealedToken::from_bytes) }
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
                   SELECT 1 FROM devices AS d JOIN users AS u ON u.id = d.user_id
                   WHERE d.hash = ?1 AND u.email_canonical = ?2 AND d.expires_at > ?3
               ) AS "known!: bool""#,
            device.as_bytes().as_slice(),
            user.canonical(),
            now.as_millis(),
        );
        bounded("knows_device", query.fetch_one(self.readers())).await
    }
}
