//! Users: their rows. How they are read, listed and changed has files of its own.

mod idempotency;
mod list;
mod reads;
mod writes;

use super::error::corrupt;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;
use vestibule_domain::StoreError;
use vestibule_domain::access::RoleName;
use vestibule_domain::user::{Email, Name, Status, User};

#[derive(Debug)]
pub(super) struct UserRow {
    pub(super) id: Uuid,
    pub(super) email_canonical: String,
    pub(super) email_written: String,
    pub(super) email_verified: bool,
    pub(super) name: String,
    pub(super) disabled_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) last_login_at: Option<DateTime<Utc>>,
    pub(super) version: i64,
    pub(super) epoch: i64,
    pub(super) roles: Vec<String>,
}

/// A statement that gives the columns of a [`UserRow`] for the user `u`, between two parts of its text: as the row
/// itself, or as a record with whatever columns the second part adds.
macro_rules! user_query {
    (UserRow: $before:literal, $after:literal $(, $arg:expr)* $(,)?) => {
        $crate::postgres::user::user_query!(
            @[query_as!] [$crate::postgres::user::UserRow,] [$before] [$after] $($arg),*
        )
    };
    ($before:literal, $after:literal $(, $arg:expr)* $(,)?) => {
        $crate::postgres::user::user_query!(@[query!] [] [$before] [$after] $($arg),*)
    };
    (@[$query:ident!] [$($row:tt)*] [$($before:tt)*] [$($after:tt)*] $($arg:expr),*) => {
        sqlx::$query!(
            $($row)*
            $($before)*
                + r#"
                u.id AS "id!", u.email_canonical AS "email_canonical!", u.email_written AS "email_written!",
                u.email_verified AS "email_verified!", u.name AS "name!", u.disabled_at AS "disabled_at?",
                u.created_at AS "created_at!", u.updated_at AS "updated_at!", u.last_login_at AS "last_login_at?",
                u.version AS "version!", u.epoch AS "epoch!",
                ARRAY(SELECT r.role FROM user_roles AS r WHERE r.user_id = u.id) AS "roles!"
                "#
                + $($after)*,
            $($arg),*
        )
    };
}
pub(super) use user_query;

/// The [`UserRow`] within a record of [`user_query!`].
macro_rules! user_row {
    ($record:expr) => {
        $crate::postgres::user::UserRow {
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
pub(super) use user_row;

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let corrupt = |column| corrupt("users", column, row.id);
        let email = Email::from_store(&row.email_written).map_err(|_| corrupt("email_written"))?;
        if email.canonical() != row.email_canonical {
            return Err(corrupt("email_canonical"));
        }
        let name = Name::parse(&row.name).map_err(|_| corrupt("name"))?;
        let roles: Result<BTreeSet<_>, _> = row.roles.iter().map(|role| RoleName::parse(role)).collect();
        Ok(Self {
            id: row.id.into(),
            email,
            email_verified: row.email_verified,
            name,
            status: if row.disabled_at.is_some() { Status::Disabled } else { Status::Active },
            roles: roles.map_err(|_| super::error::corrupt("user_roles", "role", row.id))?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            last_login_at: row.last_login_at.map(Into::into),
            version: row.version,
            epoch: row.epoch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> UserRow {
        UserRow {
            id: Uuid::from_u128(7),
            email_canonical: "alice@example.com".to_owned(),
            email_written: "Alice@example.com".to_owned(),
            email_verified: true,
            name: "Alice".to_owned(),
            disabled_at: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            last_login_at: None,
            version: 1,
            epoch: 1,
            roles: vec!["admin".to_owned()],
        }
    }

    fn fault(row: UserRow) -> String {
        User::try_from(row).expect_err("the row fits no user").to_string()
    }

    #[test]
    fn a_row_becomes_a_user() {
        let user = User::try_from(row()).expect("the row is sound");
        assert_eq!((user.email.canonical(), user.status), ("alice@example.com", Status::Active));
        assert_eq!(user.roles, BTreeSet::from([RoleName::admin()]));
        let disabled = User::try_from(UserRow { disabled_at: Some(DateTime::UNIX_EPOCH), ..row() });
        assert_eq!(disabled.expect("the row is sound").status, Status::Disabled);
    }

    #[test]
    fn a_row_that_fits_no_user_is_named() {
        let id = "00000000-0000-0000-0000-000000000007";
        let other_address = UserRow { email_canonical: "bob@example.com".to_owned(), ..row() };
        assert_eq!(fault(other_address), format!("row {id} of users has no valid email_canonical"));
        let no_address = UserRow { email_written: "alice".to_owned(), ..row() };
        assert_eq!(fault(no_address), format!("row {id} of users has no valid email_written"));
        let no_name = UserRow { name: String::new(), ..row() };
        assert_eq!(fault(no_name), format!("row {id} of users has no valid name"));
        let no_role = UserRow { roles: vec!["A b".to_owned()], ..row() };
        assert_eq!(fault(no_role), format!("row {id} of user_roles has no valid role"));
    }
}
