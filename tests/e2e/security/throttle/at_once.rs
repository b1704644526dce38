//! Many who try at the same time.

use super::{limited, log_in};
use std::time::Duration;
use tokio::task::JoinSet;
use vestibule_testkit::app::{ALICE, PASSWORD, TestApp};
use vestibule_testkit::{StoreKind, scenes};

scenes!(; with_setup:
    d52_an_office_that_comes_to_work_at_once_waits_for_seconds,
    d52_of_200_parallel_guesses_no_more_than_the_budget_are_verified,
);

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
