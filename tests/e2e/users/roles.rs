//! `PUT /users/{user}/roles`.

use serde_json::json;
use vestibule_testkit::app::{PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(sets_roles, an_unknown_role_is_a_fault, the_last_administrator_stays, users_may_not);

async fn sets_roles(Scene { app, alice, admin, .. }: &Scene) {
    let path = format!("/users/{}/roles", alice.id());
    assert_eq!(alice.get("/users").await.status, 403);
    assert_transcript!(admin.put(&path, json!({"roles": ["support"]})).await, @r#"
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
        "support"
      ],
      "status": "active",
      "updated_at": "2026-01-01T00:00:00.000Z"
    }
    "#);
    assert_eq!(alice.get("/users").await.status, 200, "the token in hand has the new permissions at once");
    assert_eq!(admin.put(&path, json!({"roles": []})).await.status, 200);
    assert_eq!(alice.get("/users").await.status, 403);
    let trail = app.trail(alice.id()).await;
    assert_eq!(trail.iter().filter(|event| *event == "user.roles_changed").count(), 2, "{trail:?}");
}

async fn an_unknown_role_is_a_fault(Scene { alice, admin, .. }: &Scene) {
    let path = format!("/users/{}/roles", alice.id());
    assert_transcript!(admin.put(&path, json!({"roles": ["emperor"]})).await, @r#"
    422
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "validation_failed",
      "detail": "The list errors has an entry for each fault: where it is, a stable code, and what would be right.",
      "errors": [
        {
          "code": "unknown_role",
          "detail": "there is no role emperor; there are: admin, support, user",
          "pointer": "/roles/0"
        }
      ],
      "instance": "/users/019b76da-a800-78d6-8a16-e9e9a8532b0c/roles",
      "request_id": "[request_id]",
      "status": 422,
      "title": "The content is not acceptable",
      "type": "https://auth.example/problems/validation_failed"
    }
    "#);
    let malformed = admin.put(&path, json!({"roles": ["Support", 7]})).await;
    assert_eq!(malformed.status, 422, "{malformed}");
    assert_eq!(malformed.faults().len(), 2, "{malformed}");
    assert_eq!(admin.put(&path, json!({"roles": "admin"})).await.status, 422);
}

async fn the_last_administrator_stays(Scene { app, anonymous, admin, .. }: &Scene) {
    let path = format!("/users/{}/roles", admin.id());
    assert_transcript!(admin.put(&path, json!({"roles": ["support"]})).await, @r#"
    409
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "last_admin",
      "detail": "Someone must be able to administer the service. Give another active user the role admin first.",
      "instance": "/users/019b76da-a800-70a6-8087-0d9d2e40e4dc/roles",
      "request_id": "[request_id]",
      "status": 409,
      "title": "The last administrator must stay one",
      "type": "https://auth.example/problems/last_admin"
    }
    "#);
    app.register("second@example.com", "Second", &["admin"]).await;
    assert_eq!(admin.put(&path, json!({"roles": []})).await.status, 200);
    assert_eq!(admin.get("/users").await.code(), "forbidden", "an administrator no longer");
    anonymous.log_in("second@example.com", PASSWORD).await;
}

async fn users_may_not(Scene { alice, admin, .. }: &Scene) {
    let own = alice.put("/users/me/roles", json!({"roles": ["admin"]})).await;
    assert_eq!((own.status, own.code()), (403, "forbidden"));
    let other = alice.put(&format!("/users/{}/roles", admin.id()), json!({"roles": []})).await;
    assert_eq!((other.status, other.code()), (404, "not_found"));
}
