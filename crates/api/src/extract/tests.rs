//! Bodies and queries, from the request to what the client is told.

use super::{Body, Fields, Nothing, OptionalBody, Parameters, Query, ReadJson, ReadQuery};
use crate::error::ApiError;
use crate::testing::state;
use axum::extract::FromRequest;
use bytes::Bytes;
use http::Request;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use vestibule_domain::fault::Fault;

#[derive(Debug, PartialEq)]
struct Note {
    title: String,
    text: Option<String>,
    tags: Vec<String>,
}

fn short(text: &str) -> Result<String, Fault> {
    if text.len() <= 8 { Ok(text.to_owned()) } else { Err(Fault::too_long(8)) }
}

impl ReadJson for Note {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let title = fields.required("title", short);
        let text = fields.optional("text", short);
        let tags = fields.required_list("tags", 3, short);
        Some(Self { title: title?, text, tags: tags? })
    }
}

#[derive(Debug, PartialEq, Default)]
struct Choice(Option<u8>);

impl ReadJson for Choice {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self(fields.optional_enum("choice", &[("one", 1), ("two", 2)])))
    }
}

impl ReadQuery for Choice {
    fn read(parameters: &mut Parameters<'_>) -> Option<Self> {
        <Self as ReadJson>::read(parameters)
    }
}

fn json(body: impl Into<axum::body::Body>) -> Request<axum::body::Body> {
    Request::builder().header("content-type", "application/json").body(body.into()).unwrap()
}

async fn read(request: Request<axum::body::Body>) -> Result<Note, ApiError> {
    Body::from_request(request, &state()).await.map(|Body(note)| note)
}

async fn refusal(request: Request<axum::body::Body>) -> &'static str {
    read(request).await.unwrap_err().code().as_str()
}

#[tokio::test]
async fn a_body_is_read() {
    let body = r#"{"tags": ["a", "b"], "title": "t"}"#;
    let note = Note { title: "t".to_owned(), text: None, tags: vec!["a".to_owned(), "b".to_owned()] };
    assert_eq!(read(json(body)).await.unwrap(), note);
}

#[tokio::test]
async fn all_faults_are_told_at_once() {
    let body = r#"{"text": null, "tags": ["fine", 1, "much too long", "\u0000"], "~a/b": {}, "zz": 1}"#;
    let error = read(json(body)).await.unwrap_err();
    assert_eq!(error.code().as_str(), "validation_failed");
    let expected = [
        ("/title", "required"),
        ("/text", "invalid_type"),
        ("/tags", "too_long"),
        ("/zz", "unknown_field"),
        ("/~0a~1b", "unknown_field"),
    ];
    assert_eq!(error.faults(), expected);
}

#[tokio::test]
async fn entries_of_a_list_are_pointed_at() {
    let error = read(json(r#"{"title": "t", "tags": ["fine", 1, "much too long"]}"#)).await.unwrap_err();
    assert_eq!(error.faults(), [("/tags/1", "invalid_type"), ("/tags/2", "too_long")]);
}

#[tokio::test]
async fn nul_is_a_fault_whatever_the_field_would_say() {
    let error = read(json(r#"{"title": "a\u0000b", "tags": ["\u0000"]}"#)).await.unwrap_err();
    assert_eq!(error.faults(), [("/title", "invalid_character"), ("/tags/0", "invalid_character")]);
}

#[tokio::test]
async fn the_answer_to_countless_faults_is_bounded() {
    let members: Vec<_> = (0..5_000).map(|n| format!("\"{n}\":0")).collect();
    let error = read(json(format!("{{{}}}", members.join(",")))).await.unwrap_err();
    assert_eq!(error.faults().len(), 100);
}

#[tokio::test]
async fn what_is_not_declared_as_json_is_not_read() {
    let declared = |types: &[&str]| {
        let request = types.iter().fold(Request::builder(), |request, value| request.header("content-type", *value));
        request.body(axum::body::Body::from("{")).unwrap()
    };
    let others: [&[&str]; 9] = [
        &[],
        &[""],
        &["text/plain"],
        &["application/x-www-form-urlencoded"],
        &["multipart/form-data; boundary=x"],
        &["application/json; charset=utf-16"],
        &["application/json; charset=utf-8; q=1"],
        &["application/json-patch+json"],
        &["application/json", "application/json"],
    ];
    for types in others {
        assert_eq!(refusal(declared(types)).await, "unsupported_media_type", "{types:?}");
    }
    for json in ["application/json", "Application/JSON;charset=UTF-8", "application/json; charset=\"utf-8\""] {
        assert_eq!(refusal(declared(&[json])).await, "malformed_json", "{json}");
    }
    let mut packed = json("{}");
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(refusal(packed).await, "unsupported_media_type");
}

#[tokio::test]
async fn a_parameter_beside_a_body_is_refused() {
    let mut twice = json(r#"{"title": "t", "tags": []}"#);
    *twice.uri_mut() = "/?title=u".parse().unwrap();
    assert_eq!(refusal(twice).await, "malformed_request");
}

/// Frames of 1 KiB without end; counts how many were taken.
struct Endless(Arc<AtomicUsize>);

impl axum::body::HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1024])))))
    }
}

