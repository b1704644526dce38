//! Users: their rows. How they are read, listed and changed has files of its own.

mod list;
mod reads;
mod writes;

use crate::error::bounded;
use crate::row::Place;
use std::collections::BTreeSet;
use uuid::Uuid;
use vestibule_domain::StoreError;
use vestibule_domain::access::RoleName;
use vestibule_domain::id::UserId;
use vestibule_domain::user::{Email, Name, Status, User};

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
/// [`user_row`] takes the user out of its rows.
macro_rules! select_users {
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
pub(crate) use select_users;

macro_rules! user_row {
    ($row:ident) => {
        crate::user::UserRow {
            id: $row.id,
            email_canonical: $row.email_canonical,
            email_written: $row.email_written,
            email_verified: $row.email_verified,
            name: $row.name,
            disabled_at: $row.disabled_at,
            created_at: $row.created_at,
            updated_at: $row.updated_at,
            last_login_at: $row.last_login_at,
            version: $row.version,
            epoch: $row.epoch,
            roles: $row.roles,
        }
    };
}
pub(crate) use user_row;

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let place = Place::new("users", row.id);
        let email = place.some("email_written", Email::parse(&row.email_written).ok())?;
        if email.canonical() != row.email_canonical {
            return Err(place.corrupt("email_canonical"));
        }
        Ok(Self {
            id: row.id.into(),
            email,
            email_verified: row.email_verified,
            name: place.some("name", Name::parse(&row.name).ok())?,
            status: if row.disabled_at.is_none() { Status::Active } else { Status::Disabled },
            roles: roles(row.id, row.roles.as_deref())?,
            created_at: place.time("created_at", row.created_at)?,
            updated_at: place.time("updated_at", row.updated_at)?,
            last_login_at: place.optional_time("last_login_at", row.last_login_at)?,
            version: row.version,
            epoch: row.epoch,
        })
    }
}

fn roles(user: Uuid, names: Option<&str>) -> Result<BTreeSet<RoleName>, StoreError> {
    let place = Place::new("user_roles", user);
    let names = names.unwrap_or_default().split_whitespace();
    names.map(|name| place.some("role", RoleName::parse(name).ok())).collect()
}

/// Within a transaction or outside of one.
pub(crate) async fn find<'e>(executor: impl sqlx::SqliteExecutor<'e>, id: UserId) -> Result<Option<User>, StoreError> {
    let query = select_users!("", "WHERE u.id = ?1", id.as_uuid());
    let found = bounded("user", query.fetch_optional(executor)).await?;
    found.map(|row| user_row!(row).try_into()).transpose()
}
