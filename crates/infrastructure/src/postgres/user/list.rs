//! Pages of users, by keyset.

use super::{UserRow, user_query, user_row};
use crate::postgres::PgStore;
use crate::postgres::error::bounded;
use crate::postgres::unit_of_work::PgUnitOfWork;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use uuid::Uuid;
use vestibule_domain::access::RoleName;
use vestibule_domain::page::{Cursor, Page, PageRequest};
use vestibule_domain::user::store::{ListedUser, UserFilter};
use vestibule_domain::user::{Email, Status};
use vestibule_domain::{StoreError, Timestamp, UnitOfWork};

/// One statement for all users and one for those with a role, because each walks another index in the order of the
/// list: as one condition among others the role would cost a look at every user. Planned anew each time: a plan for any
/// bounds, of which most are missing, would read all users.
macro_rules! list_query {
    (from $from:literal, key $key:literal, $bounds:expr $(, $arg:expr)*) => {
        user_query!(
            @[query!] []
            ["SELECT"]
            [r#", (SELECT count(*) FROM sessions AS s
                   WHERE s.user_id = u.id AND s.ended_at IS NULL AND s.idle_expires_at > $1) AS "active_sessions!",
                  (SELECT p.breached_at FROM password_credentials AS p WHERE p.user_id = u.id) AS "breached_at?"
                "#
                + $from
                + " WHERE ($2::uuid IS NULL OR "
                + $key
                + " > $2)
                AND ($3::text IS NULL OR u.email_canonical = $3)
                AND ($4::bool IS NULL OR (u.disabled_at IS NOT NULL) = $4)
                AND ($5::text IS NULL
                     OR (u.email_canonical >= $5 AND u.email_canonical < $6)
                     OR (u.name_folded >= $5 AND u.name_folded < $6))
                ORDER BY "
                + $key
                + " LIMIT $7"]
            $bounds.now,
            $bounds.after,
            $bounds.email,
            $bounds.disabled,
            $bounds.prefix,
            $bounds.prefix_end,
            $bounds.rows
            $(, $arg)*
        )
    };
}

/// What limits the list, as the statements take it.
struct Bounds<'a> {
    now: DateTime<Utc>,
    after: Option<Uuid>,
    email: Option<&'a str>,
    disabled: Option<bool>,
    prefix: Option<&'a str>,
    prefix_end: Option<String>,
    rows: i64,
}

impl<'a> Bounds<'a> {
    fn new(filter: &'a UserFilter, page: PageRequest, now: Timestamp) -> Self {
        Self {
            now: now.as_datetime(),
            after: page.after.map(Cursor::id),
            email: filter.email.as_ref().map(Email::canonical),
            disabled: filter.status.map(|status| status == Status::Disabled),
            prefix: filter.prefix.as_deref(),
            // In bytewise order after everything that begins with the prefix.
            prefix_end: filter.prefix.as_ref().map(|prefix| format!("{prefix}\u{10FFFF}")),
            rows: i64::from(page.limit.get()) + 1,
        }
    }
}

struct ListedRow {
    user: UserRow,
    active_sessions: i64,
    breached_at: Option<DateTime<Utc>>,
}

/// The [`ListedRow`]s of either statement, whose records are of different types.
macro_rules! listed {
    ($query:expr, $connection:expr) => {
        $query
            .map(|row| ListedRow {
                active_sessions: row.active_sessions,
                breached_at: row.breached_at,
                user: user_row!(row),
            })
            .fetch_all($connection)
    };
}

async fn all(connection: &mut PgConnection, bounds: &Bounds<'_>) -> Result<Vec<ListedRow>, sqlx::Error> {
    listed!(list_query!(from "FROM users AS u", key "u.id", bounds), connection).await
}

async fn with_role(
    connection: &mut PgConnection,
    bounds: &Bounds<'_>,
    role: &RoleName,
) -> Result<Vec<ListedRow>, sqlx::Error> {
    let query = list_query!(
        from "FROM user_roles AS r JOIN users AS u ON u.id = r.user_id AND r.role = $8",
        key "r.user_id",
        bounds,
        role.as_str()
    );
    listed!(query, connection).await
}

impl TryFrom<ListedRow> for ListedUser {
    type Error = StoreError;

    fn try_from(row: ListedRow) -> Result<Self, StoreError> {
        let active_sessions = u32::try_from(row.active_sessions).unwrap_or(u32::MAX);
        let password_breached_at = row.breached_at.map(Into::into);
        Ok(Self { user: row.user.try_into()?, active_sessions, password_breached_at })
    }
}

pub(super) async fn users(
    store: &PgStore,
    filter: &UserFilter,
    page: PageRequest,
    now: Timestamp,
) -> Result<Page<ListedUser>, StoreError> {
    let bounds = Bounds::new(filter, page, now);
    let mut work = PgUnitOfWork::begin_planning_anew(&store.pool).await?;
    let rows = match &filter.role {
        None => bounded("users", all(work.connection()?, &bounds)).await,
        Some(role) => bounded("users_with_role", with_role(work.connection()?, &bounds, role)).await,
    };
    let rows = work.settle(rows)?;
    Box::new(work).commit().await?;
    let listed: Result<Vec<_>, _> = rows.into_iter().map(ListedUser::try_from).collect();
    Ok(Page::from_rows(listed?, page.limit, |listed| listed.user.id.as_uuid()))
}
