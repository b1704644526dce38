//! `POST /refresh`.

use serde_json::json;
use std::time::Duration;
use vestibule_testkit::app::{Scene, UNKNOWN_TOKEN};
use vestibule_testkit::scenes;

scenes!(gives_new_tokens, an_unknown_token_is_refused, an_access_token_is_no_refresh_token, a_token_is_required);

async fn gives_new_tokens(Scene { app, anonymous, alice, .. }: &Scene) {
    app.clock().advance(Duration::from_hours(1));
    let response = anonymous.refresh(alice.refresh_token()).await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json

    {
      "access_token": "[access_token]",
      "expires_in": 600,
      "refresh_expires_in": 1209600,
      "refresh_token": "[refresh_token]",
      "session_id": "019b76da-a800-7b6d-a429-59491d435338",
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
    assert_ne!(response.json["refresh_token"], alice.refresh_token());
    assert_eq!(response.json["session_id"], alice.session_id());
    let refreshed = anonymous.holding(&response);
    assert_eq!(refreshed.get("/users/me").await.status, 200);
    assert_eq!(refreshed.get("/users/me/sessions").await.json["data"][0]["last_seen_at"], "2026-01-01T01:00:00.000Z");
}

async fn an_unknown_token_is_refused(Scene { anonymous, .. }: &Scene) {
    assert_transcript!(anonymous.refresh(UNKNOWN_TOKEN).await, @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer

    {
      "code": "invalid_refresh_token",
      "detail": "The refresh token is unknown, has expired, was revoked or was used before. Log in again.",
      "instance": "/refresh",
      "request_id": "[request_id]",
      "status": 401,
      "title": "The refresh token is not valid",
      "type": "https://auth.example/problems/invalid_refresh_token"
    }
    "#);
    assert_eq!(anonymous.refresh("nonsense").await.code(), "invalid_refresh_token");
}

async fn an_access_token_is_no_refresh_token(Scene { anonymous, alice, .. }: &Scene) {
    assert_eq!(anonymous.refresh(alice.access_token()).await.code(), "invalid_refresh_token");
    assert_eq!(anonymous.refresh(alice.device_token()).await.code(), "invalid_refresh_token");
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 200);
}

async fn a_token_is_required(Scene { anonymous, .. }: &Scene) {
    let response = anonymous.post("/refresh", json!({"token": "x"})).await;
    let mut faults = response.faults();
    faults.sort_unstable();
    assert_eq!(faults, [("/refresh_token", "required"), ("/token", "unknown_field")]);
}
