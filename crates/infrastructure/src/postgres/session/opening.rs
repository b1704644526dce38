//! Logins: all that one leaves behind, and all that others leave that come at the same time, in one statement.

use crate::postgres::PgStore;
use crate::postgres::error::{Failure, bounded};
use crate::postgres::pool::Pool;
use crate::postgres::user::{user_query, user_row};
use std::collections::HashMap;
use std::sync::Arc;
use vestibule_domain::audit::{Actor, AuditKind, AuditRecord};
use vestibule_domain::context::UserAgent;
use vestibule_domain::feed::Change;
use vestibule_domain::id::{AuditEventId, UserId};
use vestibule_domain::session::service::MAX_DEVICES;
use vestibule_domain::session::store::{Opened, Opening};
use vestibule_domain::session::{Amr, DeviceTokenHash, EndReason, RefreshTokenHash, Session};
use vestibule_domain::together::Together;
use vestibule_domain::{StoreError, Timestamp};

pub(in crate::postgres) type Logins = Together<Login, Result<Opened, StoreError>>;

/// An [`Opening`] that waits for others to go with it.
pub(in crate::postgres) struct Login {
    epoch: i64,
    session: Session,
    token: RefreshTokenHash,
    keep: u32,
    device: Option<(DeviceTokenHash, Timestamp)>,
    actor: Actor,
    request_id: Option<String>,
    succeeded: Event,
    displaced: Event,
}

/// What differs between the two of a login.
struct Event {
    id: AuditEventId,
    at: Timestamp,
    kind: AuditKind,
    reason: Option<&'static str>,
}

impl PgStore {
    pub(in crate::postgres) fn logins() -> Logins {
        // Of two of one user the latter sees what the former has done.
        Together::new("logins", |group, one| group.iter().all(|other| other.session.user != one.session.user))
    }

    /// `None` if what was proved counts no more, or may not, or somebody holds rows of the user, or another of the
    /// group was at fault: then nothing was written.
    pub(in crate::postgres) async fn open_together(&self, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
        let pool = Arc::clone(&self.pool);
        let depart = move |logins: Vec<Login>| {
            let pool = Arc::clone(&pool);
            Box::pin(async move { open(&pool, &logins).await }) as _
        };
        self.logins.write(opening.into(), &depart).await?.transpose()
    }
}

