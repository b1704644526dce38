//! Guessing passwords, one account or many, from one place or many.

use super::{behind, limited, log_in, seen};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use vestibule_domain::id::SessionId;
use vestibule_domain::session::RefreshToken;
use vestibule_testkit::app::{ALICE, PASSWORD, Scene, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(; with_setup:
    d42_every_account_answers_alike_also_when_throttled,
    d47_stuffing_costs_ten_hashes,
    d48_d51_an_account_has_one_budget_on_all_replicas_in_all_spellings,
    d48_the_trail_names_the_account_that_was_closed,
    d49_spraying_ends_after_fifteen_accounts,
    changes_of_password_are_throttled,
    refreshes_are_throttled,
);

/// CVE-2025-6010: only accounts that exist were locked.
async fn d42_every_account_answers_alike_also_when_throttled(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let Scene { app, anonymous, admin, .. } = &scene;
    let names = ["known", "disabled", "deleted", "passwordless"];
    for name in names {
        let user = app.register(&format!("{name}@example.com"), "Somebody", &[]).await.id;
        match name {
            "disabled" => assert_eq!(admin.post(&format!("/users/{user}/disable"), json!({})).await.status, 200),
            "deleted" => assert_eq!(admin.delete(&format!("/users/{user}")).await.status, 204),
            _ => {}
        }
    }
    let sql = "DELETE FROM password_credentials WHERE user_id = (SELECT id FROM users WHERE email_canonical = 'passwordless@example.com')";
    app.database().execute(sql).await.expect("deleted");
    // Each from an address of its own, so that each has the same budgets.
    let mut answers = Vec::new();
    for (n, name) in names.into_iter().chain(["unknown"]).enumerate() {
        let (address, email) = (format!("192.0.2.{n}"), format!("{name}@example.com"));
        let password = if name == "known" { "wrong" } else { PASSWORD };
        let mut series = Vec::new();
        for _ in 0..5 {
            series.push(seen(&log_in(anonymous, &address, &email, password).await));
        }
        answers.push(series);
    }
    let statuses: Vec<_> = answers[0].iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    for (series, name) in answers.iter().zip(names.into_iter().chain(["unknown"])) {
        assert_eq!(*series, answers[0], "{name}");
    }
    scene.app.finish().await;
}

async fn d47_stuffing_costs_ten_hashes(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    let hashed = app.hasher.asked();
    for n in 0..100 {
        let answer = log_in(anonymous, "192.0.2.1", &format!("user{n}@example.com"), "wrong").await;
        assert_eq!(answer.status, if n < 10 { 401 } else { 429 }, "{n}: {answer}");
        if n == 0 {
            assert_eq!(answer.header("ratelimit"), Some("\"login\";r=9;t=3"));
            assert_eq!(answer.header("ratelimit-policy"), Some("\"login\";q=10;w=30"));
        }
        if n == 10 {
            assert_eq!(answer.header("retry-after"), Some("3"));
            assert_eq!(answer.header("ratelimit"), Some("\"login\";r=0;t=3"));
        }
    }
    assert_eq!(app.hasher.asked() - hashed, 10);
    // Twenty a minute, and no more.
    let mut admitted = 0;
    for n in 0..120 {
        app.clock().advance(Duration::from_millis(500));
        let answer = log_in(anonymous, "192.0.2.1", &format!("user{}@example.com", n % 5), "wrong").await;
        admitted += u32::from(answer.status == 401);
    }
    assert!((18..=20).contains(&admitted), "{admitted}");
    scene.app.finish().await;
}

/// CVE-2025-6004: each spelling had a budget of its own.
async fn d48_d51_an_account_has_one_budget_on_all_replicas_in_all_spellings(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    // SQLite serves from one process.
    let other = if store == StoreKind::Postgres { Some(app.replica().await) } else { None };
    let there = other.as_ref().map_or_else(|| anonymous.clone(), |node| anonymous.at(node));
    let spellings = ["alice@example.com", "ALICE@EXAMPLE.COM", "Alice@example.com", "alice@EXAMPLE.com"];
    let mut statuses = Vec::new();
    for (n, email) in spellings.into_iter().enumerate() {
        let client = if n % 2 == 0 { anonymous } else { &there };
        statuses.push(log_in(client, &format!("192.0.2.{n}"), email, "wrong").await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 429]);
    // The owner waits as well from an unknown device, and gets in a second later.
    assert_eq!(log_in(&there, "192.0.2.99", ALICE, PASSWORD).await.status, 429);
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(log_in(&there, "192.0.2.99", ALICE, PASSWORD).await.status, 200);
    if let Some(node) = other {
        node.stop().await;
    }
    scene.app.finish().await;
}

async fn d48_the_trail_names_the_account_that_was_closed(store: StoreKind) {
    let mut setup = limited();
    setup.domain.limits.account.most = 4;
    let scene = TestApp::start(store, setup).await;
    let Scene { app, anonymous, alice, .. } = &scene;
    let mut answers = Vec::new();
    for (n, email) in [ALICE, "nobody@example.com"].into_iter().enumerate() {
        let address = format!("192.0.2.{n}");
        let mut series = Vec::new();
        for _ in 0..6 {
            series.push(seen(&log_in(anonymous, &address, email, "wrong").await));
            app.clock().advance(Duration::from_secs(1));
        }
        answers.push(series);
    }
    assert_eq!(answers[0], answers[1], "nobody else is told");
    let statuses: Vec<_> = answers[0].iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 429, 429]);
    let closed: Vec<_> = app.trail(alice.id()).await.into_iter().filter(|event| event.contains("throttle")).collect();
    assert_eq!(closed, ["throttle.closed account"]);
    let all = app.database().column("SELECT reason FROM audit_events WHERE kind = 'throttle.closed'").await;
    assert_eq!(all, ["account", "account"]);
    scene.app.finish().await;
}

