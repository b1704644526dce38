//! `POST /logout`.

use reqwest::Method;
use serde_json::json;
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Scene, UNKNOWN_TOKEN};
use vestibule_testkit::scenes;

scenes!(
    ends_the_current_session,
    ends_the_others,
    ends_all,
    works_with_a_refresh_token_alone,
    a_second_time_is_no_error,
    a_spent_refresh_token_ends_its_session,
    needs_a_token,
    an_unknown_scope_is_a_fault,
);

async fn is_alive(client: &Client) -> bool {
    client.get("/users/me").await.status == 200
}

async fn ends_the_current_session(Scene { app, anonymous, alice, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    let response = alice.request(Method::POST, "/logout").await;
    assert_transcript!(response, @"
    204
    cache-control: no-store
    ");
    assert!(!is_alive(alice).await);
    assert!(is_alive(&other).await);
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 401);
    assert!(app.trail(alice.id()).await.contains(&"session.ended logged_out".to_owned()));
}

async fn ends_the_others(Scene { anonymous, alice, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    assert_eq!(alice.post("/logout", json!({"scope": "others"})).await.status, 204);
    assert!(is_alive(alice).await);
    assert!(!is_alive(&other).await);
}

async fn ends_all(Scene { anonymous, alice, admin, .. }: &Scene) {
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    assert_eq!(alice.post("/logout", json!({"scope": "all"})).await.status, 204);
    assert!(!is_alive(alice).await);
    assert!(!is_alive(&other).await);
    assert!(is_alive(admin).await);
}

async fn works_with_a_refresh_token_alone(Scene { anonymous, alice, .. }: &Scene) {
    let body = json!({"refresh_token": alice.refresh_token()});
    assert_eq!(anonymous.post("/logout", body).await.status, 204);
    assert!(!is_alive(alice).await);
    let unknown = json!({"refresh_token": UNKNOWN_TOKEN});
    assert_eq!(anonymous.post("/logout", unknown).await.status, 204, "the answer does not tell (RFC 7009, 2.2)");
}

async fn a_second_time_is_no_error(Scene { anonymous, alice, .. }: &Scene) {
    for _ in 0..2 {
        assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    }
    for _ in 0..2 {
        let body = json!({"refresh_token": alice.refresh_token()});
        assert_eq!(anonymous.post("/logout", body).await.status, 204);
    }
}

async fn a_spent_refresh_token_ends_its_session(Scene { app, anonymous, alice, .. }: &Scene) {
    let second = anonymous.refresh(alice.refresh_token()).await;
    let third = anonymous.refresh(second.json["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(third.status, 200);
    let body = json!({"refresh_token": alice.refresh_token()});
    assert_eq!(anonymous.post("/logout", body).await.status, 204);
    assert!(!is_alive(alice).await, "as by a refresh: one of its holders is a thief");
    assert!(app.trail(alice.id()).await.contains(&"refresh_token.reused".to_owned()));
}

async fn needs_a_token(Scene { anonymous, .. }: &Scene) {
    assert_transcript!(anonymous.request(Method::POST, "/logout").await, @r#"
    401
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer

    {
      "code": "unauthenticated",
      "detail": "Send the access token from POST /login in the header: Authorization: Bearer and the token.",
      "instance": "/logout",
      "request_id": "[request_id]",
      "status": 401,
      "title": "An access token is needed",
      "type": "https://auth.example/problems/unauthenticated"
    }
    "#);
    assert_eq!(anonymous.with_token("nonsense").request(Method::POST, "/logout").await.code(), "invalid_token");
}

async fn an_unknown_scope_is_a_fault(Scene { alice, .. }: &Scene) {
    let response = alice.post("/logout", json!({"scope": "everyone"})).await;
    assert_eq!((response.status, response.faults()[0].0), (422, "/scope"));
    assert!(is_alive(alice).await);
}
