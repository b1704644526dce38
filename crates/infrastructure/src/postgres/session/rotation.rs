//! Refresh tokens: how they rotate.

use super::{session_query, session_row};
use crate::postgres::PgStore;
use crate::postgres::error::bounded;
use crate::postgres::user::user_row;
use async_trait::async_trait;
use std::collections::HashMap;
use vestibule_domain::session::Session;
use vestibule_domain::session::store::{Rotation, SessionRotation};
use vestibule_domain::user::User;
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl SessionRotation for PgStore {
    async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        // Whoever waits for the row's lock looks at its conditions again once the winner has committed, and finds
        // another token or an end.
        let query = session_query!(
            "UPDATE sessions AS s SET
                 refresh_hash = $4::bytea, refresh_parent_hash = $3::bytea, refresh_replaced_at = $6,
                 refresh_sealed_child = $5, refresh_is_sealed = true, last_seen_at = $6,
                 idle_expires_at = least($7, s.expires_at), idle_expires_day = day_end(least($7, s.expires_at))
             FROM users AS u
             WHERE s.id = $1 AND s.refresh_family_hash = $2::bytea AND s.refresh_hash = $3::bytea
               AND s.ended_at IS NULL AND s.idle_expires_at > $6
               AND u.id = s.user_id AND u.disabled_at IS NULL
             RETURNING",
            "",
            rotation.presented.session.as_uuid(),
            rotation.presented.family.as_bytes(),
            rotation.presented.secret.as_bytes(),
            rotation.child.as_bytes(),
            rotation.sealed_child.as_bytes(),
            rotation.now.as_datetime(),
            rotation.idle_expires_at().as_datetime(),
        );
        let mut lease = self.pool.lease().await?;
        let row = bounded("rotate_refresh", query.fetch_optional(lease.connection())).await;
        let Some(row) = lease.settle(row)? else { return Ok(None) };
        Ok(Some((session_row!(row).try_into()?, user_row!(row).try_into()?)))
    }

    /// The rows are locked before anything is decided about them, and a locked row is looked at as it is then, not as
    /// it was when the statement began. Each is looked up by itself (`LATERAL`), and what was found is named once more as
    /// `= ANY`: joined, a plan made for few sessions would read all there are by then.
    async fn rotate_refreshes(&self, rotations: &[Rotation]) -> Result<Vec<Option<(Session, User)>>, StoreError> {
        if let [alone] = rotations {
            return Ok(vec![self.rotate_refresh(alone).await?]);
        }
        let sessions: Vec<_> = rotations.iter().map(|one| one.presented.session.as_uuid()).collect();
        let column = |of: fn(&Rotation) -> &[u8]| rotations.iter().map(of).collect::<Vec<_>>();
        let time =
            |of: fn(&Rotation) -> Timestamp| rotations.iter().map(|one| of(one).as_datetime()).collect::<Vec<_>>();
        let query = session_query!(
            "WITH held AS (
                 SELECT asked.*
                 FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::timestamptz[],
                             $7::timestamptz[])
                     AS asked (id, family, presented, child, sealed_child, replaced_at, idle_expires_at)
                 CROSS JOIN LATERAL (
                     SELECT FROM sessions JOIN users AS owner ON owner.id = sessions.user_id
                     WHERE sessions.id = asked.id AND sessions.refresh_family_hash = asked.family
                       AND sessions.refresh_hash = asked.presented AND sessions.ended_at IS NULL
                       AND sessions.idle_expires_at > asked.replaced_at AND owner.disabled_at IS NULL
                     FOR NO KEY UPDATE OF sessions SKIP LOCKED
                 ) AS found
             ), s AS (
                 UPDATE sessions SET
                     refresh_hash = held.child, refresh_parent_hash = held.presented,
                     refresh_replaced_at = held.replaced_at, refresh_sealed_child = held.sealed_child,
                     refresh_is_sealed = true, last_seen_at = held.replaced_at,
                     idle_expires_at = least(held.idle_expires_at, sessions.expires_at),
                     idle_expires_day = day_end(least(held.idle_expires_at, sessions.expires_at))
                 FROM held WHERE sessions.id = ANY (ARRAY(SELECT id FROM held)) AND sessions.id = held.id
                 RETURNING sessions.*
             )
             SELECT",
            r#", s.refresh_hash AS "refresh_hash!" FROM s JOIN users AS u ON u.id = s.user_id"#,
            &sessions,
            &column(|one| one.presented.family.as_bytes()) as _,
            &column(|one| one.presented.secret.as_bytes()) as _,
            &column(|one| one.child.as_bytes()) as _,
            &column(|one| one.sealed_child.as_bytes()) as _,
            &time(|one| one.now),
            &time(Rotation::idle_expires_at),
        );
        let mut lease = self.pool.lease().await?;
        let rows = bounded("rotate_refreshes", query.fetch_all(lease.connection())).await;
        let mut rotated = HashMap::new();
        for row in lease.settle(rows)? {
            let child = row.refresh_hash.clone();
            match (session_row!(row).try_into(), user_row!(row).try_into()) {
                (Ok(session), Ok(user)) => drop(rotated.insert(child, (session, user))),
                // Whoever it concerns comes upon it, and nobody else.
                (Err(error), _) | (_, Err(error)) => tracing::error!(%error, "a refreshed session cannot be read"),
            }
        }
        Ok(rotations.iter().map(|one| rotated.remove(one.child.as_bytes().as_slice())).collect())
    }
}
