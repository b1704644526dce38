//! `GET /users`: all users, in pages.

use super::user::{self, User};
use crate::error::ApiError;
use crate::extract::{FreshBearer, Parameters, Query, ReadQuery};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use form_urlencoded::Serializer;
use http::header::LINK;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use vestibule_domain::access::{Authority, RoleName};
use vestibule_domain::fault::Fault;
use vestibule_domain::page::{Cursor, Limit, PageRequest};
use vestibule_domain::user::store::{ListedUser, UserFilter};
use vestibule_domain::user::{Email, Status};

/// All conditions must hold.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// The address, in any spelling.
    #[param(value_type = Option<String>, format = "email-address")]
    email: Option<Email>,
    #[param(schema_with = user::status_schema, required = false)]
    status: Option<Status>,
    /// Has this role.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9_-]{0,31}$")]
    role: Option<RoleName>,
    /// The address or the name begins with this, whatever the case.
    #[param(min_length = 1, max_length = 254, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    q: Option<String>,
    /// How many at most.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<Cursor>,
}

impl ReadQuery for UserQuery {
    fn read(parameters: &mut Parameters<'_>) -> Option<Self> {
        Some(Self {
            email: parameters.optional("email", Email::parse),
            status: parameters.optional_enum("status", &user::STATUSES),
            role: parameters.optional("role", RoleName::parse),
            q: parameters.optional("q", parse_beginning),
            limit: parameters.optional("limit", Limit::parse),
            cursor: parameters.optional("cursor", Cursor::parse),
        })
    }
}

/// As long as an address can be, without what no address or name can have.
fn parse_beginning(text: &str) -> Result<String, Fault> {
    const MAX_CHARS: usize = 254;
    if text.is_empty() {
        Err(Fault::too_short(1))
    } else if text.chars().nth(MAX_CHARS).is_some() {
        Err(Fault::too_long(MAX_CHARS))
    } else if text.contains(char::is_control) {
        Err(Fault::new("invalid_character", "must not contain control characters"))
    } else {
        Ok(text.to_lowercase())
    }
}

impl UserQuery {
    /// The same query for the page after `cursor`.
    fn after(&self, cursor: Cursor) -> String {
        let mut query = Serializer::new(String::new());
        let conditions = [
            ("email", self.email.as_ref().map(Email::as_written)),
            ("status", self.status.map(Status::as_str)),
            ("role", self.role.as_ref().map(RoleName::as_str)),
            ("q", self.q.as_deref()),
        ];
        query.extend_pairs(conditions.into_iter().filter_map(|(name, value)| Some((name, value?))));
        query.extend_pairs(self.limit.map(|limit| ("limit", limit.get().to_string())));
        query.append_pair("cursor", &cursor.encode()).finish()
    }

    fn into_request(self) -> (UserFilter, PageRequest) {
        let Self { email, status, role, q: prefix, limit, cursor: after } = self;
        (UserFilter { email, status, role, prefix }, PageRequest { limit: limit.unwrap_or_default(), after })
    }
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserPage<'a> {
    data: Vec<UserInList<'a>>,
    /// For the next page; `null` on the last one.
    #[schema(required, pattern = "^[A-Za-z0-9_-]+$")]
    next_cursor: Option<String>,
}

/// A user, and how many sessions they have.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserInList<'a> {
    #[serde(flatten)]
    user: User<'a>,
    /// Sessions that have neither ended nor expired.
    active_sessions: u32,
}

impl<'a> From<&'a ListedUser> for UserInList<'a> {
    fn from(listed: &'a ListedUser) -> Self {
        Self { user: User::from(&listed.user), active_sessions: listed.active_sessions }
    }
}

/// List users
///
/// In the order of registration. Needs `users:read`.
#[utoipa::path(
    get,
    path = "/users",
    tag = "Users",
    params(UserQuery),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "A page.", body = UserPage<'_>, headers(
            ("link" = String, description = "The next page, as `<…>; rel=\"next\"`; absent on the last one."),
        )),
        (status = 403, description = "forbidden"),
    ),
)]
pub(super) async fn list_users(
    State(state): State<AppState>,
    FreshBearer(caller): FreshBearer,
    Query(query): Query<UserQuery>,
) -> Result<Response, ApiError> {
    let (filter, request) = query.clone().into_request();
    let page = state.services.users.list(Authority::User(&caller), &filter, request).await?;
    let next = page
        .next
        .map(|cursor| (LINK, format!("<{}/users?{}>; rel=\"next\"", state.http.public_url, query.after(cursor))));
    let data = page.data.iter().map(UserInList::from).collect();
    let body = UserPage { data, next_cursor: page.next.map(Cursor::encode) };
    Ok((AppendHeaders(next), Json(body)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_query;
    use vestibule_domain::id::UserId;

    fn cursor() -> Cursor {
        Cursor::after(UserId::parse("0190b5a2-7c3e-7a00-8000-000000000000").unwrap().as_uuid())
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let query = "limit=0&cursor=x&status=gone&role=A&email=a&q=&page=2";
        let error = read_query::<UserQuery>(query).unwrap_err();
        let expected = [
            ("/email", "invalid_email"),
            ("/status", "invalid_value"),
            ("/role", "invalid_role"),
            ("/q", "too_short"),
            ("/limit", "out_of_range"),
            ("/cursor", "invalid_cursor"),
            ("/page", "unknown_field"),
        ];
        assert_eq!(error.faults(), expected);
    }

    #[test]
    fn the_next_page_is_asked_for_with_the_same_conditions() {
        let query = "q=Ad%C3%A1%26%3C%3E%22+x&email=Ada%2Bx@Example.com&limit=2&status=disabled&role=support";
        let query: UserQuery = read_query(query).unwrap();
        let next: UserQuery = read_query(&query.after(cursor())).unwrap();
        assert_eq!(next.q.as_deref(), Some("adá&<>\" x"));
        assert_eq!(next.email.unwrap().as_written(), "Ada+x@Example.com");
        assert_eq!(next.limit.unwrap().get(), 2);
        assert_eq!(next.status, Some(Status::Disabled));
        assert_eq!(next.role.unwrap().as_str(), "support");
        assert_eq!(next.cursor, Some(cursor()));
    }

    #[test]
    fn a_link_cannot_be_broken_out_of() {
        let query: UserQuery = read_query("q=%3E%3B%20rel%3D%22x%22%2C%3C").unwrap();
        let next = query.after(cursor());
        assert!(!next.contains(['<', '>', '"', ',', ';', ' ']), "{next}");
    }

    #[test]
    fn without_conditions_the_link_has_the_cursor_alone() {
        let query: UserQuery = read_query("").unwrap();
        assert_eq!(query.after(cursor()), format!("cursor={}", cursor().encode()));
    }
}
