//! Pages of users. SQLite makes one plan for a statement whatever its parameters are, and no plan is good for all
//! filters: the condition that fewest users meet decides which statement is run.

use super::{UserRow, user_query, user_row};
use crate::error::{bounded, corrupt};
use crate::open::SqliteStore;
use vestibule_domain::access::RoleName;
use vestibule_domain::page::{Page, PageRequest};
use vestibule_domain::user::store::{ListedUser, UserFilter};
use vestibule_domain::user::{Email, Status};
use vestibule_domain::{StoreError, Timestamp};

/// The parameters that all the statements have.
struct Request<'a> {
    now: i64,
    /// Empty on the first page: before every id.
    after: Vec<u8>,
    /// One more than the page has.
    limit: i64,
    email: Option<&'a str>,
    /// The range of texts that begin with the prefix.
    first: Option<&'a str>,
    end: Option<String>,
    role: Option<&'a str>,
    disabled: Option<bool>,
}

impl<'a> Request<'a> {
    fn new(filter: &'a UserFilter, page: PageRequest, now: Timestamp) -> Self {
        let first = filter.prefix.as_deref();
        Self {
            now: now.as_millis(),
            after: page.after.map(|cursor| cursor.id().as_bytes().to_vec()).unwrap_or_default(),
            limit: i64::from(page.limit.get()) + 1,
            email: filter.email.as_ref().map(Email::canonical),
            first,
            end: first.map(|prefix| format!("{prefix}\u{10FFFF}")),
            role: filter.role.as_ref().map(RoleName::as_str),
            disabled: filter.status.map(|status| status == Status::Disabled),
        }
    }
}

/// All conditions, and `$narrowed`, which says again what one of them says, so that it leads to an index. By the day the
/// index of sessions passes over what has expired, and tells without the row what does not expire within one.
macro_rules! page {
    ($store:ident, $request:ident, $narrowed:tt) => {{
        let query = user_query!(
            r#", (SELECT count(*) FROM sessions AS s
                  WHERE s.user_id = u.id AND s.ended_at IS NULL
                    AND s.idle_expires_day > ?1
                    AND (s.idle_expires_day > ?1 + 86400000 OR s.idle_expires_at > ?1)) AS "active_sessions!: u32",
                 (SELECT breached_at FROM password_credentials WHERE user_id = u.id) AS "breached_at?: i64""#,
            "WHERE u.id > ?2
               AND (?4 IS NULL OR u.email_canonical = ?4)
               AND (?5 IS NULL OR (u.email_canonical >= ?5 AND u.email_canonical < ?6)
                               OR (u.name_folded >= ?5 AND u.name_folded < ?6))
               AND (?7 IS NULL OR EXISTS (SELECT 1 FROM user_roles WHERE user_id = u.id AND role = ?7))
               AND (?8 IS NULL OR ?8 = (u.disabled_at IS NOT NULL)) "
                + $narrowed
                + " ORDER BY u.id LIMIT ?3",
            $request.now,
            $request.after,
            $request.limit,
            $request.email,
            $request.first,
            $request.end,
            $request.role,
            $request.disabled,
        );
        let rows = bounded("users", query.fetch_all($store.readers())).await?;
        let listed = |active_sessions, breached_at: Option<i64>, row: UserRow| {
            let corrupt = || corrupt("password_credentials", "breached_at", row.id);
            let time = |millis| Timestamp::from_millis(millis).ok_or_else(corrupt);
            let password_breached_at = breached_at.map(time).transpose()?;
            Ok(ListedUser { active_sessions, password_breached_at, user: row.try_into()? })
        };
        rows.into_iter().map(|row| listed(row.active_sessions, row.breached_at, user_row!(row))).collect()
    }};
}

impl SqliteStore {
    pub(super) async fn list_users(
        &self,
        filter: &UserFilter,
        page: PageRequest,
        now: Timestamp,
    ) -> Result<Page<ListedUser>, StoreError> {
        let request = Request::new(filter, page, now);
        let rows: Result<Vec<_>, StoreError> = if request.email.is_some() {
            page!(self, request, "AND u.email_canonical = ?4")
        } else if request.first.is_some() {
            page!(
                self,
                request,
                "AND u.id IN (SELECT id FROM users WHERE email_canonical >= ?5 AND email_canonical < ?6
                              UNION SELECT id FROM users WHERE name_folded >= ?5 AND name_folded < ?6)"
            )
        } else if request.role.is_some() {
            page!(self, request, "AND u.id IN (SELECT user_id FROM user_roles WHERE role = ?7)")
        } else if request.disabled == Some(true) {
            page!(self, request, "AND u.disabled_at IS NOT NULL")
        } else {
            page!(self, request, "")
        };
        Ok(Page::from_rows(rows?, page.limit, |listed| listed.user.id.as_uuid()))
    }
}