/// Each of another user. Rows of users, and of the sessions that make room, are locked before anything is decided about
/// them, and whose is held by somebody else is left out; a device that is held is being forgotten already. The
/// statement sees the store as it was when it began: a row that has changed since then and is locked all the same is
/// none of it, by its version; its roles and its sessions would be those of before. The parts do not see each other:
/// those that make room leave as much of it as if what comes in were there. All that is written is found one by one
/// (`LATERAL`) and then named as `= ANY`: joined, a plan made when tables were small would read all there is by then.
///
/// A login whose user cannot be read has failed by itself.
#[expect(clippy::too_many_lines, reason = "it is one statement")]
async fn open(pool: &Arc<Pool>, logins: &[Login]) -> Result<Vec<Option<Result<Opened, StoreError>>>, StoreError> {
    let Some(any) = logins.first().map(|login| &login.session) else { return Ok(Vec::new()) };
    let (user_changed, session_ended) =
        (Change::UserChanged(any.user), Change::SessionEnded { user: any.user, session: any.id });
    let query = user_query!(
        "WITH held AS (
             SELECT asked.* FROM unnest(
                 $1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                 $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::bigint[],
                 $14::bytea[], $15::timestamptz[], $16::bigint[], $17::text[], $18::uuid[], $19::text[], $20::uuid[],
                 $21::timestamptz[], $22::text[], $23::text[], $24::uuid[], $25::timestamptz[], $26::text[], $27::text[]
             ) AS asked (session_id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at,
                         ip, user_agent, amr, refresh_family_hash, refresh_hash, epoch, device, device_expires_at, keep,
                         actor, actor_id, request_id, succeeded_id, succeeded_at, succeeded_kind, succeeded_reason,
                         displaced_id, displaced_at, displaced_kind, displaced_reason)
             CROSS JOIN LATERAL (
                 SELECT FROM users WHERE id = asked.user_id AND epoch = asked.epoch AND disabled_at IS NULL
                 FOR NO KEY UPDATE SKIP LOCKED
             ) AS found
         ), older AS (
             SELECT live.id, held.user_id FROM held CROSS JOIN LATERAL (
                 SELECT id FROM sessions
                 WHERE user_id = held.user_id AND ended_at IS NULL AND idle_expires_at > held.created_at
                 ORDER BY created_at DESC, id DESC OFFSET held.keep - 1
             ) AS live
         ), free AS (
             SELECT id FROM sessions WHERE id = ANY (ARRAY(SELECT id FROM older)) AND num_nonnulls(ended_at) = 0
             FOR NO KEY UPDATE SKIP LOCKED
         ), recorded AS (
             UPDATE users AS u SET last_login_at = held.created_at, version = u.version + 1
             FROM held
             WHERE u.id = ANY (ARRAY(SELECT user_id FROM held)) AND u.id = held.user_id
               AND u.version = (SELECT seen.version FROM users AS seen WHERE seen.id = held.user_id)
               AND u.id NOT IN (SELECT user_id FROM older WHERE id NOT IN (SELECT id FROM free))
             RETURNING u.*
         ), logged_in AS (
             SELECT held.* FROM held WHERE user_id IN (SELECT id FROM recorded)
         ), opened AS (
             INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at,
                                   idle_expires_at, idle_expires_day, ip, user_agent, amr, refresh_family_hash,
                                   refresh_hash)
             SELECT session_id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at,
                    day_end(idle_expires_at), ip, user_agent, amr, refresh_family_hash, refresh_hash
             FROM logged_in
         ), forgotten AS (
             DELETE FROM devices WHERE hash = ANY (ARRAY(
                 SELECT hash FROM devices WHERE hash = ANY (ARRAY(
                     SELECT known.hash FROM logged_in CROSS JOIN LATERAL (
                         SELECT hash FROM devices WHERE user_id = logged_in.user_id
                         ORDER BY created_at DESC, hash DESC OFFSET $28
                     ) AS known
                     WHERE logged_in.device IS NOT NULL
                 )) FOR UPDATE SKIP LOCKED
             ))
         ), device AS (
             INSERT INTO devices (hash, user_id, created_at, expires_at)
             SELECT device, user_id, created_at, device_expires_at FROM logged_in WHERE device IS NOT NULL
         ), displaced AS (
             UPDATE sessions SET ended_at = logged_in.created_at, end_reason = $29
             FROM logged_in
             WHERE sessions.id = ANY (ARRAY(SELECT id FROM free)) AND sessions.user_id = logged_in.user_id
             RETURNING sessions.id, sessions.user_id, sessions.ended_at
         ), trail AS (
             INSERT INTO audit_events (id, at, kind, actor, actor_id, subject_id, session_id, reason, ip, user_agent,
                                       request_id)
             SELECT succeeded_id, succeeded_at, succeeded_kind, actor, actor_id, user_id, session_id,
                    succeeded_reason, ip, user_agent, request_id
             FROM logged_in
             UNION ALL
             SELECT displaced_id, displaced_at, displaced_kind, actor, actor_id, user_id, session_id,
                    displaced_reason, ip, user_agent, request_id
             FROM logged_in WHERE user_id IN (SELECT user_id FROM displaced)
         ), told AS (
             INSERT INTO changes (kind, user_id, session_id, at)
             SELECT $30, user_id, id, ended_at FROM displaced
             UNION ALL
             SELECT $31, user_id, NULL, created_at FROM logged_in
         )
         SELECT",
        r#", ARRAY(SELECT displaced.id FROM displaced WHERE displaced.user_id = u.id) AS "displaced!" FROM recorded AS u"#,
        &column(logins, |login| login.session.id.as_uuid()),
        &column(logins, |login| login.session.user.as_uuid()),
        &column(logins, |login| login.session.created_at.as_datetime()),
        &column(logins, |login| login.session.last_seen_at.as_datetime()),
        &column(logins, |login| login.session.authenticated_at.as_datetime()),
        &column(logins, |login| login.session.expires_at.as_datetime()),
        &column(logins, |login| login.session.idle_expires_at.as_datetime()),
        &column(logins, |login| login.session.ip.map(|ip| ip.to_string())) as _,
        &column(logins, |login| login.session.user_agent.as_ref().map(UserAgent::as_str)) as _,
        &column(logins, |login| amr(&login.session)),
        &column(logins, |login| login.token.family.as_bytes().as_slice()) as _,
        &column(logins, |login| login.token.secret.as_bytes().as_slice()) as _,
        &column(logins, |login| login.epoch),
        &column(logins, |login| login.device.as_ref().map(|(hash, _)| hash.as_bytes().as_slice())) as _,
        &column(logins, |login| login.device.as_ref().map(|(_, expires_at)| expires_at.as_datetime())) as _,
        &column(logins, |login| i64::from(login.keep)),
        &column(logins, |login| login.actor.as_str()) as _,
        &column(logins, |login| login.actor.user().map(UserId::as_uuid)) as _,
        &column(logins, |login| login.request_id.as_deref()) as _,
        &column(logins, |login| login.succeeded.id.as_uuid()),
        &column(logins, |login| login.succeeded.at.as_datetime()),
        &column(logins, |login| login.succeeded.kind.as_str()) as _,
        &column(logins, |login| login.succeeded.reason) as _,
        &column(logins, |login| login.displaced.id.as_uuid()),
        &column(logins, |login| login.displaced.at.as_datetime()),
        &column(logins, |login| login.displaced.kind.as_str()) as _,
        &column(logins, |login| login.displaced.reason) as _,
        i64::from(MAX_DEVICES) - 1,
        EndReason::Displaced.as_str(),
        session_ended.kind(),
        user_changed.kind(),
    );
    let mut lease = pool.lease().await?;
    let rows = bounded("open_sessions", query.fetch_all(lease.connection())).await;
    let rows = rows.map_err(Failure::of_a_group);
    let mut opened = HashMap::new();
    for row in lease.settle(rows)? {
        let (id, displaced) = (UserId::from(row.id), row.displaced.iter().copied().map(Into::into).collect());
        let user = user_row!(row).try_into();
        opened.insert(id, user.map(|user| Opened { user, displaced }));
    }
    Ok(logins.iter().map(|login| opened.remove(&login.session.user)).collect())
}

fn column<'a, T>(logins: &'a [Login], of: impl Fn(&'a Login) -> T) -> Vec<T> {
    logins.iter().map(of).collect()
}

fn amr(session: &Session) -> String {
    session.amr.iter().copied().map(Amr::as_str).collect::<Vec<_>>().join(" ")
}

impl From<&Opening<'_>> for Login {
    fn from(opening: &Opening<'_>) -> Self {
        let Opening { epoch, session, token, keep, device, succeeded, displaced } = opening;
        Self {
            epoch: *epoch,
            session: (*session).clone(),
            token: token.clone(),
            keep: *keep,
            device: device.clone(),
            actor: succeeded.event.actor,
            request_id: succeeded.event.context.request_id.clone(),
            succeeded: succeeded.into(),
            displaced: displaced.into(),
        }
    }
}

impl From<&AuditRecord<'_>> for Event {
    fn from(AuditRecord { id, at, event }: &AuditRecord<'_>) -> Self {
        Self { id: *id, at: *at, kind: event.kind, reason: event.reason }
    }
}
