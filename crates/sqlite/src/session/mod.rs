//! Sessions: their rows. How they and their tokens are read, rotated, changed and forgotten has files of its own.

mod reads;
mod rotation;
mod upkeep;
mod writes;

use crate::row::Place;
use uuid::Uuid;
use vestibule_domain::StoreError;
use vestibule_domain::context::UserAgent;
use vestibule_domain::session::{Amr, Session};

pub(crate) struct SessionRow {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) created_at: i64,
    pub(crate) last_seen_at: i64,
    pub(crate) authenticated_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) idle_expires_at: i64,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) amr: String,
}

/// A statement that reads sessions with their users, and what `$more` adds to each; [`session_row`] and
/// [`user_row`] take the two out of its rows.
macro_rules! select_sessions {
    ($more:tt, $which:tt $(, $argument:expr)* $(,)?) => {
        crate::user::select_users!(
            r#", s.id AS "session_id!: uuid::Uuid",
                 s.created_at AS "session_created_at!",
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
pub(crate) use select_sessions;

macro_rules! session_row {
    ($row:ident) => {
        crate::session::SessionRow {
            id: $row.session_id,
            user_id: $row.id,
            created_at: $row.session_created_at,
            last_seen_at: $row.last_seen_at,
            authenticated_at: $row.authenticated_at,
            expires_at: $row.expires_at,
            idle_expires_at: $row.idle_expires_at,
            ip: $row.ip,
            user_agent: $row.user_agent,
            amr: $row.amr,
        }
    };
}
pub(crate) use session_row;

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let place = Place::new("sessions", row.id);
        let ip = row.ip.map(|text| place.some("ip", text.parse().ok())).transpose()?;
        let user_agent = row.user_agent.map(|text| place.some("user_agent", UserAgent::clean(&text))).transpose()?;
        let amr = row.amr.split_whitespace().map(|name| place.some("amr", Amr::parse(name)));
        Ok(Self {
            id: row.id.into(),
            user: row.user_id.into(),
            created_at: place.time("created_at", row.created_at)?,
            last_seen_at: place.time("last_seen_at", row.last_seen_at)?,
            authenticated_at: place.time("authenticated_at", row.authenticated_at)?,
            expires_at: place.time("expires_at", row.expires_at)?,
            idle_expires_at: place.time("idle_expires_at", row.idle_expires_at)?,
            ip,
            user_agent,
            amr: amr.collect::<Result<_, _>>()?,
        })
    }
}
