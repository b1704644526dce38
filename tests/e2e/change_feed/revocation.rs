//! Ends of sessions and changes of users, felt on another replica without a look at the store per request.

use super::until;
use serde_json::json;
use vestibule_testkit::app::{ALICE, Client, Node, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(
    a_logout_is_felt,
    the_end_of_a_session_is_felt,
    a_change_of_password_is_felt,
    a_disabling_is_felt,
    a_deletion_is_felt,
    a_change_of_roles_is_felt,
    a_change_of_the_profile_is_felt,
    the_reuse_of_a_refresh_token_is_felt,
);

/// Lets the replica remember the session: from now on only the feed can make it ask again.
async fn remembered(client: &Client, replica: &Node) -> Client {
    let there = client.at(replica);
    // What was remembered before would be forgotten again.
    replica.store.caught_up().await;
    assert_eq!(there.get("/users/me").await.status, 200);
    let before = replica.store.calls();
    assert_eq!(there.get("/users/me").await.status, 200);
    assert_eq!(replica.store.calls(), before, "it remembers");
    there
}

async fn is_refused(client: &Client) -> bool {
    let response = client.get("/users/me").await;
    assert!(matches!(response.status, 200 | 401), "{response}");
    response.status == 401
}

async fn a_logout_is_felt(Scene { app, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let there = remembered(alice, &replica).await;
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    until(async || is_refused(&there).await).await;
    replica.stop().await;
}

async fn the_end_of_a_session_is_felt(Scene { app, anonymous, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    let (there, stays) = (remembered(&other, &replica).await, remembered(alice, &replica).await);
    assert_eq!(alice.delete(&format!("/users/me/sessions/{}", other.session_id())).await.status, 204);
    until(async || is_refused(&there).await).await;
    assert!(!is_refused(&stays).await);
    replica.stop().await;
}

async fn a_change_of_password_is_felt(Scene { app, anonymous, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let other = anonymous.log_in(ALICE, PASSWORD).await;
    let (there, stays) = (remembered(&other, &replica).await, remembered(alice, &replica).await);
    let body = json!({"current_password": PASSWORD, "new_password": "an entirely new passphrase"});
    assert_eq!(alice.put("/users/me/password", body).await.status, 204);
    until(async || is_refused(&there).await).await;
    assert!(!is_refused(&stays).await);
    replica.stop().await;
}

async fn a_disabling_is_felt(Scene { app, alice, admin, .. }: &Scene) {
    let replica = app.replica().await;
    let there = remembered(alice, &replica).await;
    assert_eq!(admin.post(&format!("/users/{}/disable", alice.id()), json!({})).await.status, 200);
    until(async || is_refused(&there).await).await;
    replica.stop().await;
}

async fn a_deletion_is_felt(Scene { app, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let there = remembered(alice, &replica).await;
    assert_eq!(alice.delete("/users/me").await.status, 204);
    until(async || is_refused(&there).await).await;
    replica.stop().await;
}

async fn a_change_of_roles_is_felt(Scene { app, alice, admin, .. }: &Scene) {
    let replica = app.replica().await;
    let there = remembered(alice, &replica).await;
    let path = format!("/users/{}/roles", alice.id());
    assert_eq!(admin.put(&path, json!({"roles": ["support"]})).await.status, 200);
    until(async || there.get("/users/me").await.json["roles"] == json!(["support"])).await;
    replica.stop().await;
}

async fn a_change_of_the_profile_is_felt(Scene { app, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let there = remembered(alice, &replica).await;
    assert_eq!(alice.patch("/users/me", json!({"name": "Alicia"})).await.status, 200);
    assert_eq!(alice.get("/users/me").await.json["name"], "Alicia", "where it was made it is felt at once");
    until(async || there.get("/users/me").await.json["name"] == "Alicia").await;
    replica.stop().await;
}

async fn the_reuse_of_a_refresh_token_is_felt(Scene { app, anonymous, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let there = remembered(alice, &replica).await;
    let child = anonymous.refresh(alice.refresh_token()).await;
    let grandchild = anonymous.refresh(child.json["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(grandchild.status, 200);
    assert_eq!(anonymous.refresh(alice.refresh_token()).await.status, 401);
    until(async || is_refused(&there).await).await;
    replica.stop().await;
}
