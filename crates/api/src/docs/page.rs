//! `GET /docs`: the document for people.

use crate::error::ApiError;
use crate::extract::{Nothing, Segments};
use crate::problem::Code;
use axum::response::{Html, IntoResponse};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

const PAGE: &str = include_str!("../../assets/docs/index.html");
const STYLE: &str = include_str!("../../assets/docs/style.css");
const SCRIPT: &str = include_str!("../../assets/docs/script.js");

const CACHING: &str = "public, max-age=300";
/// Nothing from elsewhere, nothing inline, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Read this documentation
///
/// A page that draws the document and asks nobody else for anything.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "Documentation",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
pub(super) async fn docs_page(Nothing: Nothing) -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, CACHING)], Html(PAGE))
}

/// Read a file of the page
#[utoipa::path(
    get,
    path = "/docs/{file}",
    tag = "Documentation",
    params(("file" = String, Path, description = "`style.css` or `script.js`.", example = "style.css")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/css"),
            (String = "text/javascript"),
        )),
        (status = 404, description = "not_found"),
    ),
)]
pub(super) async fn docs_asset(segments: Segments, Nothing: Nothing) -> Result<impl IntoResponse, ApiError> {
    let (media_type, text) = match segments.get("file") {
        Some("style.css") => ("text/css; charset=utf-8", STYLE),
        Some("script.js") => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return Err(ApiError::new(Code::NotFound)),
    };
    Ok(([(CONTENT_TYPE, media_type), (CACHE_CONTROL, CACHING)], text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_of_anyone_else() {
        for text in [PAGE, STYLE, SCRIPT] {
            for elsewhere in ["http:", "https:", "\"//"] {
                assert!(!text.contains(elsewhere), "{elsewhere}");
            }
        }
        assert!(!STYLE.contains("@import") && !STYLE.contains("url("));
    }

    #[test]
    fn the_page_runs_under_its_policy() {
        for inline in ["<style", "style=", "onclick", "onload", "javascript:", "<script>"] {
            assert!(!PAGE.contains(inline), "{inline}");
        }
    }

    /// Texts of the document stay texts.
    #[test]
    fn the_script_makes_no_markup() {
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("] {
            assert!(!SCRIPT.contains(sink), "{sink}");
        }
    }
}
