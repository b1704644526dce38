//! A process that is cut off trusts its memory no longer than it may.

use serde_json::json;
use std::time::Duration;
use vestibule_testkit::app::Scene;
use vestibule_testkit::counting::Reach;
use vestibule_testkit::scenes;

scenes!(
    j133_a_replica_cut_off_from_the_feed_asks_the_store,
    j133_without_the_store_memory_serves_for_less_than_a_second,
    j119_trouble_of_the_store_is_never_a_verdict,
);

async fn j133_a_replica_cut_off_from_the_feed_asks_the_store(Scene { app, alice, .. }: &Scene) {
    let replica = app.replica().await;
    let there = alice.at(&replica);
    assert_eq!(there.get("/users/me").await.status, 200);
    replica.store.set_reach(Reach::NoFeed);
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    app.clock().advance(Duration::from_secs(1));
    let before = replica.store.calls();
    assert_eq!(there.get("/users/me").await.code(), "invalid_token");
    assert_ne!(replica.store.calls(), before, "it asked");
    replica.stop().await;
}

async fn j133_without_the_store_memory_serves_for_less_than_a_second(Scene { app, alice, .. }: &Scene) {
    assert_eq!(alice.get("/users/me").await.status, 200);
    app.store.set_reach(Reach::Nothing);
    app.clock().advance(Duration::from_secs(1));
    let response = alice.get("/users/me").await;
    assert_eq!((response.status, response.code()), (503, "unavailable"));
    app.store.set_reach(Reach::Everything);
    assert_eq!(alice.get("/users/me").await.status, 200, "and it comes back by itself");
}

async fn j119_trouble_of_the_store_is_never_a_verdict(Scene { app, anonymous, alice, admin }: &Scene) {
    app.store.set_reach(Reach::Nothing);
    let answers = [
        anonymous.try_log_in("alice@example.com", "anything").await,
        anonymous.refresh(alice.refresh_token()).await,
        anonymous.post("/logout", json!({"refresh_token": alice.refresh_token()})).await,
        anonymous
            .post("/users", json!({"email": "bob@example.com", "password": "quietly walking", "name": "Bob"}))
            .await,
        admin.get("/users").await,
        alice.patch("/users/me", json!({"name": "Alicia"})).await,
        alice.delete("/users/me").await,
    ];
    for answer in answers {
        assert_eq!((answer.status, answer.code()), (503, "unavailable"), "{answer}");
        assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u8>().is_ok_and(|s| s <= 2)));
        assert!(!answer.text.contains("lost by the test"), "the cause is for the log alone");
    }
    assert_eq!(anonymous.get("/.well-known/jwks.json").await.status, 200, "keys are in memory");
    app.store.set_reach(Reach::Everything);
    assert_eq!(alice.get("/users/me").await.json["name"], "Alice Example");
}
