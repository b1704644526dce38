//! Logins: all that one leaves behind, in one statement.

use crate::postgres::PgStore;
use crate::postgres::error::bounded;
use crate::postgres::user::{user_query, user_row};
use vestibule_domain::StoreError;
use vestibule_domain::context::UserAgent;
use vestibule_domain::feed::Change;
use vestibule_domain::id::UserId;
use vestibule_domain::session::service::MAX_DEVICES;
use vestibule_domain::session::store::{Opened, Opening};
use vestibule_domain::session::{Amr, EndReason};

impl PgStore {
    /// `None` if what was proved counts no more, or may not: then nothing was written.
    ///
    /// The whole statement sees the store as it was when it began, and an update that had to wait goes on with a row
    /// that has changed since. That row is none of this statement's, by its version: its roles and its sessions would be
    /// those of before. The parts do not see each other: those that make room leave as much of it as if what comes in
    /// were there. What has to go is told by where it begins, not by its ids, so that even a plan from when the tables
    /// were small reads no more than the user's own.
    pub(in crate::postgres) async fn open_at_once(&self, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
        let Opening { epoch, session, token, keep, device, succeeded, displaced } = opening;
        let amr: Vec<_> = session.amr.iter().copied().map(Amr::as_str).collect();
        let user_changed = Change::UserChanged(session.user);
        let session_ended = Change::SessionEnded { user: session.user, session: session.id };
        let query = user_query!(
            "WITH recorded AS (
                 UPDATE users AS u SET last_login_at = $3, version = u.version + 1
                 WHERE u.id = $2 AND u.epoch = $12 AND u.disabled_at IS NULL
                   AND u.version = (SELECT version FROM users WHERE id = $2)
                 RETURNING u.*
             ), opened AS (
                 INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at,
                                       idle_expires_at, ip, user_agent, amr, refresh_hash)
                 SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM recorded
             ), forgotten AS (
                 DELETE FROM devices
                 WHERE $13::bytea IS NOT NULL AND user_id = (SELECT id FROM recorded) AND (created_at, hash) <= (
                     SELECT created_at, hash FROM devices WHERE user_id = $2
                     ORDER BY created_at DESC, hash DESC OFFSET $15 LIMIT 1
                 )
             ), device AS (
                 INSERT INTO devices (hash, user_id, created_at, expires_at)
                 SELECT $13, id, $3, $14 FROM recorded WHERE $13::bytea IS NOT NULL
             ), displaced AS (
                 UPDATE sessions SET ended_at = $3, end_reason = $17
                 WHERE user_id = (SELECT id FROM recorded) AND ended_at IS NULL AND idle_expires_at > $3
                   AND (created_at, id) <= (
                     SELECT created_at, id FROM sessions
                     WHERE user_id = $2 AND ended_at IS NULL AND idle_expires_at > $3
                     ORDER BY created_at DESC, id DESC OFFSET $16 LIMIT 1
                 )
                 RETURNING id
             ), trail AS (
                 INSERT INTO audit_events (id, at, kind, actor, actor_id, subject_id, session_id, reason, ip,
                                           user_agent, request_id)
                 SELECT $18::uuid, $19::timestamptz, $20, $21, $22::uuid, id, $1, $23, $8, $9, $24 FROM recorded
                 UNION ALL
                 SELECT $25, $26, $27, $21, $22, id, $1, $28, $8, $9, $24 FROM recorded
                 WHERE EXISTS (SELECT FROM displaced)
             ), told AS (
                 INSERT INTO changes (kind, user_id, session_id, at)
                 SELECT $29, $2, id, $3 FROM displaced
                 UNION ALL
                 SELECT $30, id, NULL, $3 FROM recorded
             )
             SELECT",
            r#", ARRAY(SELECT id FROM displaced) AS "displaced!" FROM recorded AS u"#,
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
            token.as_bytes(),
            epoch,
            device.as_ref().map(|(hash, _)| hash.as_bytes().as_slice()),
            device.as_ref().map(|(_, expires_at)| expires_at.as_datetime()),
            i64::from(MAX_DEVICES) - 1,
            i64::from(keep.saturating_sub(1)),
            EndReason::Displaced.as_str(),
            succeeded.id.as_uuid(),
            succeeded.at.as_datetime(),
            succeeded.event.kind.as_str(),
            succeeded.event.actor.as_str(),
            succeeded.event.actor.user().map(UserId::as_uuid),
            succeeded.event.reason,
            succeeded.event.context.request_id,
            displaced.id.as_uuid(),
            displaced.at.as_datetime(),
            displaced.event.kind.as_str(),
            displaced.event.reason,
            session_ended.kind(),
            user_changed.kind(),
        );
        let mut lease = self.pool.lease().await?;
        let row = bounded("open_session", query.fetch_optional(lease.connection())).await;
        let Some(row) = lease.settle(row)? else { return Ok(None) };
        let made_room = row.displaced.iter().copied().map(Into::into).collect();
        Ok(Some(Opened { user: user_row!(row).try_into()?, displaced: made_room }))
    }
}
