//! Sessions: their rows. How they and their tokens are read, rotated, changed and forgotten has files of its own.

mod opening;
mod reads;
mod rotation;
mod upkeep;
mod writes;

use crate::error::corrupt;
use uuid::Uuid;
use vestibule_domain::context::UserAgent;
use vestibule_domain::session::{Amr, Session};
use vestibule_domain::{StoreError, Timestamp};

/// Named so that no column of a user in the same record has the name of one of these.
pub(crate) struct SessionRow {
    pub(crate) session_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) opened_at: i64,
    pub(crate) last_seen_at: i64,
    pub(crate) authenticated_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) idle_expires_at: i64,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) amr: String,
}

/// A statement that reads sessions with their users, and what `$more` adds to each; [`session_row!`] and
/// [`user_row!`](crate::user::user_row) take the two out of its records.
macro_rules! session_query {
    ($more:tt, $which:tt $(, $argument:expr)* $(,)?) => {
        crate::user::user_query!(
            r#", s.id AS "session_id!: uuid::Uuid",
                 s.created_at AS "opened_at!",
                 s.last_seen_at AS "last_seen_at!",
                 s.authenticated_at AS "authenticated_at!",
                 s.expires_at AS "expires_at!",
                 s.idle_expires_at AS "idle_expires_at!",
                 s.ip AS "ip?",
                 s.user_agent AS "user_agent?",
                 s.amr AS "amr!""#
            + $more,
            "JOIN sessions AS s ON s.user_id = u.id "
            + $which
            $(, $argument)*
        )
    };
}
pub(crate) use session_query;

/// The [`SessionRow`] within a record of [`session_query!`].
macro_rules! session_row {
    ($record:expr) => {
        crate::session::SessionRow {
            session_id: $record.session_id,
            user_id: $record.id,
            opened_at: $record.opened_at,
            last_seen_at: $record.last_seen_at,
            authenticated_at: $record.authenticated_at,
            expires_at: $record.expires_at,
            idle_expires_at: $record.idle_expires_at,
            ip: $record.ip,
            user_agent: $record.user_agent,
            amr: $record.amr,
        }
    };
}
pub(crate) use session_row;

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let corrupt = |column| corrupt("sessions", column, row.session_id);
        let time = |column, millis| Timestamp::from_millis(millis).ok_or_else(|| corrupt(column));
        let ip = row.ip.map(|ip| ip.parse().map_err(|_| corrupt("ip"))).transpose()?;
        let user_agent = row.user_agent.map(|name| UserAgent::clean(&name).ok_or_else(|| corrupt("user_agent")));
        let amr: Option<Vec<_>> = row.amr.split_ascii_whitespace().map(Amr::parse).collect();
        Ok(Self {
            id: row.session_id.into(),
            user: row.user_id.into(),
            created_at: time("created_at", row.opened_at)?,
            last_seen_at: time("last_seen_at", row.last_seen_at)?,
            authenticated_at: time("authenticated_at", row.authenticated_at)?,
            expires_at: time("expires_at", row.expires_at)?,
            idle_expires_at: time("idle_expires_at", row.idle_expires_at)?,
            ip,
            user_agent: user_agent.transpose()?,
            amr: amr.ok_or_else(|| corrupt("amr"))?,
        })
    }
}
