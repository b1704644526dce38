//! Refresh tokens: how they rotate.

use super::{session_query, session_row};
use crate::error::{bounded, exactly_one};
use crate::open::SqliteStore;
use crate::unit_of_work::SqliteUnitOfWork;
use crate::user::user_row;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::session::store::{Rotation, SessionRotation};
use vestibule_domain::session::{RefreshTokenHash, Session};
use vestibule_domain::user::User;
use vestibule_domain::{StoreError, UnitOfWork};

#[async_trait]
impl SessionRotation for SqliteStore {
    async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        let mut work = self.begin_work().await?;
        let Some(session) = work.replace_token(rotation).await? else {
            return Ok(None);
        };
        let rotated = work.session_with_user(session).await?;
        work.insert_spent(&rotated.0, &rotation.presented).await?;
        Box::new(work).commit().await?;
        Ok(Some(rotated))
    }
}

impl SqliteUnitOfWork {
    /// The decision: one statement, which finds the presented token current at most once.
    async fn replace_token(&mut self, rotation: &Rotation) -> Result<Option<Uuid>, StoreError> {
        let query = sqlx::query_scalar!(
            r#"UPDATE sessions
               SET refresh_hash = ?2,
                   refresh_parent_hash = ?1,
                   refresh_replaced_at = ?4,
                   refresh_sealed_child = ?3,
                   last_seen_at = ?4,
                   idle_expires_at = min(?5, expires_at),
                   rotations = rotations + 1
               WHERE refresh_hash = ?1
                 AND ended_at IS NULL
                 AND idle_expires_at > ?4
                 AND rotations < ?6
                 AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.disabled_at IS NULL)
               RETURNING id AS "id!: Uuid""#,
            rotation.presented.as_bytes().as_slice(),
            rotation.child.as_bytes().as_slice(),
            rotation.sealed_child.as_bytes(),
            rotation.now.as_millis(),
            rotation.idle_expires_at.as_millis(),
            rotation.most,
        );
        bounded("rotate_refresh", query.fetch_optional(self.connection())).await
    }

    async fn insert_spent(&mut self, session: &Session, token: &RefreshTokenHash) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "INSERT INTO spent_refresh_tokens (hash, session_id, expires_at) VALUES (?1, ?2, ?3)",
            token.as_bytes().as_slice(),
            session.id.as_uuid(),
            session.expires_at.as_millis(),
        );
        exactly_one("insert_spent", &bounded("insert_spent", query.execute(self.connection())).await?)
    }

    async fn session_with_user(&mut self, session: Uuid) -> Result<(Session, User), StoreError> {
        let query = session_query!("", "WHERE s.id = ?1", session);
        let row = bounded("rotated_session", query.fetch_one(self.connection())).await?;
        Ok((session_row!(row).try_into()?, user_row!(row).try_into()?))
    }
}
