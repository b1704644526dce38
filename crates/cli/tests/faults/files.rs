//! A process that is out of file descriptors, which connections are.

use crate::process::{ALICE, Process, log_in, over_http1, register, say};
use tokio::task::JoinSet;
use vestibule_testkit::{StoreKind, TestStore, both_stores};

both_stores!(
    j138_with_256_files_clients_that_hold_connections_keep_out_nobody_but_clients,
    j138_without_a_file_left_it_accepts_again_when_there_is_one,
);

const REQUEST: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n";

async fn j138_with_256_files_clients_that_hold_connections_keep_out_nobody_but_clients(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let process = Process::start_with_files(&store, 256).await;
    let inside = over_http1();
    assert_eq!(register(&inside, process.public, ALICE).await, Some(201));
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(say(process.public, "GET / HTTP/1.1\r\n").await);
    }
    // Each needs files for the store, on a connection that there is.
    let mut logins = JoinSet::new();
    for _ in 0..4 {
        logins.spawn(log_in_over(inside.clone(), process.public));
    }
    let ready = over_http1().get(format!("http://{}/health/ready", process.ops)).send().await;
    assert_eq!(ready.expect("an answer").status(), 200, "operators have files of their own");
    drop(held);
    assert_eq!(logins.join_all().await, [200; 4]);
    assert_eq!(log_in(&over_http1(), process.public, ALICE).await, 200);
    assert_eq!(process.logged("cannot accept connections"), 0, "connections are counted before files run out");
}

async fn log_in_over(http: reqwest::Client, to: std::net::SocketAddr) -> u16 {
    log_in(&http, to, ALICE).await
}

async fn j138_without_a_file_left_it_accepts_again_when_there_is_one(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let process = Process::start(&store).await;
    assert_eq!(register(&over_http1(), process.public, ALICE).await, Some(201));
    process.limit_files(process.open_files() + 4);
    let mut held = Vec::new();
    for _ in 0..32 {
        held.push(say(process.public, REQUEST).await);
    }
    process.logs("cannot accept connections").await;
    drop(held);
    assert_eq!(log_in(&over_http1(), process.public, ALICE).await, 200);
}
