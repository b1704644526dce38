//! Refresh tokens: how they rotate.

use super::{session_query, session_row};
use crate::postgres::PgStore;
use crate::postgres::error::bounded;
use crate::postgres::user::user_row;
use async_trait::async_trait;
use vestibule_domain::StoreError;
use vestibule_domain::session::Session;
use vestibule_domain::session::store::{Rotation, SessionRotation};
use vestibule_domain::user::User;

#[async_trait]
impl SessionRotation for PgStore {
    async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        // Whoever waits for the row's lock looks at its conditions again once the winner has committed, and finds
        // another token or an end.
        let query = session_query!(
            "WITH s AS (
                 UPDATE sessions SET
                     refresh_hash = $2, refresh_parent_hash = $1, refresh_replaced_at = $4, refresh_sealed_child = $3,
                     last_seen_at = $4, idle_expires_at = least($5, sessions.expires_at), rotations = rotations + 1
                 FROM users AS owner
                 WHERE sessions.refresh_hash = $1 AND sessions.ended_at IS NULL AND sessions.idle_expires_at > $4
                   AND sessions.rotations < $6
                   AND owner.id = sessions.user_id AND owner.disabled_at IS NULL
                 RETURNING sessions.*
             ), spent AS (
                 INSERT INTO spent_refresh_tokens (hash, session_id, expires_at) SELECT $1, s.id, s.expires_at FROM s
             )",
            "FROM s JOIN users AS u ON u.id = s.user_id",
            rotation.presented.as_bytes(),
            rotation.child.as_bytes(),
            rotation.sealed_child.as_bytes(),
            rotation.now.as_datetime(),
            rotation.idle_expires_at.as_datetime(),
            i64::from(rotation.most),
        );
        let mut lease = self.pool.lease().await?;
        let row = bounded("rotate_refresh", query.fetch_optional(lease.connection())).await;
        let Some(row) = lease.settle(row)? else { return Ok(None) };
        Ok(Some((session_row!(row).try_into()?, user_row!(row).try_into()?)))
    }
}
