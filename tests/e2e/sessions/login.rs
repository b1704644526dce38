//! `POST /login`.

use crate::security::token::claims as parse;
use serde_json::json;
use vestibule_testkit::app::{ADMIN, ALICE, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(
    gives_tokens,
    the_access_token_says_who_and_for_how_long,
    every_failure_looks_the_same,
    every_login_costs_one_hash,
    a_known_device_gets_no_new_token,
    names_all_faults_at_once,
);

async fn gives_tokens(Scene { app, anonymous, alice, .. }: &Scene) {
    let response = anonymous.try_log_in("ALICE@example.com", PASSWORD).await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "access_token": "[access_token]",
      "device_token": "[device_token]",
      "expires_in": 600,
      "refresh_expires_in": 1209600,
      "refresh_token": "[refresh_token]",
      "session_id": "019b76da-a800-7e3b-889a-d8b6accd564d",
      "token_type": "Bearer",
      "user": {
        "created_at": "2026-01-01T00:00:00.000Z",
        "email": "alice@example.com",
        "email_verified": false,
        "id": "019b76da-a800-78d6-8a16-e9e9a8532b0c",
        "last_login_at": "2026-01-01T00:00:00.000Z",
        "name": "Alice Example",
        "roles": [
          "user"
        ],
        "status": "active",
        "updated_at": "2026-01-01T00:00:00.000Z"
      }
    }
    "#);
    assert!(response.json["refresh_token"].as_str().is_some_and(|token| token.starts_with("vrt_")));
    assert_eq!(anonymous.holding(&response).get("/users/me").await.json, response.json["user"]);
    assert_eq!(app.trail(alice.id()).await, ["login.succeeded", "login.succeeded", "user.registered"]);
}

async fn the_access_token_says_who_and_for_how_long(Scene { app, admin, .. }: &Scene) {
    let token = admin.access_token();
    assert!(token.len() <= 1_024, "{} bytes", token.len());
    let (header, claims) = parse(token);
    assert_transcript!(format!("{header:#}\n{claims:#}"), @r#"
    {
      "alg": "EdDSA",
      "kid": "019b76da-a800-78a2-8c18-576b71e5e61c",
      "typ": "at+jwt"
    }
    {
      "amr": [
        "pwd"
      ],
      "aud": "vestibule",
      "auth_time": 1767225600,
      "email": "admin@example.com",
      "exp": 1767226200,
      "iat": 1767225600,
      "iss": "https://auth.example",
      "jti": "019b76da-a800-764e-b894-a4c9baaf1089",
      "nbf": 1767225600,
      "roles": [
        "admin"
      ],
      "sid": "019b76da-a800-78eb-a884-713d9038420b",
      "sub": "019b76da-a800-70a6-8087-0d9d2e40e4dc"
    }
    "#);
    let other = app.anonymous().log_in(ADMIN, PASSWORD).await;
    assert_ne!(parse(other.access_token()).1["jti"], claims["jti"]);
}

async fn every_failure_looks_the_same(Scene { app, anonymous, alice, admin }: &Scene) {
    let wrong = anonymous.try_log_in(ALICE, "Wr0ng-but-strong").await;
    assert_transcript!(wrong, @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer

    {
      "code": "invalid_credentials",
      "detail": "No account could be opened with this address and this password. Which of them is wrong is not said, so that nobody can find out who has an account.",
      "instance": "/login",
      "request_id": "[request_id]",
      "status": 401,
      "title": "The address or the password is wrong",
      "type": "https://auth.example/problems/invalid_credentials"
    }
    "#);
    let unknown = anonymous.try_log_in("nobody@example.com", PASSWORD).await;
    admin.post(&format!("/users/{}/disable", alice.id()), json!({})).await;
    let disabled = anonymous.try_log_in(ALICE, PASSWORD).await;
    admin.delete(&format!("/users/{}", alice.id())).await;
    let deleted = anonymous.try_log_in(ALICE, PASSWORD).await;
    for other in [unknown, disabled, deleted] {
        assert_eq!(other.to_string(), wrong.to_string());
        assert_eq!(other.headers.len(), wrong.headers.len());
    }
    let trail = app.trail(alice.id()).await;
    assert_eq!(trail[..2], ["login.failed disabled", "login.failed wrong_password"], "the trail knows the reasons");
}

async fn every_login_costs_one_hash(Scene { app, anonymous, alice, admin }: &Scene) {
    let cost = async |email: &str, password: &str| {
        let before = app.hasher.asked();
        anonymous.try_log_in(email, password).await;
        app.hasher.asked() - before
    };
    assert_eq!(cost(ALICE, PASSWORD).await, 1);
    assert_eq!(cost(ALICE, "Wr0ng-but-strong").await, 1);
    assert_eq!(cost("nobody@example.com", PASSWORD).await, 1);
    admin.post(&format!("/users/{}/disable", alice.id()), json!({})).await;
    assert_eq!(cost(ALICE, PASSWORD).await, 1);
}

async fn a_known_device_gets_no_new_token(Scene { anonymous, alice, .. }: &Scene) {
    let log_in = |device_token: &str| {
        let body = json!({"email": ALICE, "password": PASSWORD, "device_token": device_token});
        anonymous.post("/login", body)
    };
    let known = log_in(alice.device_token()).await;
    assert_eq!((known.status, known.json.get("device_token")), (200, None));
    let admin = anonymous.log_in(ADMIN, PASSWORD).await;
    let foreign = log_in(admin.device_token()).await;
    assert!(foreign.json["device_token"].is_string(), "another user's device is not known");
}

async fn names_all_faults_at_once(Scene { anonymous, .. }: &Scene) {
    let body = json!({"email": "alice", "device_token": "vrt_x", "remember": true});
    assert_transcript!(anonymous.post("/login", body).await, @r#"
    422
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "validation_failed",
      "detail": "The list errors has an entry for each fault: where it is, a stable code, and what would be right.",
      "errors": [
        {
          "code": "invalid_email",
          "detail": "must be an address like name@example.com",
          "pointer": "/email"
        },
        {
          "code": "required",
          "detail": "must be there",
          "pointer": "/password"
        },
        {
          "code": "invalid_token",
          "detail": "must be a `device_token` of a login, unchanged",
          "pointer": "/device_token"
        },
        {
          "code": "unknown_field",
          "detail": "is not known here",
          "pointer": "/remember"
        }
      ],
      "instance": "/login",
      "request_id": "[request_id]",
      "status": 422,
      "title": "The content is not acceptable",
      "type": "https://auth.example/problems/validation_failed"
    }
    "#);
}
