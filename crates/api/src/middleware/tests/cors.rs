//! What scripts of other origins may do.

use super::{request, send, text, with};
use crate::testing::{state, state_with};
use crate::{App, HttpSettings, app};
use http::{HeaderValue, Method, StatusCode, header};

fn allowing_one_origin() -> App {
    let cors_origins = vec![HeaderValue::from_static("https://app.example")];
    app(state_with(HttpSettings { cors_origins, ..HttpSettings::default() }))
}

#[tokio::test]
async fn scripts_of_other_origins_learn_nothing_by_default() {
    let request = with(request(Method::GET, "/health/live"), "origin", "https://app.example");
    let response = send(app(state()), request).await;
    assert!(!response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn only_exact_origins_are_allowed_and_never_with_credentials() {
    let ask = async |origin: &str, path: &str| {
        send(allowing_one_origin(), with(request(Method::GET, path), "origin", origin)).await.headers().clone()
    };
    for path in ["/health/live", "/no/such", "/users/me"] {
        let headers = ask("https://app.example", path).await;
        assert_eq!(text(&headers, "access-control-allow-origin"), Some("https://app.example"), "{path}");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        let exposed = text(&headers, "access-control-expose-headers").unwrap();
        for name in ["etag", "link", "location", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id"] {
            assert!(exposed.split(',').any(|exposed| exposed.trim() == name), "{name} in {exposed}");
        }
    }
    let others = [
        "null",
        "https://evil.example",
        "http://app.example",
        "https://app.example.evil.example",
        "https://sub.app.example",
        "https://app.example:8443",
    ];
    for origin in others {
        let headers = ask(origin, "/health/live").await;
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_for_listed_origins_alone() {
    let ask = async |origin: &str| {
        let preflight = with(request(Method::OPTIONS, "/users/me"), "origin", origin);
        let preflight = with(preflight, "access-control-request-method", "PATCH");
        let response = send(allowing_one_origin(), preflight).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.headers().clone()
    };
    let headers = ask("https://app.example").await;
    assert_eq!(text(&headers, "access-control-allow-origin"), Some("https://app.example"));
    assert!(text(&headers, "access-control-allow-methods").unwrap().contains("PATCH"));
    assert!(text(&headers, "access-control-allow-headers").unwrap().contains("authorization"));
    assert!(text(&headers, "vary").unwrap().contains("origin"));
    assert!(!ask("https://evil.example").await.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn an_options_that_is_no_preflight_is_answered_as_without_cors() {
    let origin = ("origin", "https://app.example");
    let method = ("access-control-request-method", "PATCH");
    for (path, status) in [("/users/me", StatusCode::METHOD_NOT_ALLOWED), ("/nope", StatusCode::NOT_FOUND)] {
        for headers in [&[][..], &[origin], &[method]] {
            let ask = async |app: App| {
                let options = request(Method::OPTIONS, path);
                let options = headers.iter().fold(options, |options, (name, value)| with(options, name, value));
                let response = send(app, options).await;
                assert_eq!(response.status(), status, "{path} {headers:?}");
                response.headers().clone()
            };
            let answer = ask(allowing_one_origin()).await;
            assert_eq!(answer, ask(app(state())).await, "{path} {headers:?}");
            assert_eq!(answer.contains_key(header::ALLOW), path == "/users/me", "{headers:?}");
        }
    }
}
