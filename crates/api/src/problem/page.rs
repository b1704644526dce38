//! `GET /problems/{code}`: where the `type` of a problem leads.

use super::Code;
use crate::error::ApiError;
use crate::extract::{Nothing, Segments};
use axum::response::{Html, IntoResponse, Response};
use http::header;

/// Read about a problem
///
/// Where the `type` of an error leads: what it means and what to do.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    tag = "Documentation",
    params(("code" = String, Path, description = "The `code` of an error.", example = "stale")),
    responses(
        (status = 200, description = "A page for people.", body = String, content_type = "text/html"),
        (status = 404, description = "not_found"),
    ),
)]
pub(super) async fn problem_page(segments: Segments, Nothing: Nothing) -> Result<Response, ApiError> {
    // Everything shown is from the catalogue; nothing of the request gets into the page.
    let code = segments.get("code").and_then(Code::parse).ok_or(ApiError::new(Code::NotFound))?;
    let (name, status, title, explanation) = (code.as_str(), code.status().as_u16(), code.title(), code.explanation());
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{name}</title>\n\
         <h1>{title}</h1>\n<p>{explanation}</p>\n<p>Status {status}, code <code>{name}</code>.</p>\n</html>\n"
    );
    let headers = [
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    Ok((headers, Html(html)).into_response())
}