#[tokio::test]
async fn a_body_is_read_to_its_limit_and_no_further() {
    let taken = Arc::new(AtomicUsize::new(0));
    let endless = axum::body::Body::new(Endless(Arc::clone(&taken)));
    assert_eq!(refusal(json(endless)).await, "payload_too_large");
    assert_eq!(taken.load(Ordering::Relaxed), 65);

    let fill = |length: usize| format!("{}{{}}", " ".repeat(length - 2));
    assert_eq!(refusal(json(fill(64 * 1024))).await, "validation_failed");
    assert_eq!(refusal(json(fill(64 * 1024 + 1))).await, "payload_too_large");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    struct Never;
    impl axum::body::HttpBody for Never {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }
    let began = tokio::time::Instant::now();
    assert_eq!(refusal(json(axum::body::Body::new(Never))).await, "request_timeout");
    assert!(began.elapsed().as_secs() < 10);
}

#[tokio::test]
async fn a_number_beyond_all_bounds_is_a_fault_of_its_field_beside_the_others() {
    let error = read(json(r#"{"title": 1e400, "tags": ["a", -1e999, "much too long"], "zz": 1}"#)).await.unwrap_err();
    let expected =
        [("/title", "invalid_type"), ("/tags/1", "invalid_type"), ("/tags/2", "too_long"), ("/zz", "unknown_field")];
    assert_eq!(error.faults(), expected);
}

#[tokio::test]
async fn where_nothing_is_taken_nothing_is_dropped_silently() {
    let ask = async |uri: &str, mut request: Request<axum::body::Body>| {
        *request.uri_mut() = uri.parse().unwrap();
        Nothing::from_request(request, &state()).await
    };
    let bare = || Request::new(axum::body::Body::empty());
    for nothing in [bare(), json(""), json("{}"), json(" {\n} ")] {
        ask("/?", nothing).await.unwrap();
    }
    let plain = Request::new(axum::body::Body::from("{}"));
    let refused = [
        ("/", plain, "unsupported_media_type"),
        ("/", json(" ".repeat(64 * 1024 + 1)), "payload_too_large"),
        ("/", json("{"), "malformed_json"),
        ("/", json("[]"), "malformed_json"),
        ("/?a=1&a=2", bare(), "malformed_request"),
        ("/?a=%", bare(), "malformed_request"),
    ];
    for (uri, request, code) in refused {
        assert_eq!(ask(uri, request).await.unwrap_err().code().as_str(), code, "{uri}");
    }
    let unknown = [("/a", "unknown_field"), ("/b", "unknown_field")];
    assert_eq!(ask("/", json(r#"{"a": 1, "b": null}"#)).await.unwrap_err().faults(), unknown);
    assert_eq!(ask("/?a=1&b", bare()).await.unwrap_err().faults(), unknown);
}

#[tokio::test]
async fn a_body_may_be_absent_where_it_is_optional() {
    let optional = async |request| OptionalBody::<Choice>::from_request(request, &state()).await.map(|body| body.0);
    assert_eq!(optional(Request::new(axum::body::Body::empty())).await.unwrap(), Choice(None));
    assert_eq!(optional(json("")).await.unwrap(), Choice(None));
    assert_eq!(optional(json(r#"{"choice": "two"}"#)).await.unwrap(), Choice(Some(2)));
    let plain = Request::new(axum::body::Body::from("{}"));
    assert_eq!(optional(plain).await.unwrap_err().code().as_str(), "unsupported_media_type");
    let error = optional(json(r#"{"choice": "three"}"#)).await.unwrap_err();
    assert_eq!(error.faults(), [("/choice", "invalid_value")]);
    assert_eq!(error.errors()[0].detail, "must be `one` or `two`");
}

/// Of unknown length, as a chunked one is until its end.
fn chunked(text: &'static str) -> axum::body::Body {
    struct Chunked(&'static str);
    impl axum::body::HttpBody for Chunked {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let text = std::mem::take(&mut self.0);
            Poll::Ready((!text.is_empty()).then(|| Ok(Frame::data(text.into()))))
        }
    }
    axum::body::Body::new(Chunked(text))
}

#[tokio::test]
async fn an_empty_body_is_none_however_it_is_framed_or_declared() {
    let optional = async |request| OptionalBody::<Choice>::from_request(request, &state()).await.map(|body| body.0);
    let text = |body| Request::builder().header("content-type", "text/plain").body(body).unwrap();
    for empty in [Request::new(chunked("")), json(chunked("")), text(chunked("")), text(axum::body::Body::empty())] {
        assert_eq!(optional(empty).await.unwrap(), Choice(None));
    }
    assert_eq!(optional(json(chunked(r#"{"choice": "two"}"#))).await.unwrap(), Choice(Some(2)));
    for undeclared in [Request::new(chunked("{}")), text(chunked("x"))] {
        assert_eq!(optional(undeclared).await.unwrap_err().code().as_str(), "unsupported_media_type");
    }
}

#[tokio::test]
async fn what_is_sent_in_vain_is_not_dropped_silently() {
    let uri = |uri: &str, mut request: Request<axum::body::Body>| {
        *request.uri_mut() = uri.parse().unwrap();
        request
    };
    for request in [Request::new(axum::body::Body::empty()), json("{}")] {
        let error = OptionalBody::<Choice>::from_request(uri("/?choice=one", request), &state()).await.unwrap_err();
        assert_eq!(error.code().as_str(), "malformed_request");
    }
    let query = async |request| Query::<Choice>::from_request(request, &state()).await;
    assert_eq!(query(uri("/?choice=one", json("{}"))).await.unwrap().0, Choice(Some(1)));
    let error = query(uri("/?choice=one", json(r#"{"choice": "two"}"#))).await.unwrap_err();
    assert_eq!(error.faults(), [("/choice", "unknown_field")]);
    let error = query(Request::new(chunked("x"))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "unsupported_media_type");
}

#[tokio::test]
async fn a_query_is_read_like_a_body() {
    let query = async |uri: &str| {
        let request = Request::builder().uri(uri).body(axum::body::Body::empty()).unwrap();
        Query::<Choice>::from_request(request, &state()).await.map(|Query(choice)| choice)
    };
    assert_eq!(query("/").await.unwrap(), Choice(None));
    assert_eq!(query("/?choice=one").await.unwrap(), Choice(Some(1)));
    assert_eq!(query("/?choice=one&choice=one").await.unwrap_err().code().as_str(), "malformed_request");
    assert_eq!(query("/?limit=5").await.unwrap_err().faults(), [("/limit", "unknown_field")]);
    assert_eq!(query("/?choice=%00").await.unwrap_err().faults(), [("/choice", "invalid_character")]);
}
