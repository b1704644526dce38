//! Refresh tokens: rotation, and what a token is that does not rotate.

use super::{select_sessions, session_row};
use crate::error::bounded;
use crate::open::SqliteStore;
use crate::row::Place;
use crate::unit_of_work::SqliteUnitOfWork;
use crate::user::user_row;
use async_trait::async_trait;
use uuid::Uuid;
use vestibule_domain::session::store::{FoundRefresh, RefreshStanding, Rotation, SessionRotation};
use vestibule_domain::session::{RefreshTokenHash, SealedToken, Session};
use vestibule_domain::user::User;
use vestibule_domain::{StoreError, Timestamp, UnitOfWork};

#[async_trait]
impl SessionRotation for SqliteStore {
    async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        let mut work = self.begin_work().await?;
        let Some(session) = work.replace_token(rotation).await? else {
            return Ok(None);
        };
        work.insert_spent(session, &rotation.presented).await?;
        let rotated = work.session_with_user(session).await?;
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
                   idle_expires_at = min(?5, expires_at)
               WHERE refresh_hash = ?1
                 AND ended_at IS NULL
                 AND idle_expires_at > ?4
                 AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.disabled_at IS NULL)
               RETURNING id AS "id!: Uuid""#,
            rotation.presented.as_bytes().as_slice(),
            rotation.child.as_bytes().as_slice(),
            rotation.sealed_child.as_bytes(),
            rotation.now.as_millis(),
            rotation.idle_expires_at.as_millis(),
        );
        bounded("rotate_refresh", query.fetch_optional(self.connection())).await
    }

    async fn insert_spent(&mut self, session: Uuid, token: &RefreshTokenHash) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "INSERT INTO spent_refresh_tokens (hash, session_id) VALUES (?1, ?2)",
            token.as_bytes().as_slice(),
            session
        );
        bounded("insert_spent", query.execute(self.connection())).await.map(drop)
    }

    async fn session_with_user(&mut self, session: Uuid) -> Result<(Session, User), StoreError> {
        let query = select_sessions!("", "WHERE s.id = ?1", session);
        let row = bounded("rotated_session", query.fetch_one(self.connection())).await?;
        Ok((session_row!(row).try_into()?, user_row!(row).try_into()?))
    }
}

impl SqliteStore {
    pub(super) async fn find_refresh_token(
        &self,
        token: &RefreshTokenHash,
    ) -> Result<Option<FoundRefresh>, StoreError> {
        let query = select_sessions!(
            r#", s.ended_at IS NOT NULL AS "ended!: bool",
                 s.refresh_hash AS "current!",
                 s.refresh_parent_hash AS "parent?",
                 s.refresh_replaced_at AS "replaced_at?",
                 s.refresh_sealed_child AS "child?""#,
            "WHERE s.id = coalesce((SELECT id FROM sessions WHERE refresh_hash = ?1),
                                   (SELECT session_id FROM spent_refresh_tokens WHERE hash = ?1))",
            token.as_bytes().as_slice(),
        );
        let found = bounded("find_refresh", query.fetch_optional(self.readers())).await?;
        found
            .map(|row| {
                let standing = StandingRow {
                    session: row.session_id,
                    current: row.current,
                    parent: row.parent,
                    replaced_at: row.replaced_at,
                    child: row.child,
                };
                Ok(FoundRefresh {
                    standing: standing.of(token)?,
                    ended: row.ended,
                    session: session_row!(row).try_into()?,
                    user: user_row!(row).try_into()?,
                })
            })
            .transpose()
    }
}

struct StandingRow {
    session: Uuid,
    current: Vec<u8>,
    parent: Option<Vec<u8>>,
    replaced_at: Option<i64>,
    child: Option<Vec<u8>>,
}

impl StandingRow {
    fn of(self, token: &RefreshTokenHash) -> Result<RefreshStanding, StoreError> {
        let place = Place::new("sessions", self.session);
        let current = RefreshTokenHash::from_bytes(place.hash("refresh_hash", &self.current)?);
        if current == *token {
            return Ok(RefreshStanding::Current);
        }
        let Some(parent) = self.parent else {
            return Ok(RefreshStanding::Spent);
        };
        if RefreshTokenHash::from_bytes(place.hash("refresh_parent_hash", &parent)?) != *token {
            return Ok(RefreshStanding::Spent);
        }
        let replaced_at = self.replaced_at.and_then(Timestamp::from_millis);
        Ok(RefreshStanding::Parent {
            replaced_at: place.some("refresh_replaced_at", replaced_at)?,
            child: SealedToken::from_bytes(place.some("refresh_sealed_child", self.child)?),
        })
    }
}
