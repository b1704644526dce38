//! Keys that come and go, and tokens that are over.

use super::refused;
use crate::security::token::claims;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::token::RotationTiming;
use vestibule_testkit::app::{Client, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(
    e65_a_token_that_was_good_ends_with_its_time,
    e70_a_token_in_use_has_no_other_spelling,
    e74_rotation_disturbs_nobody,
    e74_no_token_is_refused_while_keys_rotate_under_load,
    e75_a_revoked_key_is_refused_at_once,
    e76_a_token_is_over_with_its_session,
);

async fn e65_a_token_that_was_good_ends_with_its_time(Scene { app, anonymous, alice, .. }: &Scene) {
    assert_eq!(alice.get("/users/me").await.status, 200);
    app.clock().advance(Duration::from_secs(629));
    assert_eq!(alice.get("/users/me").await.status, 200, "within the leeway");
    app.clock().advance(Duration::from_secs(1));
    refused(anonymous, alice.access_token(), "its time is over").await;
}

/// The last character has bits that decode to nothing: others decode to the same signature.
async fn e70_a_token_in_use_has_no_other_spelling(Scene { anonymous, alice, .. }: &Scene) {
    assert_eq!(alice.get("/users/me").await.status, 200);
    let token = alice.access_token();
    let (rest, last) = token.split_at(token.len() - 1);
    for other in ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).filter(|c| !last.starts_with(*c)) {
        refused(anonymous, &format!("{rest}{other}"), &format!("{other} for {last}")).await;
    }
    refused(anonymous, &format!("{token}="), "padded").await;
    assert_eq!(alice.get("/users/me").await.status, 200);
}

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

/// Refreshes at one replica and uses the token at the other, until the keys have changed; the ids of those that signed.
async fn refresh_and_use(mut here: Client, mut there: Client, done: Arc<AtomicBool>) -> BTreeSet<String> {
    let mut signed = BTreeSet::new();
    while !done.load(Ordering::Relaxed) {
        let tokens = here.refresh(here.refresh_token()).await;
        assert_eq!(tokens.status, 200, "{tokens}");
        (here, there) = (there.holding(&tokens), here.holding(&tokens));
        let used = here.get("/users/me").await;
        assert_eq!(used.status, 200, "{used}");
        signed.insert(claims(here.access_token()).0["kid"].as_str().expect("a kid").to_owned());
    }
    signed
}

async fn e74_no_token_is_refused_while_keys_rotate_under_load(Scene { app, anonymous, .. }: &Scene) {
    let (replica, done) = (app.replica().await, Arc::new(AtomicBool::new(false)));
    let mut load = JoinSet::new();
    for _ in 0..2 {
        let client = anonymous.log_in("alice@example.com", PASSWORD).await;
        load.spawn(refresh_and_use(client.clone(), client.at(&replica), Arc::clone(&done)));
    }
    for _ in 0..2 {
        app.services.keys.rotate(RotationTiming::Published).await.expect("a rotation");
        for _ in 0..11 {
            // What is measured is the order of events: some requests in each minute of the clock.
            for client in [anonymous.clone(), anonymous.at(&replica)] {
                client.log_in("alice@example.com", PASSWORD).await;
            }
            app.clock().advance(Duration::from_mins(1));
        }
    }
    done.store(true, Ordering::Relaxed);
    for signed in load.join_all().await {
        assert!(signed.len() >= 2, "keys changed under the load: {signed:?}");
    }
    replica.stop().await;
}

async fn e75_a_revoked_key_is_refused_at_once(Scene { app, anonymous, alice, .. }: &Scene) {
    assert_eq!(alice.get("/users/me").await.status, 200, "and remembered");
    let (active, _) = app.services.keys.list().await.expect("the keys").remove(0);
    app.services.keys.revoke(active.id).await.expect("a revocation");
    refused(anonymous, alice.access_token(), "of a revoked key").await;
    let refreshed = anonymous.refresh(alice.refresh_token()).await;
    assert_eq!(anonymous.holding(&refreshed).get("/users/me").await.status, 200, "sessions recover");
    let keys = anonymous.get("/.well-known/jwks.json").await.json["keys"].clone();
    assert!(keys.as_array().is_some_and(|keys| keys.iter().all(|key| key["kid"] != active.id.to_string())));
}

/// CVE-2026-9097.
async fn e76_a_token_is_over_with_its_session(Scene { anonymous, alice, .. }: &Scene) {
    assert_eq!(alice.get("/users/me").await.status, 200, "and remembered");
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    refused(anonymous, alice.access_token(), "after the logout").await;
}