async fn d49_spraying_ends_after_fifteen_accounts(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    let mut admitted = 0;
    for n in 0..25 {
        let answer =
            log_in(anonymous, &format!("2001:db8::{n:x}"), &format!("user{n}@example.com"), "Summer2026!").await;
        admitted += u32::from(answer.status == 401);
        app.clock().advance(Duration::from_secs(3));
    }
    assert_eq!(admitted, 15);
    let trail = app.database().column("SELECT reason FROM audit_events WHERE kind = 'throttle.closed'").await;
    assert_eq!(trail, ["accounts"]);
    assert_eq!(
        log_in(anonymous, "2001:db8::ffff", ALICE, PASSWORD).await.header("ratelimit-policy"),
        Some("\"accounts\";q=15;w=3600")
    );
    app.clock().advance(Duration::from_hours(1));
    assert_eq!(log_in(anonymous, "2001:db8::ffff", ALICE, PASSWORD).await.status, 200);
    scene.app.finish().await;
}

async fn changes_of_password_are_throttled(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let Scene { app, anonymous, alice, .. } = &scene;
    let change = |current: &str| {
        let body = json!({"current_password": current, "new_password": "a new staple for the battery"});
        alice.request(Method::PUT, "/users/me/password").json(body)
    };
    for _ in 0..3 {
        assert_eq!(change("wrong").await.status, 403);
    }
    let refused = change(PASSWORD).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    // Strangers are not locked out by whoever has a session.
    assert_eq!(log_in(anonymous, "192.0.2.1", ALICE, PASSWORD).await.status, 200);
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(change(PASSWORD).await.status, 204);
    scene.app.finish().await;
}

async fn refreshes_are_throttled(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let refresh = |token: &str| behind(&scene.anonymous, "192.0.2.1", "/refresh", json!({"refresh_token": token}));
    let mut token = scene.alice.refresh_token().to_owned();
    for _ in 0..40 {
        let answer = refresh(&token).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json["refresh_token"].as_str().expect("a token").clone_into(&mut token);
    }
    for n in 0..305 {
        let session = SessionId::generate(scene.app.clock(), scene.app.rng());
        let unknown = RefreshToken::generate(session, scene.app.rng()).reveal();
        let made_up = if n % 2 == 0 { unknown.as_str() } else { "nonsense" };
        assert_eq!(refresh(made_up).await.status, if n < 300 { 401 } else { 429 }, "{n}");
    }
    scene.app.finish().await;
}
