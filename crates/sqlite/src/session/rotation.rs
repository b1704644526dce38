//! Refresh tokens: how they rotate.

use super::{SessionRow, session_row};
use crate::error::bounded;
use crate::open::SqliteStore;
use crate::user::{UserRow, user_row};
use async_trait::async_trait;
use sqlx::SqliteExecutor;
use std::sync::atomic::Ordering;
use uuid::Uuid;
use vestibule_domain::session::Session;
use vestibule_domain::session::store::{Rotation, SessionRotation};
use vestibule_domain::user::User;
use vestibule_domain::{StoreError, UnitOfWork};

#[async_trait]
impl SessionRotation for SqliteStore {
    /// One statement, which begins and commits by itself: a transaction around it would cost more trips to the
    /// writer's thread.
    async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        let turn = self.turn().await?;
        let rotated = bounded("rotate_refresh", rotate(turn.writer(), rotation));
        let rotated = turn.commit(rotated, Option::is_some).await;
        let Some((session, user)) = rotated? else { return Ok(None) };
        Ok(Some((session.try_into()?, user.try_into()?)))
    }

    async fn rotate_refreshes(&self, rotations: &[Rotation]) -> Result<Vec<Option<(Session, User)>>, StoreError> {
        if let [alone] = rotations {
            return Ok(vec![self.rotate_refresh(alone).await?]);
        }
        let mut work = self.begin_work().await?;
        let all = async {
            let mut rotated = Vec::with_capacity(rotations.len());
            for rotation in rotations {
                rotated.push(rotate(work.connection(), rotation).await?);
            }
            Ok(rotated)
        };
        let rotated = bounded("rotate_refreshes", all).await.inspect_err(|_| {
            self.disk.has_failed.store(true, Ordering::Relaxed);
        })?;
        // A commit that writes nothing would tell nothing of the disk.
        if rotated.iter().any(Option::is_some) {
            Box::new(work).commit().await?;
        }
        Ok(rotated.into_iter().map(|rows| rows.and_then(readable)).collect())
    }
}

/// Whoever it concerns comes upon what cannot be read, and nobody else.
fn readable((session, user): (SessionRow, UserRow)) -> Option<(Session, User)> {
    let rotated = session.try_into().and_then(|session| Ok((session, user.try_into()?)));
    rotated.inspect_err(|error: &StoreError| tracing::error!(%error, "a refreshed session cannot be read")).ok()
}

/// A trigger keeps the spent token. `RETURNING` knows no other table but in subqueries.
async fn rotate(
    on: impl SqliteExecutor<'_>,
    rotation: &Rotation,
) -> Result<Option<(SessionRow, UserRow)>, sqlx::Error> {
    let query = sqlx::query!(
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
           RETURNING
              id AS "session_id!: Uuid", created_at AS "opened_at!: i64", last_seen_at AS "last_seen_at!: i64",
              authenticated_at AS "authenticated_at!: i64", expires_at AS "expires_at!: i64",
              idle_expires_at AS "idle_expires_at!: i64", ip AS "ip?: String",
              user_agent AS "user_agent?: String", amr AS "amr!: String", user_id AS "id!: Uuid",
              (SELECT email_canonical FROM users WHERE users.id = sessions.user_id) AS "email_canonical!: String",
              (SELECT email_written FROM users WHERE users.id = sessions.user_id) AS "email_written!: String",
              (SELECT email_verified FROM users WHERE users.id = sessions.user_id) AS "email_verified!: bool",
              (SELECT name FROM users WHERE users.id = sessions.user_id) AS "name!: String",
              (SELECT disabled_at FROM users WHERE users.id = sessions.user_id) AS "disabled_at?: i64",
              (SELECT created_at FROM users WHERE users.id = sessions.user_id) AS "created_at!: i64",
              (SELECT updated_at FROM users WHERE users.id = sessions.user_id) AS "updated_at!: i64",
              (SELECT last_login_at FROM users WHERE users.id = sessions.user_id) AS "last_login_at?: i64",
              (SELECT version FROM users WHERE users.id = sessions.user_id) AS "version!: i64",
              (SELECT epoch FROM users WHERE users.id = sessions.user_id) AS "epoch!: i64",
              (SELECT group_concat(role, ' ') FROM user_roles WHERE user_id = sessions.user_id)
                  AS "roles?: String""#,
        rotation.presented.as_bytes().as_slice(),
        rotation.child.as_bytes().as_slice(),
        rotation.sealed_child.as_bytes(),
        rotation.now.as_millis(),
        rotation.idle_expires_at().as_millis(),
        rotation.most,
    );
    // To its end, beyond the row: outside of a transaction that is where it commits, or fails to.
    Ok(query.fetch_all(on).await?.pop().map(|row| (session_row!(row), user_row!(row))))
}
