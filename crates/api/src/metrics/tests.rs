use crate::testing::{state, state_with};
use crate::{App, HttpSettings, app, ops_app};
use axum::body::Body;
use http::{HeaderValue, Method, Request};
use http_body_util::BodyExt;
use std::collections::HashSet;
use tower::ServiceExt;
use vestibule_domain::audit::AuditKind;

async fn send(app: &App, request: Request<Body>) -> u16 {
    app.clone().oneshot(request).await.unwrap().status().as_u16()
}

async fn scrape(app: &App) -> String {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let body = app.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn answers_and_problems_are_counted_under_their_operation() {
    let state = state();
    let (public, operators) = (app(state.clone()), ops_app(state));
    for (method, path, status) in [
        ("GET", "/health/live", 200),
        ("GET", "/users/0190b5a2-7c3e-7a00-8000-000000000000", 401),
        ("GET", "/users/me", 401),
        ("PUT", "/login", 405),
        ("GET", "/no/such", 404),
    ] {
        assert_eq!(send(&public, request(method, path)).await, status, "{method} {path}");
    }
    for path in ["/health/live", "/metrics"] {
        assert_eq!(send(&operators, request("GET", path)).await, 200);
    }
    let text = scrape(&operators).await;
    for line in [
        r#"vestibule_http_answers_total{method="GET",route="/health/live",status="200"} 2"#,
        r#"vestibule_http_answers_total{method="GET",route="/metrics",status="200"} 1"#,
        r#"vestibule_http_answers_total{method="GET",route="/users/{user}",status="401"} 2"#,
        r#"vestibule_http_answers_total{method="other",route="other",status="405"} 1"#,
        r#"vestibule_http_answers_total{method="other",route="other",status="404"} 1"#,
        r#"vestibule_http_answer_duration_seconds_count{method="GET",route="/users/{user}"} 2"#,
        r#"vestibule_problems_total{code="unauthenticated"} 2"#,
        "vestibule_feed_followed 0",
        r#"vestibule_security_events_total{type="login.failed"} 0"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

/// OWASP ASVS 13.4.5; `docs/operations.md` promises fewer than 2,000.
#[tokio::test]
async fn i116_no_client_makes_series() {
    let cors_origins = vec![HeaderValue::from_static("https://app.example")];
    let state = state_with(HttpSettings { cors_origins, ..HttpSettings::default() });
    let (public, operators) = (app(state.clone()), ops_app(state));
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let documented = document["paths"].as_object().unwrap().keys().cloned();
    let paths: Vec<_> = documented.chain((0..50).map(|n| format!("/made/up/{n}"))).collect();
    for path in &paths {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X-MADE-UP"] {
            let uri = path.replace(['{', '}'], "");
            let mut requests = [(); 5].map(|()| request(method, &uri));
            let [_, broken, typed, preflight, long] = &mut requests;
            broken.headers_mut().insert("transfer-encoding", HeaderValue::from_static("gzip"));
            typed.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
            preflight.headers_mut().insert("origin", HeaderValue::from_static("https://app.example"));
            preflight.headers_mut().insert("access-control-request-method", HeaderValue::from_static("GET"));
            *long.uri_mut() = format!("{uri}?{}", "x".repeat(9_000)).parse().unwrap();
            for request in requests {
                send(&public, request).await;
            }
        }
    }
    let text = scrape(&operators).await;
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!((100..2_000).contains(&series), "{series} series");
    assert!(!text.contains("made") && !text.contains("MADE"), "{text}");
}

#[tokio::test]
async fn they_are_for_operators_and_in_the_form_that_their_type_says() {
    let state = state();
    assert_eq!(send(&app(state.clone()), request("GET", "/metrics")).await, 404);
    let operators = ops_app(state);
    let answer = operators.clone().oneshot(request("GET", "/metrics")).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for query in [request("GET", "/metrics?name=x"), request(Method::POST.as_str(), "/metrics")] {
        assert!(send(&operators, query).await >= 400);
    }
    let text = scrape(&operators).await;
    let mut seen = HashSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(seen.insert(series), "{series} is there twice");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    for kind in AuditKind::ALL {
        assert!(text.contains(kind.as_str()), "{}", kind.as_str());
    }
}
