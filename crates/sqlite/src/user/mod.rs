//! Users: their rows. How they are read, listed and changed has files of its own.

mod idempotency;
mod list;
mod reads;
mod writes;

use crate::error::{bounded, corrupt};
use std::collections::BTreeSet;
use uuid::Uuid;
use vestibule_domain::access::RoleName;
use vestibule_domain::id::UserId;
use vestibule_domain::user::{Email, Name, Status, User};
use vestibule_domain::{StoreError, Timestamp};

pub(crate) struct UserRow {
    pub(crate) id: Uuid,
    pub(crate) email_canonical: String,
    pub(crate) email_written: String,
    pub(crate) email_verified: bool,
    pub(crate) name: String,
    pub(crate) disabled_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) last_login_at: Option<i64>,
    pub(crate) version: i64,
    pub(crate) epoch: i64,
    pub(crate) roles: Option<String>,
}

/// A statement that reads users, and what `$more` adds to each. The SQL stays one literal, which is checked whole;
/// [`user_row!`] takes the user out of its records.
macro_rules! user_query {
    ($more:tt $(+ $and_more:tt)*, $which:tt $(+ $further:tt)* $(, $argument:expr)* $(,)?) => {
        sqlx::query!(
            r#"SELECT u.id AS "id!: uuid::Uuid",
                      u.email_canonical AS "email_canonical!",
                      u.email_written AS "email_written!",
                      u.email_verified AS "email_verified!: bool",
                      u.name AS "name!",
                      u.disabled_at AS "disabled_at?",
                      u.created_at AS "created_at!",
                      u.updated_at AS "updated_at!",
                      u.last_login_at AS "last_login_at?",
                      u.version AS "version!",
                      u.epoch AS "epoch!",
                      (SELECT group_concat(role, ' ') FROM user_roles WHERE user_id = u.id) AS "roles?: String""#
            + $more
            $(+ $and_more)*
            + " FROM users AS u "
            + $which
            $(+ $further)*
            $(, $argument)*
        )
    };
}
pub(crate) use user_query;

/// The [`UserRow`] within a record of [`user_query!`].
macro_rules! user_row {
    ($record:expr) => {
        crate::user::UserRow {
            id: $record.id,
            email_canonical: $record.email_canonical,
            email_written: $record.email_written,
            email_verified: $record.email_verified,
            name: $record.name,
            disabled_at: $record.disabled_at,
            created_at: $record.created_at,
            updated_at: $record.updated_at,
            last_login_at: $record.last_login_at,
            version: $record.version,
            epoch: $record.epoch,
            roles: $record.roles,
        }
    };
}
pub(crate) use user_row;

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let corrupt = |column| corrupt("users", column, row.id);
        let time = |column, millis| Timestamp::from_millis(millis).ok_or_else(|| corrupt(column));
        let email = Email::from_store(&row.email_written).map_err(|_| corrupt("email_written"))?;
        if email.canonical() != row.email_canonical {
            return Err(corrupt("email_canonical"));
        }
        let name = Name::parse(&row.name).map_err(|_| corrupt("name"))?;
        let roles = row.roles.iter().flat_map(|names| names.split_ascii_whitespace()).map(RoleName::parse);
        let roles: Result<BTreeSet<_>, _> = roles.collect();
        Ok(Self {
            id: row.id.into(),
            email,
            email_verified: row.email_verified,
            name,
            status: if row.disabled_at.is_some() { Status::Disabled } else { Status::Active },
            roles: roles.map_err(|_| crate::error::corrupt("user_roles", "role", row.id))?,
            created_at: time("created_at", row.created_at)?,
            updated_at: time("updated_at", row.updated_at)?,
            last_login_at: row.last_login_at.map(|at| time("last_login_at", at)).transpose()?,
            version: row.version,
            epoch: row.epoch,
        })
    }
}

/// Within a transaction or outside of one.
pub(crate) async fn find<'e>(executor: impl sqlx::SqliteExecutor<'e>, id: UserId) -> Result<Option<User>, StoreError> {
    let query = user_query!("", "WHERE u.id = ?1", id.as_uuid());
    let found = bounded("user", query.fetch_optional(executor)).await?;
    found.map(|row| user_row!(row).try_into()).transpose()
}
