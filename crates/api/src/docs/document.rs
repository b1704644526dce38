//! `GET /openapi.json`: the document for machines.

use crate::error::ApiError;
use crate::extract::Nothing;
use crate::openapi;
use crate::problem::Code;
use axum::Extension;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};
use utoipa::openapi::OpenApi;

/// The document as it is sent, written once at start, when all routes are known, its own among them; what went wrong
/// with that is told to whoever asks for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document(Arc<OnceLock<serde_json::Result<Written>>>);

#[derive(Debug)]
struct Written {
    body: Bytes,
    etag: String,
}

impl Document {
    /// `outline` is what the routes say; `public_url` is where clients reach them.
    pub(crate) fn write(&self, outline: OpenApi, public_url: &str) {
        self.0.get_or_init(|| serde_json::to_vec(&openapi::complete(outline, public_url)).map(Written::new));
    }
}

impl Written {
    fn new(text: Vec<u8>) -> Self {
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
pub(super) async fn openapi_document(
    Extension(Document(document)): Extension<Document>,
    headers: HeaderMap,
    Nothing: Nothing,
) -> Result<Response, ApiError> {
    let missing = |cause: String| ApiError::new(Code::InternalError).because(cause);
    let written = document.get().ok_or_else(|| missing("the document was not written".to_owned()))?;
    let document = written.as_ref().map_err(|error| missing(error.to_string()))?;
    let validation = [(CACHE_CONTROL, "public, max-age=300"), (ETAG, &document.etag)];
    if document.is_known_by(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, validation).into_response());
    }
    Ok((validation, [(CONTENT_TYPE, "application/json")], document.body.clone()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::{HttpSettings, router};
    use axum::body::Body;
    use axum::extract::Request;
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    async fn get(if_none_match: &str) -> Response {
        let http = HttpSettings { public_url: "https://id.example.com".to_owned(), ..HttpSettings::default() };
        let request = Request::get("/openapi.json").header(IF_NONE_MATCH, if_none_match).body(Body::empty());
        router(testing::state_with(http)).oneshot(request.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_document_names_the_public_url() {
        let response = get("\"other\"").await;
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["servers"][0]["url"], "https://id.example.com");
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
