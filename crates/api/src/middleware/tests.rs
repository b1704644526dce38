//! Each rule of the middleware, seen from outside.

mod cors;

use crate::endpoints::{Answering, Endpoints};
use crate::routes::well_known::revocations;
use crate::testing::{state, state_with};
use crate::{App, AppState, HttpSettings, app};
use axum::body::Body;
use axum::handler::Handler;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::future::pending;
use std::pin::pin;
use std::task::{Context, Waker};
use tower::{Service, ServiceExt};

async fn send(app: App, request: Request<Body>) -> Response {
    app.oneshot(request).await.unwrap()
}

fn request(method: Method, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    request
}

fn around<T: 'static>(handler: impl Handler<T, AppState, Future = Answering>) -> App {
    App::new(Endpoints::default().at("GET", "/here", handler), state())
}

/// What is larger glibc does not keep at hand (`glibc.malloc.tcache_max`).
#[test]
fn a_request_takes_little_memory() {
    let bytes = size_of_val(&*app(state()).call(Request::default()));
    assert!(bytes <= 1032, "{bytes}");
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

async fn problem(response: Response) -> Value {
    assert_eq!(text(response.headers(), "content-type"), Some("application/problem+json"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn an_unknown_path_is_a_problem_with_all_members() {
    let request = with(request(Method::GET, "/no/such?secret=1"), "x-request-id", "from-client.1");
    let response = send(app(state()), request).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let body = problem(response).await;
    let detail = "The path is unknown, or what it names does not exist or is not for the caller to see.";
    let expected = json!({
        "type": "http://localhost:8080/problems/not_found",
        "title": "There is nothing here",
        "status": 404,
        "code": "not_found",
        "detail": detail,
        "instance": "/no/such",
        "request_id": "from-client.1",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_refused_with_those_that_it_has() {
    for method in [Method::DELETE, Method::TRACE, Method::from_bytes(b"BREW").unwrap()] {
        let request = with(request(method, "/health/live"), "x-http-method-override", "GET");
        let response = send(app(state()), request).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(text(response.headers(), "allow"), Some("GET,HEAD"));
        assert_eq!(problem(response).await["code"], "method_not_allowed");
    }
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    for (path, status) in [("/health/live", 200), ("/openapi.json", 200), ("/no/such", 404), ("/login", 405)] {
        let ask = async |method| {
            let response = send(app(state()), with(request(method, path), "x-request-id", "a")).await;
            assert_eq!(response.status(), status, "{path}");
            let length = text(response.headers(), "content-length").map(str::to_owned);
            (length, response.into_body().collect().await.unwrap().to_bytes())
        };
        let (head, (_, body)) = (ask(Method::HEAD).await, ask(Method::GET).await);
        assert_eq!(head, (Some(body.len().to_string()), Bytes::new()), "{path}");
    }
    let known = with(request(Method::HEAD, "/openapi.json"), "if-none-match", "*");
    let response = send(app(state()), known).await;
    assert_eq!((response.status(), text(response.headers(), "content-length")), (StatusCode::NOT_MODIFIED, None));
}

#[tokio::test]
async fn i115_a_panic_costs_one_request_and_tells_nothing() {
    async fn fail() -> StatusCode {
        panic!("secret")
    }
    let app = around(fail);
    let response = send(app.clone(), request(Method::GET, "/here")).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(send(app, request(Method::GET, "/elsewhere")).await.status(), StatusCode::NOT_FOUND);
    let body = problem(response).await;
    assert_eq!(body["code"], "internal_error");
    assert!(!body.to_string().contains("secret"), "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_given_up() {
    let began = tokio::time::Instant::now();
    let response = send(around(pending::<StatusCode>), request(Method::GET, "/here")).await;
    assert_eq!(began.elapsed().as_secs(), 10);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text(response.headers(), "retry-after"), Some("1"));
    assert_eq!(problem(response).await["code"], "deadline_exceeded");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_news_has_longer() {
    let began = tokio::time::Instant::now();
    let waits = Endpoints::default().at("GET", revocations::PATH, pending::<StatusCode>);
    let response = send(App::new(waits, state()), request(Method::GET, revocations::PATH)).await;
    assert_eq!(began.elapsed().as_secs(), 36);
    assert_eq!(problem(response).await["code"], "deadline_exceeded");
}

#[tokio::test]
async fn url_and_headers_are_bounded() {
    let long = format!("/health/live?{}", "x".repeat(8 * 1024));
    let response = send(app(state()), request(Method::GET, &long)).await;
    assert_eq!(response.status(), StatusCode::URI_TOO_LONG);
    assert_eq!(problem(response).await["code"], "uri_too_long");

    let many = (0..65).fold(request(Method::GET, "/health/live"), |request, _| with(request, "x-many", "1"));
    let large = with(request(Method::GET, "/health/live"), "x-large", &"x".repeat(16 * 1024));
    for request in [many, large] {
        let response = send(app(state()), request).await;
        assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert_eq!(problem(response).await["code"], "headers_too_large");
    }

    let enough = (0..64).fold(request(Method::GET, "/health/live"), |request, _| with(request, "x-many", "1"));
    assert_eq!(send(app(state()), enough).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn every_answer_has_an_id_and_is_kept_from_caches_and_guesses() {
    for path in ["/health/live", "/no/such", "/users"] {
        let response = send(app(state()), request(Method::GET, path)).await;
        let headers = response.headers();
        assert_eq!(text(headers, "x-request-id"), Some("00000000-0000-7707-8707-070707070707"), "{path}");
        assert_eq!(text(headers, "x-content-type-options"), Some("nosniff"));
        assert_eq!(text(headers, "referrer-policy"), Some("no-referrer"));
        assert_eq!(text(headers, "cache-control"), Some("no-store"));
        assert!(!headers.contains_key(header::SERVER));
    }
}

#[tokio::test]
async fn only_one_sane_request_id_is_taken() {
    let twice = with(with(request(Method::GET, "/health/live"), "x-request-id", "a"), "x-request-id", "b");
    let insane = with(request(Method::GET, "/health/live"), "x-request-id", "a b");
    for request in [twice, insane] {
        let response = send(app(state()), request).await;
        assert_eq!(text(response.headers(), "x-request-id").unwrap().len(), 36);
    }
}

#[tokio::test]
async fn what_a_handler_says_of_caching_stands() {
    let handler = async || [(header::CACHE_CONTROL, "public, max-age=300")];
    let response = send(around(handler), request(Method::GET, "/here")).await;
    assert_eq!(text(response.headers(), "cache-control"), Some("public, max-age=300"));
}

#[tokio::test]
async fn an_answer_of_a_handler_is_no_problem_even_if_it_is_no_success() {
    let response = send(app(state()), request(Method::GET, "/health/ready")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text(response.headers(), "retry-after"), Some("1"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let checks = json!({ "store": "failing", "migrations": "unknown", "signing_key": "failing", "clock": "passing" });
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, json!({ "status": "not_ready", "checks": checks }));
}

#[tokio::test]
async fn each_401_has_a_challenge_and_only_a_presented_token_an_error() {
    let challenge = async |authorization: Option<&str>| {
        let request = request(Method::GET, "/users/me");
        let request = authorization.into_iter().fold(request, |request, value| with(request, "authorization", value));
        let response = send(app(state()), request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        text(response.headers(), "www-authenticate").unwrap().to_owned()
    };
    assert_eq!(challenge(None).await, "Bearer");
    assert_eq!(challenge(Some("Basic YTpi")).await, "Bearer");
    let invalid = "Bearer error=\"invalid_token\", error_description=\"The access token is not valid.\"";
    assert_eq!(challenge(Some("Bearer forged")).await, invalid);
    assert_eq!(challenge(Some("Bearer  x")).await, invalid);
    let expired = "Bearer error=\"invalid_token\", error_description=\"The access token has expired.\"";
    assert_eq!(challenge(Some("Bearer expired")).await, expired);
}

#[tokio::test]
async fn what_the_store_says_of_its_outage_stays_inside() {
    let body = json!({ "email": "ada@example.com", "password": "correct horse battery staple" }).to_string();
    let mut request = with(request(Method::POST, "/login"), "content-type", "application/json");
    *request.body_mut() = Body::from(body);
    let response = send(app(state()), request).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text(response.headers(), "retry-after"), Some("1"));
    let body = problem(response).await;
    assert_eq!(body["code"], "unavailable");
    assert!(!body.to_string().contains("secret"), "{body}");
}

#[tokio::test]
async fn a_wait_is_rounded_up_to_whole_seconds() {
    let password = "correct horse battery staple";
    let body = json!({ "email": "ada@example.com", "password": password, "name": "Ada" }).to_string();
    let mut request = with(request(Method::POST, "/users"), "content-type", "application/json");
    *request.body_mut() = Body::from(body);
    let response = send(app(state()), request).await;
    assert_eq!(text(response.headers(), "retry-after"), Some("3"));
    assert_eq!(problem(response).await["code"], "overloaded");
}

#[tokio::test]
async fn r26_browsers_are_told_to_come_by_https_where_that_is_wanted() {
    for (hsts, expected) in [(false, None), (true, Some("max-age=31536000"))] {
        let app = app(state_with(HttpSettings { hsts, ..HttpSettings::default() }));
        for path in ["/health/live", "/no/such"] {
            let response = send(app.clone(), request(Method::GET, path)).await;
            assert_eq!(text(response.headers(), "strict-transport-security"), expected, "{path}");
        }
    }
}

#[tokio::test]
async fn errors_of_the_framework_look_like_our_own() {
    let app = around(async |_: String| ());
    let mut request = request(Method::GET, "/here");
    // Over what axum takes unless it is told otherwise.
    *request.body_mut() = Body::from(vec![b'x'; (2 << 20) + 1]);
    let response = send(app, request).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem(response).await["code"], "payload_too_large");
}

#[tokio::test]
async fn every_kind_of_problem_has_a_page() {
    for code in crate::problem::Code::ALL {
        let path = format!("/problems/{}", code.as_str());
        let response = send(app(state()), request(Method::GET, &path)).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(text(response.headers(), "content-type"), Some("text/html; charset=utf-8"));
        let page = response.into_body().collect().await.unwrap().to_bytes();
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert!(page.contains(code.title()) && page.contains(code.explanation()));
    }
    let unknown = send(app(state()), request(Method::GET, "/problems/%3Cscript%3E")).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert_eq!(problem(unknown).await["code"], "not_found");
}

#[tokio::test]
async fn while_a_request_with_a_body_waits_nothing_is_kept_of_the_buffer_that_its_head_came_in() {
    let head = Bytes::from(b"/wait".to_vec());
    let uri = Uri::from_maybe_shared(head.clone()).unwrap();
    let request = Request::post(uri).body(Body::from("{}")).unwrap();
    let mut answer = pin!(App::new(Endpoints::default().at("POST", "/wait", pending::<()>), state()).oneshot(request));
    assert!(answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(head.is_unique());
}
