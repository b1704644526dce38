use crate::problem::Code;
use crate::{app, openapi, testing};
use axum::body::Body;
use axum::extract::Request;
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use vestibule_domain::Settings;
use vestibule_domain::user::RegistrationMode;

async fn send(state: crate::AppState, request: http::request::Builder, body: &str) -> (StatusCode, Value) {
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = app(state).oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

/// Before anything else of the request is judged: neither its body nor the id in its path tells anything.
#[tokio::test]
async fn whatever_needs_a_token_says_so_first() {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut count = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // Clients may authenticate themselves in the body, which is judged first.
            if operation["security"].is_null() || operation["security"][0]["client"].is_array() {
                continue;
            }
            let uri = path.replace(['{', '}'], "");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&uri).body(Body::empty());
            let response = app(testing::state()).oneshot(request.unwrap()).await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer", "{method} {path}");
            count += 1;
        }
    }
    assert!(count >= 12, "only {count} operations need a token");
}

#[tokio::test]
async fn what_a_call_has_no_use_for_is_judged_only_after_the_token() {
    let calls = [
        ("GET", "/users/me"),
        ("DELETE", "/users/me"),
        ("POST", "/users/me/disable"),
        ("POST", "/users/me/enable"),
        ("GET", "/users/me/sessions"),
        ("DELETE", "/users/me/sessions"),
        ("DELETE", "/users/me/sessions/x"),
    ];
    for (method, path) in calls {
        let request = || Request::builder().method(method).uri(format!("{path}?verbose=1&verbose=2"));
        let (status, problem) = send(testing::state(), request(), "{").await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::UNAUTHORIZED, &"unauthenticated".into()),
            "{method} {path}"
        );
        let forged = request().header(AUTHORIZATION, "Bearer forged");
        let (status, problem) = send(testing::state(), forged, "{").await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &"invalid_token".into()), "{method} {path}");
    }
}

#[tokio::test]
async fn closed_registration_says_so_whatever_is_sent() {
    let closed = || testing::state_set(Settings { registration: RegistrationMode::Closed, ..Settings::default() });
    for body in ["", "{", r#"{"email":"ada"}"#] {
        let (status, problem) = send(closed(), Request::post("/users"), body).await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &Code::RegistrationClosed.as_str().into()));
    }
}

#[tokio::test]
async fn a_refresh_token_of_no_possible_session_is_not_valid_rather_than_malformed() {
    let request = || Request::post("/refresh").header(CONTENT_TYPE, "application/json");
    for token in ["", "nonsense", "vdt_b7uR2sWd9eLfHgTnVaJoQiKzNc5xMtEXy3kq0pZ8mC1"] {
        let body = serde_json::json!({ "refresh_token": token }).to_string();
        let (status, problem) = send(testing::state(), request(), &body).await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &"invalid_refresh_token".into()), "{token}");
    }
    let (status, problem) = send(testing::state(), request(), r#"{"refresh_token":7}"#).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["errors"][0]["pointer"], "/refresh_token");
}

#[tokio::test]
async fn logging_out_with_a_token_that_no_session_knows_does_nothing() {
    let request = Request::post("/logout").header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(r#"{"refresh_token":"nonsense"}"#)).unwrap();
    let response = app(testing::state()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_stands_in_the_query_cannot_compete_with_the_body() {
    let request = Request::post("/login?email=eve@example.com").header(CONTENT_TYPE, "application/json");
    let (status, problem) = send(testing::state(), request, r#"{"email":"ada@example.com","password":"x"}"#).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &"malformed_request".into()));
}
