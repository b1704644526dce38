//! `DELETE /users/{user}/sessions/{id}` and `DELETE /users/{user}/sessions`.

use vestibule_testkit::app::{ALICE, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(
    ends_one,
    ends_one_only_once,
    ends_all_but_the_current,
    an_administrator_ends_those_of_others,
    another_users_session_does_not_exist,
);

async fn ends_one(Scene { app, anonymous, alice, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    assert_transcript!(alice.delete(&format!("/users/me/sessions/{}", other.session_id())).await, @"
    204
    cache-control: no-store
    ");
    assert_eq!(other.get("/users/me").await.code(), "invalid_token");
    assert_eq!(anonymous.refresh(other.refresh_token()).await.status, 401);
    assert_eq!(alice.get("/users/me").await.status, 200);
    assert!(app.trail(alice.id()).await.contains(&"session.ended revoked".to_owned()));
}

async fn ends_one_only_once(Scene { anonymous, alice, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    let path = format!("/users/me/sessions/{}", other.session_id());
    assert_eq!(alice.delete(&path).await.status, 204);
    assert_transcript!(alice.delete(&path).await, @r#"
    404
    cache-control: no-store
    content-type: application/problem+json

    {
      "code": "not_found",
      "detail": "The path is unknown, or what it names does not exist or is not for the caller to see.",
      "instance": "/users/me/sessions/019b76da-a800-7e3b-889a-d8b6accd564d",
      "request_id": "[request_id]",
      "status": 404,
      "title": "There is nothing here",
      "type": "https://auth.example/problems/not_found"
    }
    "#);
}

async fn ends_all_but_the_current(Scene { anonymous, alice, admin, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    for _ in 0..2 {
        assert_eq!(alice.delete("/users/me/sessions").await.status, 204);
    }
    assert_eq!(other.get("/users/me").await.status, 401);
    assert_eq!(alice.get("/users/me").await.status, 200);
    assert_eq!(admin.get("/users/me").await.status, 200);
}

async fn an_administrator_ends_those_of_others(Scene { anonymous, alice, admin, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    let one = format!("/users/{}/sessions/{}", alice.id(), alice.session_id());
    assert_eq!(admin.delete(&one).await.status, 204);
    assert_eq!(other.get("/users/me").await.status, 200);
    assert_eq!(admin.delete(&format!("/users/{}/sessions", alice.id())).await.status, 204);
    assert_eq!(other.get("/users/me").await.status, 401);
    assert_eq!(admin.get("/users/me").await.status, 200);
}

async fn another_users_session_does_not_exist(Scene { alice, admin, .. }: &Scene) {
    let own_path = alice.delete(&format!("/users/me/sessions/{}", admin.session_id())).await;
    let others_path = alice.delete(&format!("/users/{}/sessions/{}", admin.id(), admin.session_id())).await;
    let all = alice.delete(&format!("/users/{}/sessions", admin.id())).await;
    for response in [own_path, others_path, all] {
        assert_eq!((response.status, response.code()), (404, "not_found"));
    }
    assert_eq!(admin.get("/users/me").await.status, 200);
}
