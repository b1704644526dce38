//! `DELETE /users/{user}`.

use serde_json::json;
use std::time::Duration;
use vestibule_testkit::app::{ALICE, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(
    deletes_the_owner,
    needs_a_recent_login,
    honours_if_match,
    an_administrator_deletes_others,
    the_last_administrator_stays,
    others_do_not_exist_for_a_user,
);

async fn deletes_the_owner(Scene { app, anonymous, alice, .. }: &Scene) {
    let response = alice.delete("/users/me").await;
    assert_transcript!(response, @"
    204
    cache-control: no-store
    ");
    assert_eq!(alice.get("/users/me").await.code(), "invalid_token");
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.code(), "invalid_refresh_token");
    assert_eq!(anonymous.try_log_in(ALICE, PASSWORD).await.code(), "invalid_credentials");
    let trail = app.trail(alice.id()).await;
    assert!(trail.contains(&"user.registered".to_owned()) && trail.contains(&"user.deleted".to_owned()), "{trail:?}");
    let again = json!({"email": ALICE, "password": PASSWORD, "name": "Alice again"});
    let registered = anonymous.post("/users", again).await;
    assert_eq!(registered.status, 201);
    assert_ne!(registered.json["id"], alice.id(), "an id is never used again");
}

async fn needs_a_recent_login(Scene { app, anonymous, alice, .. }: &Scene) {
    app.clock().advance(Duration::from_secs(601));
    let alice = alice.holding(&anonymous.refresh(alice.refresh_token()).await);
    assert_transcript!(alice.delete("/users/me").await, @r#"
    403
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "reauthentication_required",
      "detail": "What could take an account over needs a login within the last 10 minutes. Log in again, then repeat the call with the new access token.",
      "instance": "/users/me",
      "request_id": "[request_id]",
      "status": 403,
      "title": "A recent login is needed",
      "type": "https://auth.example/problems/reauthentication_required"
    }
    "#);
    assert_eq!(alice.get("/users/me").await.status, 200);
}

async fn honours_if_match(Scene { alice, .. }: &Scene) {
    let etag = alice.get("/users/me").await.header("etag").expect("a validator").to_owned();
    assert_eq!(alice.patch("/users/me", json!({"name": "Alicia"})).await.status, 200);
    let stale = alice.delete("/users/me").header("if-match", etag).await;
    assert_eq!((stale.status, stale.code()), (412, "stale"));
    let etag = alice.get("/users/me").await.header("etag").expect("a validator").to_owned();
    assert_eq!(alice.delete("/users/me").header("if-match", etag).await.status, 204);
}

async fn an_administrator_deletes_others(Scene { app, alice, admin, .. }: &Scene) {
    app.clock().advance(Duration::from_secs(599));
    let path = format!("/users/{}", alice.id());
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.delete(&path).await.code(), "not_found");
    assert_eq!(alice.get("/users/me").await.status, 401);
}

async fn the_last_administrator_stays(Scene { app, admin, .. }: &Scene) {
    assert_transcript!(admin.delete("/users/me").await, @r#"
    409
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "last_admin",
      "detail": "Someone must be able to administer the service. Give another active user the role admin first.",
      "instance": "/users/me",
      "request_id": "[request_id]",
      "status": 409,
      "title": "The last administrator must stay one",
      "type": "https://auth.example/problems/last_admin"
    }
    "#);
    let second = app.register("second@example.com", "Second", &["admin"]).await;
    assert_eq!(admin.delete(&format!("/users/{}", second.id)).await.status, 204);
    app.register("third@example.com", "Third", &["admin"]).await;
    assert_eq!(admin.delete("/users/me").await.status, 204);
}

async fn others_do_not_exist_for_a_user(Scene { alice, admin, .. }: &Scene) {
    let other = alice.delete(&format!("/users/{}", admin.id())).await;
    assert_eq!((other.status, other.code()), (404, "not_found"));
    assert_eq!(admin.get("/users/me").await.status, 200);
}
