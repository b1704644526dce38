//! By which address a client is counted, and where.

use super::{limited, log_in};
use std::collections::BTreeMap;
use std::time::Duration;
use vestibule_testkit::app::{ALICE, PASSWORD, TestApp};
use vestibule_testkit::counting::Reach;
use vestibule_testkit::{StoreKind, scenes};

scenes!(; with_setup:
    d54_only_trusted_proxies_name_the_client,
    d55_a_network_has_one_budget,
    d56_without_the_store_attempts_are_counted_in_memory,
    an_attempt_is_counted_in_three_round_trips,
);

/// CVE-2023-36456.
async fn d54_only_trusted_proxies_name_the_client(store: StoreKind) {
    let mut setup = limited();
    setup.http.trusted_proxies.clear();
    let scene = TestApp::start(store, setup).await;
    for n in 0..12 {
        let answer = log_in(&scene.anonymous, &format!("192.0.2.{n}"), &format!("user{n}@example.com"), "wrong").await;
        assert_eq!(answer.status, if n < 10 { 401 } else { 429 }, "{n}");
    }
    scene.app.finish().await;
}

/// CVE-2026-45364: each address of a /64 had a budget of its own.
async fn d55_a_network_has_one_budget(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let spellings = [
        ["2001:db8::1", "2001:DB8:0:0:ffff::", "2001:0db8:0000:0000:0000:0000:0000:00ff"],
        ["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:c000:201"],
    ];
    for same in spellings {
        for n in 0..12 {
            let email = format!("user{n}@example.com");
            let answer = log_in(&scene.anonymous, same[n % 3], &email, "wrong").await;
            assert_eq!(answer.status, if n < 10 { 401 } else { 429 }, "{n}: {}", same[n % 3]);
        }
        scene.app.clock().advance(Duration::from_mins(1));
    }
    scene.app.finish().await;
}

async fn d56_without_the_store_attempts_are_counted_in_memory(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    app.store.set_reach(Reach::NoThrottles);
    let hashed = app.hasher.asked();
    // It might only be busy.
    assert_eq!(log_in(anonymous, "192.0.2.1", ALICE, "wrong").await.status, 503);
    app.clock().advance(Duration::from_secs(1));
    for n in 0..20 {
        let answer = log_in(anonymous, "192.0.2.1", &format!("user{n}@example.com"), "wrong").await;
        assert_eq!(answer.status, if n < 10 { 401 } else { 429 }, "{n}");
    }
    assert_eq!(app.hasher.asked() - hashed, 10);
    assert_eq!(log_in(anonymous, "192.0.2.2", ALICE, PASSWORD).await.status, 200);
    app.store.set_reach(Reach::Everything);
    scene.app.finish().await;
}

/// Whether the account exists or not: more of them would show.
async fn an_attempt_is_counted_in_three_round_trips(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    for (email, password, status) in
        [(ALICE, PASSWORD, 200), (ALICE, "wrong", 401), ("nobody@example.com", PASSWORD, 401), (ALICE, PASSWORD, 200)]
    {
        let before = app.store.calls();
        assert_eq!(log_in(anonymous, "192.0.2.1", email, password).await.status, status);
        let mut asked = app.store.calls();
        asked.retain(|name, times| {
            *times -= before.get(name).copied().unwrap_or_default();
            *times > 0 && name.ends_with("buckets")
        });
        assert_eq!(asked, BTreeMap::from([("buckets", 1), ("swap_buckets", 2)]), "{email} {password}");
    }
    scene.app.finish().await;
}
