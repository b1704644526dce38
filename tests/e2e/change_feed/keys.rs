//! Signing keys, rotated and revoked by a command beside running processes.

use super::until;
use crate::security::token::claims;
use vestibule_domain::token::RotationTiming;
use vestibule_testkit::app::{ALICE, PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(a_rotation_is_felt, a_revocation_is_felt);

async fn a_rotation_is_felt(Scene { app, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let anonymous = replica.anonymous();
    let old = claims(alice.access_token()).0["kid"].clone();
    app.services.keys.rotate(RotationTiming::Now).await.expect("a rotation");
    until(async || {
        let keys = anonymous.get("/.well-known/jwks.json").await.json["keys"].clone();
        keys.as_array().is_some_and(|keys| keys.len() == 2)
    })
    .await;
    let fresh = anonymous.log_in(ALICE, PASSWORD).await;
    assert_ne!(claims(fresh.access_token()).0["kid"], old, "the new key signs everywhere");
    assert_eq!(fresh.at(app).get("/users/me").await.status, 200);
    assert_eq!(alice.at(&replica).get("/users/me").await.status, 200, "what the old one signed goes on");
    replica.stop().await;
}

async fn a_revocation_is_felt(Scene { app, anonymous, alice, .. }: &Scene) {
    let replica = app.replica().await;
    assert_eq!(alice.at(&replica).get("/users/me").await.status, 200);
    let (active, _) = app.services.keys.list().await.expect("the keys").remove(0);
    app.services.keys.revoke(active.id).await.expect("a revocation");
    until(async || alice.at(&replica).get("/users/me").await.status == 401).await;
    let refreshed = anonymous.refresh(alice.refresh_token()).await;
    let alice = anonymous.holding(&refreshed);
    until(async || alice.at(&replica).get("/users/me").await.status == 200).await;
    replica.stop().await;
}
