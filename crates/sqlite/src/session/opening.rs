//! Logins: all that one leaves behind, in one statement.

use crate::error::corrupt;
use crate::json;
use crate::open::SqliteStore;
use crate::user::user_row;
use uuid::Uuid;
use vestibule_domain::StoreError;
use vestibule_domain::context::UserAgent;
use vestibule_domain::feed::Change;
use vestibule_domain::id::UserId;
use vestibule_domain::session::service::MAX_DEVICES;
use vestibule_domain::session::store::{Opened, Opening};
use vestibule_domain::session::{Amr, EndReason};

impl SqliteStore {
    /// `None` if what was proved counts no more: then nothing was written.
    ///
    /// A transaction would cost ten trips to the writer's thread. The trigger of `logins` writes to all the tables; what it
    /// is given of the store was read under the same lock.
    pub(crate) async fn open_at_once(&self, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
        let Opening { epoch, session, token, keep, device, succeeded, displaced } = opening;
        let amr: Vec<_> = session.amr.iter().copied().map(Amr::as_str).collect();
        let user_changed = Change::UserChanged(session.user);
        let session_ended = Change::SessionEnded { user: session.user, session: session.id };
        // By the day the index passes over what has expired, and tells without the row what does not expire within one.
        // `+` makes an expression of each: of a bare column SQLx asks for its table's definition, and a view has none.
        let query = sqlx::query!(
            r#"INSERT INTO logins (
                   id, email_canonical, email_written, email_verified, name, disabled_at, created_at, updated_at,
                   last_login_at, version, epoch, roles,
                   session_id, last_seen_at, authenticated_at, expires_at, idle_expires_at, ip, user_agent, amr,
                   refresh_family_hash, refresh_hash,
                   device_hash, device_expires_at, most_devices,
                   succeeded_id, succeeded_at, succeeded_kind, actor, actor_id, reason, request_id,
                   displaced, end_reason, displaced_id, displaced_at, displaced_kind, displaced_reason,
                   user_changed, session_ended
               )
               SELECT
                   u.id, u.email_canonical, u.email_written, u.email_verified, u.name, u.disabled_at, u.created_at,
                   u.updated_at, ?3, u.version + 1, u.epoch,
                   (SELECT group_concat(role, ' ') FROM user_roles WHERE user_id = u.id),
                   ?2, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                   ?11, ?12,
                   ?14, ?15, ?16,
                   ?19, ?20, ?21, ?22, ?23, ?24, ?25,
                   (SELECT json_group_array(hex(id) ORDER BY id)
                    FROM (SELECT id FROM sessions
                          WHERE user_id = ?1 AND ended_at IS NULL
                            AND idle_expires_day > ?3
                            AND (idle_expires_day > ?3 + 86400000 OR idle_expires_at > ?3)
                          ORDER BY created_at DESC, id DESC
                          LIMIT -1 OFFSET ?17)),
                   ?18, ?26, ?27, ?28, ?29,
                   ?30, ?31
               FROM users AS u
               WHERE u.id = ?1 AND u.epoch = ?13 AND u.disabled_at IS NULL
               RETURNING
                   +id AS "id!: Uuid", +email_canonical AS "email_canonical!: String",
                   +email_written AS "email_written!: String", +email_verified AS "email_verified!: bool",
                   +name AS "name!: String", +disabled_at AS "disabled_at?: i64", +created_at AS "created_at!: i64",
                   +updated_at AS "updated_at!: i64", +last_login_at AS "last_login_at?: i64",
                   +version AS "version!: i64", +epoch AS "epoch!: i64", +roles AS "roles?: String",
                   +displaced AS "displaced!: String""#,
            session.user.as_uuid(),
            session.id.as_uuid(),
            session.created_at.as_millis(),
            session.last_seen_at.as_millis(),
            session.authenticated_at.as_millis(),
            session.expires_at.as_millis(),
            session.idle_expires_at.as_millis(),
            session.ip.map(|ip| ip.to_string()),
            session.user_agent.as_ref().map(UserAgent::as_str),
            amr.join(" "),
            token.family.as_bytes().as_slice(),
            token.secret.as_bytes().as_slice(),
            epoch,
            device.as_ref().map(|(hash, _)| hash.as_bytes().as_slice()),
            device.as_ref().map(|(_, expires_at)| expires_at.as_millis()),
            MAX_DEVICES,
            keep.saturating_sub(1),
            EndReason::Displaced.as_str(),
            succeeded.id.as_uuid(),
            succeeded.at.as_millis(),
            succeeded.event.kind.as_str(),
            succeeded.event.actor.as_str(),
            succeeded.event.actor.user().map(UserId::as_uuid),
            succeeded.event.reason,
            succeeded.event.context.request_id.as_deref(),
            displaced.id.as_uuid(),
            displaced.at.as_millis(),
            displaced.event.kind.as_str(),
            displaced.event.reason,
            user_changed.kind(),
            session_ended.kind(),
        );
        let Some(row) = self.fetch_all("open_session", query).await?.pop() else { return Ok(None) };
        let made_room = json::ids(&row.displaced).ok_or_else(|| corrupt("sessions", "id", &row.displaced))?;
        Ok(Some(Opened { user: user_row!(row).try_into()?, displaced: made_room }))
    }
}
