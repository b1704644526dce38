//! `POST /revoke`.

use super::revoke;
use serde_json::json;
use std::time::Duration;
use vestibule_testkit::app::{ALICE, Client, PASSWORD, Scene, UNKNOWN_TOKEN};
use vestibule_testkit::scenes;

scenes!(
    ends_the_session_of_an_access_token,
    ends_the_session_of_a_refresh_token,
    what_is_over_or_never_was_answers_alike,
    an_expired_access_token_ends_nothing,
    a_spent_refresh_token_ends_its_session,
    other_sessions_go_on,
);

async fn is_alive(client: &Client) -> bool {
    client.get("/users/me").await.status == 200
}

async fn ends_the_session_of_an_access_token(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let response = revoke(anonymous, &shop, alice.access_token()).await;
    assert_transcript!(response, @"
    200
    cache-control: no-store
    ");
    assert!(!is_alive(alice).await);
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 401);
    assert!(app.trail(alice.id()).await.contains(&"session.ended revoked".to_owned()));
    let by =
        app.database().column("SELECT actor FROM audit_events WHERE client_id IS NOT NULL ORDER BY at, kind").await;
    assert_eq!(by, ["operator", "client"], "made by the operator, and then at work");
}

async fn ends_the_session_of_a_refresh_token(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    assert_eq!(revoke(anonymous, &shop, alice.refresh_token()).await.status, 200);
    assert!(!is_alive(alice).await);
}

/// RFC 7009, section 2.2.
async fn what_is_over_or_never_was_answers_alike(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let first = revoke(anonymous, &shop, alice.access_token()).await.to_string();
    for token in [alice.access_token(), alice.refresh_token(), UNKNOWN_TOKEN, "nonsense", alice.device_token(), "\0"] {
        assert_eq!(revoke(anonymous, &shop, token).await.to_string(), first, "{token}");
    }
    let ends = app.trail(alice.id()).await.into_iter().filter(|event| event.starts_with("session.ended")).count();
    assert_eq!(ends, 1);
}

async fn an_expired_access_token_ends_nothing(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    app.clock().advance(Duration::from_mins(11));
    assert_eq!(revoke(anonymous, &shop, alice.access_token()).await.status, 200, "it is not good any more");
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 200, "whoever finds it in a log cannot do harm");
}

async fn a_spent_refresh_token_ends_its_session(Scene { app, anonymous, alice, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let second = anonymous.refresh(alice.refresh_token()).await;
    let third = anonymous.refresh(second.json["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(third.status, 200);
    assert_eq!(revoke(anonymous, &shop, alice.refresh_token()).await.status, 200);
    assert!(!is_alive(alice).await);
    assert!(app.trail(alice.id()).await.contains(&"refresh_token.reused".to_owned()));
}

async fn other_sessions_go_on(Scene { app, anonymous, alice, admin, .. }: &Scene) {
    let shop = app.create_client("shop").await;
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    assert_eq!(revoke(anonymous, &shop, other.access_token()).await.status, 200);
    assert!(!is_alive(&other).await);
    assert!(is_alive(alice).await && is_alive(admin).await);
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
}
