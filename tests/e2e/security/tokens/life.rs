//! Keys that come and go, and tokens that are over.

use super::refused;
use crate::security::token::claims;
use serde_json::json;
use std::time::Duration;
use vestibule_domain::token::RotationTiming;
use vestibule_testkit::app::{Client, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(e74_rotation_disturbs_nobody, e75_a_revoked_key_is_refused_at_once, e76_a_token_is_over_with_its_session,);

async fn e74_rotation_disturbs_nobody(Scene { app, anonymous, alice, .. }: &Scene) {
    let kids = async || {
        let keys = anonymous.get("/.well-known/jwks.json").await.json["keys"].clone();
        let kids = keys.as_array().expect("keys").iter().map(|key| key["kid"].as_str().expect("a kid").to_owned());
        kids.collect::<Vec<_>>()
    };
    let kid = |client: &Client| claims(client.access_token()).0["kid"].as_str().expect("a kid").to_owned();
    let old = kid(alice);
    assert_eq!(kids().await, [&*old]);
    app.services.keys.rotate(RotationTiming::Published).await.expect("a rotation");
    let published = kids().await;
    assert_eq!(published.len(), 2, "the next key is published before it signs");
    assert_eq!(kid(&anonymous.log_in("alice@example.com", PASSWORD).await), old);
    app.clock().advance(Duration::from_mins(9));
    let last = anonymous.log_in("alice@example.com", PASSWORD).await;
    assert_eq!(kid(&last), old);
    app.clock().advance(Duration::from_secs(61));
    let fresh = anonymous.log_in("alice@example.com", PASSWORD).await;
    assert!(kid(&fresh) != old && published.contains(&kid(&fresh)));
    app.clock().advance(Duration::from_mins(8));
    assert_eq!(last.get("/users/me").await.status, 200, "until the last token of the old key has expired");
    app.clock().advance(Duration::from_mins(10));
    assert_eq!(kids().await, [kid(&fresh)], "retired");
}

async fn e75_a_revoked_key_is_refused_at_once(Scene { app, anonymous, alice, .. }: &Scene) {
    let (active, _) = app.services.keys.list().await.expect("the keys").remove(0);
    app.services.keys.revoke(active.id).await.expect("a revocation");
    refused(anonymous, alice.access_token(), "of a revoked key").await;
    let refreshed = anonymous.refresh(alice.refresh_token()).await;
    assert_eq!(anonymous.holding(&refreshed).get("/users/me").await.status, 200, "sessions recover");
    let keys = anonymous.get("/.well-known/jwks.json").await.json["keys"].clone();
    assert!(keys.as_array().is_some_and(|keys| keys.iter().all(|key| key["kid"] != active.id.to_string())));
}

async fn e76_a_token_is_over_with_its_session(Scene { anonymous, alice, .. }: &Scene) {
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    refused(anonymous, alice.access_token(), "after the logout").await;
}
