//! A user, as clients see one.

use crate::openapi;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use vestibule_domain::access::RoleName;
use vestibule_domain::user::{self, Status};

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User<'a> {
    #[schema(format = "uuid", examples("0190b5a2-7c3e-7a00-8000-000000000000"))]
    id: String,
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
    #[schema(format = "date-time", examples("2026-11-23T09:30:00.000Z"))]
    created_at: String,
    #[schema(format = "date-time", examples("2026-11-23T09:30:00.000Z"))]
    updated_at: String,
    /// `null` before the first login.
    #[schema(required, format = "date-time", examples("2026-11-23T09:30:00.000Z"))]
    last_login_at: Option<String>,
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
            id: user.id.to_string(),
            email: user.email.as_written(),
            email_verified: user.email_verified,
            name: user.name.as_str(),
            status: user.status.as_str(),
            roles: user.roles.iter().map(RoleName::as_str).collect(),
            created_at: user.created_at.to_string(),
            updated_at: user.updated_at.to_string(),
            last_login_at: user.last_login_at.map(|at| at.to_string()),
        }
    }
}

/// One user, with the validator that `If-Match` takes back. The version counts every change of what is shown, so the
/// validator is strong (RFC 9110, section 8.8.1).
pub(super) fn show(user: &user::User) -> Response {
    ([(ETAG, format!("\"{}\"", user.version))], Json(User::from(user))).into_response()
}
