//! Finding out by registrations who has an account, and with which password.

use super::{behind, limited, register, seen};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::user::RegistrationMode;
use vestibule_testkit::app::{ALICE, PASSWORD, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(; with_setup:
    d44_taken_addresses_are_told_five_times_an_hour,
    d44_strict_registration_tells_nothing,
    d44_registrations_at_once_keep_others_waiting_for_seconds,
    j124_a_key_is_no_way_to_try_passwords,
);

async fn d44_taken_addresses_are_told_five_times_an_hour(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    for n in 0..5 {
        assert_eq!(register(anonymous, "192.0.2.1", &format!("new{n}@example.com")).await.status, 201);
        assert_eq!(register(anonymous, "192.0.2.1", ALICE).await.status, 409);
    }
    let hashed = app.hasher.asked();
    for email in [ALICE, "free@example.com"] {
        let refused = register(anonymous, "192.0.2.1", email).await;
        assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
        assert_eq!(refused.header("retry-after"), Some("720"));
        assert_eq!(refused.header("ratelimit"), Some("\"taken\";r=0;t=720"));
        assert_eq!(refused.header("ratelimit-policy"), Some("\"taken\";q=5;w=3600"));
    }
    assert_eq!(app.hasher.asked(), hashed);
    assert_eq!(register(anonymous, "192.0.2.2", "free@example.com").await.status, 201);
    scene.app.finish().await;
}

async fn d44_strict_registration_tells_nothing(store: StoreKind) {
    let mut setup = limited();
    setup.domain.registration = RegistrationMode::Strict;
    let scene = TestApp::start(store, setup).await;
    for n in 0..8 {
        let taken = register(&scene.anonymous, "192.0.2.1", ALICE).await;
        let free = register(&scene.anonymous, "192.0.2.2", &format!("new{n}@example.com")).await;
        assert_eq!((taken.status, seen(&taken)), (202, seen(&free)));
    }
    scene.app.finish().await;
}

async fn d44_registrations_at_once_keep_others_waiting_for_seconds(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    let (held, asked) = (app.hasher.hold().await, app.hasher.asked());
    let mut registrations = JoinSet::new();
    for n in 0..5 {
        let client = anonymous.clone();
        registrations.spawn(async move { register(&client, "192.0.2.1", &format!("new{n}@example.com")).await.status });
    }
    app.hasher.was_asked(asked + 5).await;
    let refused = register(anonymous, "192.0.2.1", "last@example.com").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("2")));
    assert_eq!(refused.header("ratelimit"), Some("\"taken\";r=0;t=2"));
    drop(held);
    assert_eq!(registrations.join_all().await, [201; 5]);
    assert_eq!(register(anonymous, "192.0.2.1", "last@example.com").await.status, 201, "at once, on this replica");
    scene.app.finish().await;
}

async fn j124_a_key_is_no_way_to_try_passwords(store: StoreKind) {
    let mut setup = limited();
    setup.domain.limits.idempotency.burst = 3;
    let scene = TestApp::start(store, setup).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    let register = |n: u8, key: &'static str, password: &str| {
        let body = json!({"email": "bob@example.com", "password": password, "name": "Bob"});
        behind(anonymous, &format!("192.0.2.{n}"), "/users", body).header("idempotency-key", key)
    };
    assert_eq!(register(0, "one", PASSWORD).await.status, 201);
    let mut statuses = Vec::new();
    for n in 1..6 {
        statuses.push(register(n, "one", "another staple for the battery").await.status);
    }
    assert_eq!(statuses, [422, 422, 429, 429, 429]);
    // Nor the right one: the answer would tell.
    let hashed = app.hasher.asked();
    let refused = register(9, "\"one\"", PASSWORD).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1200")));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"idempotency\";q=3;w=3600"));
    assert_eq!(app.hasher.asked(), hashed);
    assert_eq!(register(9, "two", PASSWORD).await.status, 409);
    app.clock().advance(Duration::from_mins(20));
    assert_eq!(register(9, "one", PASSWORD).await.status, 201);
    scene.app.finish().await;
}
