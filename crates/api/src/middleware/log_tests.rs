//! What requests leave in the log.

use crate::endpoints::Endpoints;
use crate::testing::{Log, state};
use crate::{App, app};
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tower::ServiceExt;

async fn log_of(request: Request<Body>) -> Vec<Value> {
    let log = Log::default();
    let guard = log.start();
    app(state()).oneshot(request).await.unwrap();
    drop(guard);
    log.lines()
}

#[tokio::test]
async fn a_request_is_named_without_what_its_client_put_into_it() {
    let request = Request::get("/users/canary-1?access_token=canary-2")
        .header("authorization", "Bearer canary-3")
        .header("cookie", "canary-4")
        .header("user-agent", "canary-5")
        .header("x-request-id", "id-1")
        .header("host", "x")
        .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4711))))
        .body(Body::empty());
    let lines = log_of(request.unwrap()).await;
    let answered: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "answered").collect();
    assert_eq!(answered.len(), 1);
    assert_eq!(answered[0]["fields"]["status"], 401);
    let span = &answered[0]["span"];
    assert_eq!((&span["request_id"], &span["route"]), (&json!("id-1"), &json!("/users/{user}")));
    assert_eq!((&span["method"], &span["client"]), (&json!("GET"), &json!("192.0.2.7")));
    assert!(!json!(lines).to_string().contains("canary"), "{lines:?}");
    let lines = log_of(Request::get("/canary").body(Body::empty()).unwrap()).await;
    assert!(lines.iter().all(|line| line["span"]["route"] == "unknown"), "{lines:?}");
    assert!(!json!(lines).to_string().contains("canary"), "{lines:?}");
}

#[tokio::test]
async fn an_overload_is_no_failure() {
    let body = json!({ "email": "ada@example.com", "password": "correct horse battery staple", "name": "Ada" });
    let request = Request::post("/users").header("content-type", "application/json").body(Body::from(body.to_string()));
    let lines = log_of(request.unwrap()).await;
    let told: Vec<_> = lines.iter().filter(|line| line["fields"]["code"] == "overloaded").collect();
    assert_eq!(told.len(), 1, "{lines:?}");
    assert_eq!(told[0]["level"], "WARN");
}

#[tokio::test]
async fn a_failure_is_logged_once_with_its_cause() {
    let body = json!({ "email": "canary@example.com", "password": "canary horse battery staple" });
    let request = Request::post("/login")
        .header("content-type", "application/json")
        .header("x-request-id", "id-2")
        .body(Body::from(body.to_string()));
    let lines = log_of(request.unwrap()).await;
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["fields"]["code"], "unavailable");
    assert_eq!(errors[0]["fields"]["cause"], "the store is unavailable: secret detail");
    assert_eq!(errors[0]["span"]["request_id"], "id-2");
    assert!(!json!(lines).to_string().contains("canary"), "{lines:?}");
}

#[tokio::test]
async fn i115_what_a_panic_says_is_not_logged() {
    async fn fail() -> StatusCode {
        panic!("canary")
    }
    let log = Log::default();
    let guard = log.start();
    let app = App::new(Endpoints::default().at("GET", "/here", fail), state());
    app.oneshot(Request::get("/here").body(Body::empty()).unwrap()).await.unwrap();
    drop(guard);
    let lines = log.lines();
    assert_eq!(lines.iter().filter(|line| line["level"] == "ERROR").count(), 1, "{lines:?}");
    assert!(!json!(lines).to_string().contains("canary"), "{lines:?}");
}
