//! `POST /users/{user}/disable` and `POST /users/{user}/enable`.

use serde_json::json;
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Response, Scene};
use vestibule_testkit::scenes;

scenes!(disabling_ends_everything, enabling_lets_in_again, the_last_administrator_stays, users_may_not);

async fn disable(by: &Client, id: &str) -> Response {
    by.post(&format!("/users/{id}/disable"), json!({})).await
}

async fn disabling_ends_everything(Scene { app, anonymous, alice, admin }: &Scene) {
    let response = disable(admin, alice.id()).await;
    assert_transcript!(response, @r#"
    200
    cache-control: no-store
    content-type: application/json
    etag: "3"

    {
      "created_at": "2026-01-01T00:00:00.000Z",
      "email": "alice@example.com",
      "email_verified": false,
      "id": "019b76da-a800-78d6-8a16-e9e9a8532b0c",
      "last_login_at": "2026-01-01T00:00:00.000Z",
      "name": "Alice Example",
      "roles": [
        "user"
      ],
      "status": "disabled",
      "updated_at": "2026-01-01T00:00:00.000Z"
    }
    "#);
    assert_eq!(alice.get("/users/me").await.code(), "invalid_token");
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.code(), "invalid_refresh_token");
    assert_eq!(anonymous.try_log_in(ALICE, PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(disable(admin, alice.id()).await.status, 200, "a second time is no error");
    let trail = app.trail(alice.id()).await;
    assert!(trail.contains(&"user.disabled".to_owned()));
    assert!(trail.contains(&"login.failed disabled".to_owned()), "the trail knows the reason: {trail:?}");
}

async fn enabling_lets_in_again(Scene { anonymous, alice, admin, .. }: &Scene) {
    disable(admin, alice.id()).await;
    let response = admin.post(&format!("/users/{}/enable", alice.id()), json!({})).await;
    assert_eq!((response.status, &response.json["status"]), (200, &json!("active")));
    assert_eq!(alice.get("/users/me").await.status, 401, "what was ended stays over");
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 401);
    anonymous.log_in(ALICE, PASSWORD).await;
}

async fn the_last_administrator_stays(Scene { app, anonymous, admin, .. }: &Scene) {
    assert_transcript!(disable(admin, admin.id()).await, @r#"
    409
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "last_admin",
      "detail": "Someone must be able to administer the service. Give another active user the role admin first.",
      "instance": "/users/019b76da-a800-70a6-8087-0d9d2e40e4dc/disable",
      "request_id": "[request_id]",
      "status": 409,
      "title": "The last administrator must stay one",
      "type": "https://auth.example/problems/last_admin"
    }
    "#);
    let second = app.register("second@example.com", "Second", &["admin"]).await;
    let second_admin = anonymous.log_in("second@example.com", PASSWORD).await;
    assert_eq!(disable(admin, &second.id.to_string()).await.status, 200);
    assert_eq!(disable(admin, admin.id()).await.code(), "last_admin", "a disabled administrator is none");
    assert_eq!(second_admin.get("/users").await.status, 401);
}

async fn users_may_not(Scene { alice, admin, .. }: &Scene) {
    for action in ["disable", "enable"] {
        let own = alice.post(&format!("/users/me/{action}"), json!({})).await;
        assert_eq!((own.status, own.code()), (403, "forbidden"));
        let other = alice.post(&format!("/users/{}/{action}", admin.id()), json!({})).await;
        assert_eq!((other.status, other.code()), (404, "not_found"));
        let unknown = admin.post(&format!("/users/01890000-0000-7000-8000-000000000000/{action}"), json!({})).await;
        assert_eq!((unknown.status, unknown.code()), (404, "not_found"));
    }
}
