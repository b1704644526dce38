//! Devices that an account was opened from.

use super::{behind, limited, log_in};
use serde_json::json;
use std::time::Duration;
use vestibule_testkit::app::{ADMIN, ALICE, Client, PASSWORD, Scene, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(; with_setup:
    d50_nobody_locks_the_owner_of_a_device_out,
    d50_many_known_devices_are_not_as_many_budgets,
);

/// CVE-2024-1722.
async fn d50_nobody_locks_the_owner_of_a_device_out(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let Scene { anonymous, alice, .. } = &scene;
    while log_in(anonymous, "192.0.2.1", ALICE, "wrong").await.status != 429 {}
    let from_device = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password, "device_token": alice.device_token()});
        behind(anonymous, "192.0.2.1", "/login", body)
    };
    assert_eq!(log_in(anonymous, "192.0.2.1", ALICE, PASSWORD).await.status, 429);
    assert_eq!(from_device(ALICE, PASSWORD).await.status, 200);
    // Its budget is its own, and it opens no other account's.
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(from_device(ALICE, "wrong").await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    let other = from_device(ADMIN, "wrong").await;
    assert_eq!(other.header("ratelimit-policy"), Some("\"login\";q=10;w=30"));
    scene.app.finish().await;
}

async fn d50_many_known_devices_are_not_as_many_budgets(store: StoreKind) {
    let mut setup = limited();
    setup.domain.limits.devices.burst = 8;
    let scene = TestApp::start(store, setup).await;
    let Scene { app, anonymous, alice, .. } = &scene;
    let stolen = [anonymous.log_in(ALICE, PASSWORD).await, anonymous.log_in(ALICE, PASSWORD).await];
    let from = |device: &Client, password: &str| {
        let body = json!({"email": ALICE, "password": password, "device_token": device.device_token()});
        behind(anonymous, "192.0.2.1", "/login", body)
    };
    let hashed = app.hasher.asked();
    let mut last = None;
    for n in 0..12 {
        last = Some(from(&stolen[n % 2], "wrong").await);
    }
    assert_eq!(app.hasher.asked() - hashed, 8);
    let last = last.expect("an answer");
    assert_eq!((last.status, last.header("ratelimit-policy")), (429, Some("\"devices\";q=8;w=360")));
    // One of them alone keeps no other one out.
    app.clock().advance(Duration::from_hours(1));
    while from(&stolen[0], "wrong").await.status != 429 {}
    assert_eq!(from(alice, PASSWORD).await.status, 200);
    scene.app.finish().await;
}
