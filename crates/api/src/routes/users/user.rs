//! A user, as clients see one.

use crate::openapi;
use crate::text::Text;
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use vestibule_domain::Timestamp;
use vestibule_domain::access::{Caller, RoleName};
use vestibule_domain::id::UserId;
use vestibule_domain::user::{self, Status};

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User<'a> {
    #[schema(value_type = String, format = "uuid", examples("0190b5a2-7c3e-7a00-8000-000000000000"))]
    id: Text<UserId>,
    /// As its owner wrote it.
    #[schema(format = "email-address", max_length = 254, examples("ada@example.com"))]
    email: &'a str,
    /// Whether the user has shown that mail to the address reaches them.
    #[schema(examples(false))]
    email_verified: bool,
    #[schema(schema_with = name_schema)]
    name: &'a str,
    #[schema(schema_with = status_schema)]
    status: &'static str,
    /// Whoever registers has `user`, which carries no permission unless the operator gave it one.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,31}$", examples("support"))]
    roles: Vec<&'a str>,
    #[schema(value_type = String, format = "date-time", examples("2026-11-23T09:30:00.000Z"))]
    created_at: Text<Timestamp>,
    #[schema(value_type = String, format = "date-time", examples("2026-11-23T09:30:00.000Z"))]
    updated_at: Text<Timestamp>,
    /// `null` before the first login.
    #[schema(value_type = Option<String>, required, format = "date-time", examples("2026-11-23T09:30:00.000Z"))]
    last_login_at: Option<Text<Timestamp>>,
}

pub(super) const STATUSES: [(&str, Status); 2] = [("active", Status::Active), ("disabled", Status::Disabled)];

pub(super) fn status_schema() -> Object {
    let description = "A disabled user cannot log in, and all their sessions are over.";
    openapi::one_of(&STATUSES).description(Some(description)).build()
}

pub(super) fn name_schema() -> Object {
    // Spaces and what shows as none; controls of terminals and of the writing direction.
    const EDGE: &str = "[^\\u0000- \\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028-\\u202f\\u205f\\u2066-\\u2069\\u3000]";
    // Neither a space nor ignorable.
    const SEEN: &str = "[^\\u0000- \\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\
                        \\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8]";
    const INNER: &str = "[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]";
    let description = "Kept exactly as written; with a character that can be seen, without line breaks, control \
                       characters, controls of the writing direction, and spaces at either end.";
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(200))
        .pattern(Some(format!("^({EDGE}{INNER}*)?{SEEN}({INNER}*{EDGE})?$")))
        .description(Some(description))
        .examples(["Ada Lovelace"])
        .build()
}

impl<'a> From<&'a user::User> for User<'a> {
    fn from(user: &'a user::User) -> Self {
        Self {
            id: Text(user.id),
            email: user.email.as_written(),
            email_verified: user.email_verified,
            name: user.name.as_str(),
            status: user.status.as_str(),
            roles: user.roles.iter().map(RoleName::as_str).collect(),
            created_at: Text(user.created_at),
            updated_at: Text(user.updated_at),
            last_login_at: user.last_login_at.map(Text),
        }
    }
}

/// One user.
pub(super) fn show(user: &user::User) -> Response {
    answer(user, write(user))
}

/// What [`show`] answers to users who read themselves, written once for as long as they are remembered.
pub(super) fn show_self(caller: &Caller) -> Response {
    answer(&caller.user, caller.shown(|user| write(user).into()).to_owned())
}

fn write(user: &user::User) -> String {
    // Strings, truth values and lists alone: this cannot fail.
    serde_json::to_string(&User::from(user)).unwrap_or_default()
}

/// With the validator that `If-Match` takes back. The version counts every change of what is shown, so the validator is
/// strong (RFC 9110, section 8.8.1).
fn answer(user: &user::User, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    // As many as there are in the end: a table that grows is made anew.
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(etag) = HeaderValue::try_from(["\"", itoa::Buffer::new().format(user.version), "\""].concat()) {
        headers.insert(ETAG, etag);
    }
    *response.headers_mut() = headers;
    response
}
