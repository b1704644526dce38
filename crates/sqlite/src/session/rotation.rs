//! Refresh tokens: how they rotate.

use super::{SessionRow, session_row};
use crate::json;
use crate::open::SqliteStore;
use crate::user::{UserRow, user_row};
use async_trait::async_trait;
use std::collections::HashMap;
use std::slice;
use uuid::Uuid;
use vestibule_domain::session::Session;
use vestibule_domain::session::store::{Rotation, SessionRotation};
use vestibule_domain::user::User;
use vestibule_domain::{StoreError, Timestamp};

#[async_trait]
impl SessionRotation for SqliteStore {
    async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<(Session, User)>, StoreError> {
        let rotated = self.rotate(slice::from_ref(rotation)).await?.pop();
        rotated.map(|Rotated { session, user, .. }| Ok((session.try_into()?, user.try_into()?))).transpose()
    }

    async fn rotate_refreshes(&self, rotations: &[Rotation]) -> Result<Vec<Option<(Session, User)>>, StoreError> {
        let rotated = self.rotate(rotations).await?.into_iter().map(|one| (one.child, (one.session, one.user)));
        let mut rotated: HashMap<_, _> = rotated.collect();
        let mut of = |one: &Rotation| rotated.remove(one.child.as_bytes().as_slice()).and_then(readable);
        Ok(rotations.iter().map(&mut of).collect())
    }
}

/// Whoever it concerns comes upon what cannot be read, and nobody else.
fn readable((session, user): (SessionRow, UserRow)) -> Option<(Session, User)> {
    let rotated = session.try_into().and_then(|session| Ok((session, user.try_into()?)));
    rotated.inspect_err(|error: &StoreError| tracing::error!(%error, "a refreshed session cannot be read")).ok()
}

struct Rotated {
    child: Vec<u8>,
    session: SessionRow,
    user: UserRow,
}

impl SqliteStore {
    /// All in one statement: one for each of them would cost more trips to the writer's thread. `RETURNING` knows no
    /// other table but in subqueries.
    async fn rotate(&self, rotations: &[Rotation]) -> Result<Vec<Rotated>, StoreError> {
        let asked = rotations.iter().map(|one| {
            let session = json::hex(one.presented.session.as_uuid().as_bytes());
            let family = json::hex(one.presented.family.as_bytes());
            let [presented, child] = [&one.presented.secret, &one.child].map(|secret| json::hex(secret.as_bytes()));
            let [now, idle_expires_at] = [one.now, one.idle_expires_at()].map(Timestamp::as_millis);
            let sealed_child = json::hex(one.sealed_child.as_bytes());
            format!("[{session},{family},{presented},{child},{sealed_child},{now},{idle_expires_at}]")
        });
        let query = sqlx::query!(
            r#"UPDATE sessions
               SET refresh_hash = asked.child,
                   refresh_parent_hash = asked.presented,
                   refresh_replaced_at = asked.now,
                   refresh_sealed_child = asked.sealed_child,
                   last_seen_at = asked.now,
                   idle_expires_at = min(asked.idle_expires_at, sessions.expires_at)
               FROM (SELECT unhex(value ->> 0) AS id, unhex(value ->> 1) AS family, unhex(value ->> 2) AS presented,
                            unhex(value ->> 3) AS child, unhex(value ->> 4) AS sealed_child, value ->> 5 AS now,
                            value ->> 6 AS idle_expires_at
                     FROM json_each(?1)) AS asked
               WHERE sessions.id = asked.id
                 AND refresh_family_hash = asked.family
                 AND refresh_hash = asked.presented
                 AND ended_at IS NULL
                 AND sessions.idle_expires_at > asked.now
                 AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.disabled_at IS NULL)
               RETURNING
                  refresh_hash AS "child!: Vec<u8>",
                  sessions.id AS "session_id!: Uuid", created_at AS "opened_at!: i64", last_seen_at AS "last_seen_at!: i64",
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
            json::array(asked),
        );
        let rows = self.fetch_all("rotate_refreshes", query).await?;
        let rows = rows.into_iter();
        Ok(rows.map(|row| Rotated { session: session_row!(row), user: user_row!(row), child: row.child }).collect())
    }
}
