//! Many at once.

use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use vestibule_testkit::app::{self, ALICE, Client, PASSWORD, Scene, Setup};
use vestibule_testkit::counting::Reach;
use vestibule_testkit::{StoreKind, scenes};

scenes!(j131_who_loses_every_time_is_told_to_come_back, j135_after_an_outage_a_herd_is_served);

/// PostgreSQL lets them write side by side, as far as there are connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j130_sixty_four_writers_of_one_file_wait_for_each_other_unseen() {
    app::run(StoreKind::Sqlite, Setup::default(), sixty_four_write).await;
}

async fn sixty_four_write(Scene { app, alice, .. }: &Scene) {
    let mut writers = JoinSet::new();
    for n in 0..64 {
        let client = alice.clone();
        writers.spawn(async move { client.patch("/users/me", json!({"name": format!("Alice {n}")})).await });
    }
    for answer in writers.join_all().await {
        assert_eq!(answer.status, 200, "{answer}");
    }
    let version = app.database().number("SELECT max(version) FROM users").await;
    assert!(version > 64, "none was lost: {version}");
}

/// Somebody else has what it needs for longer than anybody waits.
async fn j131_who_loses_every_time_is_told_to_come_back(Scene { app, alice, .. }: &Scene) {
    let held = app.database().hold("UPDATE users SET name = name").await;
    let answer = alice.patch("/users/me", json!({"name": "Alicia"})).await;
    assert_eq!((answer.status, answer.code()), (503, "unavailable"), "{answer}");
    assert!(answer.header("retry-after").is_some());
    held.release().await;
    assert_eq!(alice.patch("/users/me", json!({"name": "Alicia"})).await.status, 200);
}

const HERD: usize = 300;

/// Each at once, and again at once while it is shed, though it was told to wait; how many were served.
async fn stampede(clients: &[Client], patience: Duration) -> usize {
    let (mut herd, began) = (JoinSet::new(), Instant::now());
    for client in clients.iter().cycle().take(HERD) {
        let client = client.clone();
        herd.spawn(async move {
            loop {
                let answer = client.refresh(client.refresh_token()).await;
                if answer.status == 200 {
                    return true;
                }
                assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{answer}");
                if began.elapsed() >= patience {
                    return false;
                }
            }
        });
    }
    herd.join_all().await.into_iter().filter(|served| *served).count()
}

async fn j135_after_an_outage_a_herd_is_served(Scene { app, anonymous, .. }: &Scene) {
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(anonymous.log_in(ALICE, PASSWORD).await);
    }
    app.store.set_reach(Reach::Nothing);
    assert_eq!(stampede(&clients, Duration::ZERO).await, 0);
    app.store.set_reach(Reach::Everything);
    // Each gets the child of the token that it repeats.
    assert_eq!(stampede(&clients, Duration::from_secs(10)).await, HERD);
}
