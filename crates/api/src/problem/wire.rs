//! The body of every answer that tells of an error.

use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// What went wrong (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Where a page explains this kind of problem.
    #[serde(rename = "type")]
    #[schema(
        pattern = "^https?://[^/]+/problems/[a-z_]+$",
        example = "http://localhost:8080/problems/validation_failed"
    )]
    pub(crate) kind: String,
    /// The kind of problem in a few words; the same each time.
    #[schema(value_type = String, example = "The content is not acceptable")]
    pub(crate) title: &'static str,
    /// The status code of the answer.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub(crate) status: u16,
    /// Stable, and meant to be switched on.
    #[schema(value_type = String, pattern = "^[a-z_]+$", example = "validation_failed")]
    pub(crate) code: &'static str,
    /// The same as `code`, where libraries for OAuth look for it (RFC 6749, section 5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "invalid_client")]
    pub(crate) error: Option<&'static str>,
    /// What is wrong with this request.
    #[schema(value_type = String, example = "1 field is not acceptable.")]
    pub(crate) detail: Cow<'static, str>,
    /// The path of the request; `/` if it could not be read.
    #[schema(pattern = "^[/*]", example = "/users")]
    pub(crate) instance: String,
    /// Finds the request in the log; the same as the header `x-request-id`.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,128}$", example = "0190b5a2-7c3e-7a00-8000-0000000000aa")]
    pub(crate) request_id: String,
    /// One entry for each fault in the content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1, max_items = 100)]
    pub(crate) errors: Vec<FieldError>,
}

/// One fault in the content of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the body, or `/` and the name of a query parameter.
    #[schema(pattern = "^/", example = "/email")]
    pub(crate) pointer: String,
    /// Stable, and meant to be switched on.
    #[schema(value_type = String, pattern = "^[a-z_]+$", example = "invalid_email")]
    pub(crate) code: &'static str,
    /// What would be right.
    #[schema(value_type = String, example = "must be an address like name@example.com")]
    pub(crate) detail: Cow<'static, str>,
}
