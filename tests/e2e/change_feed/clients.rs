//! Other services and their questions, with a replica beside.

use super::until;
use reqwest::Method;
use serde_json::json;
use vestibule_domain::id::ClientId;
use vestibule_testkit::app::{Client, ClientCredentials, Response, Scene};
use vestibule_testkit::scenes;

scenes!(a_new_client_is_known_and_a_deleted_one_is_not, an_end_is_felt_by_introspection, a_revocation_is_felt);

async fn introspect(client: &Client, by: &ClientCredentials, token: &str) -> Response {
    client.request(Method::POST, "/introspect").by(by).form(&[("token", token)]).await
}

async fn a_new_client_is_known_and_a_deleted_one_is_not(Scene { app, anonymous, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let there = anonymous.at(&replica);
    let first = app.create_client("first").await;
    until(async || introspect(&there, &first, alice.access_token()).await.status == 200).await;
    let second = app.create_client("second").await;
    until(async || introspect(&there, &second, alice.access_token()).await.status == 200).await;
    let id = ClientId::parse(&first.id).expect("an id");
    app.services.clients.delete(id).await.expect("a deletion");
    until(async || introspect(&there, &first, alice.access_token()).await.status == 401).await;
    assert_eq!(introspect(&there, &second, alice.access_token()).await.status, 200);
    replica.stop().await;
}

async fn an_end_is_felt_by_introspection(Scene { app, anonymous, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let there = anonymous.at(&replica);
    let shop = app.create_client("shop").await;
    replica.store.caught_up().await;
    let is_active = async || introspect(&there, &shop, alice.access_token()).await.json["active"].clone();
    assert_eq!(is_active().await, true);
    let before = replica.store.calls();
    assert_eq!(is_active().await, true);
    assert_eq!(replica.store.calls(), before, "it remembers");
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    until(async || is_active().await == false).await;
    replica.stop().await;
}

async fn a_revocation_is_felt(Scene { app, anonymous, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let there = alice.at(&replica);
    let shop = app.create_client("shop").await;
    assert_eq!(there.get("/users/me").await.status, 200);
    let form = [("token", alice.refresh_token())];
    assert_eq!(anonymous.request(Method::POST, "/revoke").by(&shop).form(&form).await.status, 200);
    until(async || there.get("/users/me").await.status == 401).await;
    replica.stop().await;
}
