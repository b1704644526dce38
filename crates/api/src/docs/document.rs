//! `GET /openapi.json`: the document for machines.

use crate::extract::Nothing;
use crate::state::AppState;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

/// As it is committed: its server is wherever it is read from.
pub const DOCUMENT: &str = include_str!("../../openapi.json");
/// How it names that server.
const SERVER: &str = r#""url": "/""#;

/// The document as it is sent, from the first time that somebody asks for it.
#[derive(Debug, Default)]
pub(crate) struct Document(OnceLock<Written>);

#[derive(Debug)]
struct Written {
    body: Bytes,
    etag: String,
}

impl Document {
    /// `public_url` is where clients reach the service.
    fn written(&self, public_url: &str) -> &Written {
        self.0.get_or_init(|| Written::new(public_url))
    }
}

impl Written {
    fn new(public_url: &str) -> Self {
        // A string cannot fail to become JSON. Line breaks stand between tokens only.
        let url = serde_json::to_string(public_url).unwrap_or_default();
        let text: String = DOCUMENT.lines().map(str::trim_start).collect();
        let text = text.replacen(SERVER, &format!("\"url\": {url}"), 1);
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self { body: Bytes::from(text), etag: format!("\"{:016x}\"", hasher.finish()) }
    }

    /// By weak comparison (RFC 9110, section 13.1.2).
    fn is_known_by(&self, headers: &HeaderMap) -> bool {
        let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag)
    }
}

/// Read this document
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Documentation",
    responses(
        (status = 200, description = "An OpenAPI 3.1 document.", body = Object, headers(
            ("etag" = String, description = "For `If-None-Match`."),
        )),
        (status = 304, description = "It is still the one that `If-None-Match` names."),
    ),
)]
pub(super) async fn openapi_document(State(state): State<AppState>, headers: HeaderMap, Nothing: Nothing) -> Response {
    let document = state.document.written(&state.http.public_url);
    let validation = [(CACHE_CONTROL, "public, max-age=300"), (ETAG, &document.etag)];
    if document.is_known_by(&headers) {
        return (StatusCode::NOT_MODIFIED, validation).into_response();
    }
    (validation, [(CONTENT_TYPE, "application/json")], document.body.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::{HttpSettings, app};
    use axum::body::Body;
    use axum::extract::Request;
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    async fn get(if_none_match: &str) -> Response {
        let http = HttpSettings { public_url: "https://id.example.com".to_owned(), ..HttpSettings::default() };
        let request = Request::get("/openapi.json").header(IF_NONE_MATCH, if_none_match).body(Body::empty());
        app(testing::state_with(http)).oneshot(request.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_document_is_the_one_that_is_written_but_for_the_public_url() {
        let response = get("\"other\"").await;
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!body.contains(&b'\n') && body.len() < DOCUMENT.len() * 2 / 3, "it is sent without its indentation");
        let document: Value = serde_json::from_slice(&body).unwrap();
        let mut expected = serde_json::to_value(crate::openapi()).unwrap();
        expected["servers"][0]["url"] = "https://id.example.com".into();
        assert!(document == expected, "crates/api/openapi.json is stale: run 'make generate'");
    }

    #[tokio::test]
    async fn who_has_the_document_is_not_sent_it_again() {
        let etag = get("\"other\"").await.headers()[ETAG].to_str().unwrap().to_owned();
        for known in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
            let response = get(&known).await;
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(response.headers()[ETAG], etag);
            assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
        }
    }
}
