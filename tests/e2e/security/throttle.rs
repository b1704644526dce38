//! D: enumeration, brute force, lock-out; with limits as they are by default, and clients behind a proxy.

use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_domain::Settings;
use vestibule_domain::user::RegistrationMode;
use vestibule_testkit::app::{ADMIN, ALICE, Client, PASSWORD, Request, Response, Scene, Setup, TestApp};
use vestibule_testkit::counting::Reach;
use vestibule_testkit::{StoreKind, scenes};

scenes!(; with_setup:
    d42_every_account_answers_alike_also_when_throttled,
    d44_taken_addresses_are_told_five_times_an_hour,
    d44_strict_registration_tells_nothing,
    d44_registrations_at_once_keep_others_waiting_for_seconds,
    d47_stuffing_costs_ten_hashes,
    d48_d51_an_account_has_one_budget_on_all_replicas_in_all_spellings,
    d48_the_trail_names_the_account_that_was_closed,
    d49_spraying_ends_after_fifteen_accounts,
    d50_nobody_locks_the_owner_of_a_device_out,
    d50_many_known_devices_are_not_as_many_budgets,
    d52_an_office_that_comes_to_work_at_once_waits_for_seconds,
    d52_of_200_parallel_guesses_no_more_than_the_budget_are_verified,
    d54_only_trusted_proxies_name_the_client,
    d55_a_network_has_one_budget,
    d56_without_the_store_attempts_are_counted_in_memory,
    j124_a_key_is_no_way_to_try_passwords,
    changes_of_password_are_throttled,
    refreshes_are_throttled,
);

/// Limited, behind a proxy on this machine.
fn limited() -> Setup {
    let mut setup = Setup { domain: Settings::default(), ..Setup::default() };
    setup.http.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    setup
}

fn behind(client: &Client, address: &str, path: &str, body: Value) -> Request {
    client.post(path, body).header("x-forwarded-for", address)
}

async fn log_in(client: &Client, address: &str, email: &str, password: &str) -> Response {
    behind(client, address, "/login", json!({"email": email, "password": password})).await
}

async fn register(client: &Client, address: &str, email: &str) -> Response {
    behind(client, address, "/users", json!({"email": email, "password": PASSWORD, "name": "Somebody"})).await
}

/// Everything that a client sees, but for what names the request.
fn seen(response: &Response) -> (u16, Vec<(String, String)>, Value) {
    let mut body = response.json.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    let headers = response.headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()));
    (response.status, headers.collect(), body)
}

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

async fn d52_an_office_that_comes_to_work_at_once_waits_for_seconds(store: StoreKind) {
    let mut setup = limited();
    setup.domain.limits.spread.most = 4;
    let scene = TestApp::start(store, setup).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    for n in 0..5 {
        app.register(&format!("user{n}@example.com"), "Somebody", &[]).await;
    }
    let other = if store == StoreKind::Postgres { Some(app.replica().await) } else { None };
    let there = other.as_ref().map_or_else(|| anonymous.clone(), |node| anonymous.at(node));
    let (held, asked) = (app.hasher.hold().await, app.hasher.asked());
    let mut office = JoinSet::new();
    for n in 0..4 {
        let client = anonymous.clone();
        office
            .spawn(async move { log_in(&client, "192.0.2.1", &format!("user{n}@example.com"), PASSWORD).await.status });
    }
    app.hasher.was_asked(asked + 4).await;
    for client in [anonymous, &there] {
        let refused = log_in(client, "192.0.2.1", "user4@example.com", PASSWORD).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("2")));
        assert_eq!(refused.header("ratelimit"), Some("\"accounts\";r=0;t=2"));
    }
    drop(held);
    assert_eq!(office.join_all().await, [200; 4]);
    app.clock().advance(Duration::from_secs(2));
    for client in [anonymous, &there] {
        assert_eq!(log_in(client, "192.0.2.1", "user4@example.com", PASSWORD).await.status, 200);
    }
    let closed = app.database().column("SELECT reason FROM audit_events WHERE kind = 'throttle.closed'").await;
    assert_eq!(closed, [""; 0]);
    if let Some(node) = other {
        node.stop().await;
    }
    scene.app.finish().await;
}

/// CVE-2024-1722.
async fn d52_of_200_parallel_guesses_no_more_than_the_budget_are_verified(store: StoreKind) {
    let scene = TestApp::start(store, limited()).await;
    let (app, anonymous) = (&scene.app, &scene.anonymous);
    let other = if store == StoreKind::Postgres { Some(app.replica().await) } else { None };
    let there = other.as_ref().map_or_else(|| anonymous.clone(), |node| anonymous.at(node));
    let hashed = || app.hasher.asked() + other.as_ref().map_or(0, |node| node.hasher.asked());
    let mut before = hashed();
    for (one_account, budget) in [(true, 3), (false, 10)] {
        let mut guesses = JoinSet::new();
        for n in 0..200 {
            let client = if n % 2 == 0 { anonymous.clone() } else { there.clone() };
            let (address, email) = if one_account {
                (format!("192.0.2.{n}"), ALICE.to_owned())
            } else {
                ("198.51.100.1".to_owned(), format!("user{n}@example.com"))
            };
            guesses.spawn(async move {
                loop {
                    let answer = log_in(&client, &address, &email, "wrong").await;
                    if answer.status != 503 {
                        return answer.status;
                    }
                    // So many at once may find no free connection in time; they come back.
                    assert_eq!((answer.code(), answer.header("retry-after")), ("unavailable", Some("1")), "{answer}");
                }
            });
        }
        let statuses = guesses.join_all().await;
        let [wrong, refused] = [401, 429].map(|status| statuses.iter().filter(|other| **other == status).count());
        // Fewer, if the store was too busy to take a charge back from whom it could not serve.
        let tried = hashed() - before;
        assert!(wrong as u64 <= tried && tried <= budget, "{wrong} were told, {tried} tried, of {budget}");
        assert_eq!(wrong + refused, 200);
        before = hashed();
    }
    if let Some(node) = other {
        node.stop().await;
    }
    scene.app.finish().await;
}

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
        let made_up = if n % 2 == 0 { format!("vrt_{n:043}") } else { "nonsense".to_owned() };
        assert_eq!(refresh(&made_up).await.status, if n < 300 { 401 } else { 429 }, "{n}");
    }
    scene.app.finish().await;
}
