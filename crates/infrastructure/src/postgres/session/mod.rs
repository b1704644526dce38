//! Sessions: their rows. How they and their tokens are read, rotated, changed and forgotten has files of its own.

mod opening;
mod reads;
mod rotation;
mod upkeep;
mod writes;

pub(super) use opening::Logins;

use super::error::corrupt;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vestibule_domain::StoreError;
use vestibule_domain::context::UserAgent;
use vestibule_domain::session::{Amr, Session};

/// Named so that no column of a user in the same record has the name of one of these.
#[derive(Debug)]
pub(super) struct SessionRow {
    session_id: Uuid,
    user_id: Uuid,
    opened_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    authenticated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    idle_expires_at: DateTime<Utc>,
    ip: Option<String>,
    user_agent: Option<String>,
    amr: String,
}

/// A statement in two parts, between which stand the columns of a [`SessionRow`] for the session `s` and of a
/// [`UserRow`](super::user::UserRow) for the user `u`. The first part ends with `SELECT` or `RETURNING`, the second may
/// begin with further columns.
macro_rules! session_query {
    ($before:literal, $after:literal $(, $arg:expr)* $(,)?) => {
        $crate::postgres::user::user_query!(
            @[query!]
            []
            [$before
                + r#"
                s.id AS "session_id!", s.user_id AS "user_id!", s.created_at AS "opened_at!",
                s.last_seen_at AS "last_seen_at!", s.authenticated_at AS "authenticated_at!",
                s.expires_at AS "expires_at!", s.idle_expires_at AS "idle_expires_at!", s.ip AS "ip?",
                s.user_agent AS "user_agent?", s.amr AS "amr!",
                "#]
            [$after]
            $($arg),*
        )
    };
}
use session_query;

/// The [`SessionRow`] within a record of [`session_query!`].
macro_rules! session_row {
    ($record:expr) => {
        $crate::postgres::session::SessionRow {
            session_id: $record.session_id,
            user_id: $record.user_id,
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
use session_row;

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let corrupt = |column| corrupt("sessions", column, row.session_id);
        let ip = row.ip.map(|ip| ip.parse().map_err(|_| corrupt("ip"))).transpose()?;
        let user_agent = row.user_agent.map(|name| UserAgent::clean(&name).ok_or_else(|| corrupt("user_agent")));
        let amr: Option<Vec<_>> = row.amr.split_ascii_whitespace().map(Amr::parse).collect();
        Ok(Self {
            id: row.session_id.into(),
            user: row.user_id.into(),
            created_at: row.opened_at.into(),
            last_seen_at: row.last_seen_at.into(),
            authenticated_at: row.authenticated_at.into(),
            expires_at: row.expires_at.into(),
            idle_expires_at: row.idle_expires_at.into(),
            ip,
            user_agent: user_agent.transpose()?,
            amr: amr.ok_or_else(|| corrupt("amr"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> SessionRow {
        SessionRow {
            session_id: Uuid::from_u128(7),
            user_id: Uuid::from_u128(8),
            opened_at: DateTime::UNIX_EPOCH,
            last_seen_at: DateTime::UNIX_EPOCH,
            authenticated_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH,
            idle_expires_at: DateTime::UNIX_EPOCH,
            ip: Some("2001:db8::1".to_owned()),
            user_agent: Some("curl/8".to_owned()),
            amr: "pwd".to_owned(),
        }
    }

    #[test]
    fn a_row_becomes_a_session() {
        let session = Session::try_from(row()).expect("the row is sound");
        assert_eq!(session.amr, [Amr::Password]);
        assert_eq!(session.ip, "2001:db8::1".parse().ok());
    }

    #[test]
    fn a_row_that_fits_no_session_is_named() {
        for (column, row) in [
            ("ip", SessionRow { ip: Some("localhost".to_owned()), ..row() }),
            ("user_agent", SessionRow { user_agent: Some("\n".to_owned()), ..row() }),
            ("amr", SessionRow { amr: "pwd tarot".to_owned(), ..row() }),
        ] {
            let error = Session::try_from(row).expect_err(column).to_string();
            assert_eq!(error, format!("row 00000000-0000-0000-0000-000000000007 of sessions has no valid {column}"));
        }
    }
}
