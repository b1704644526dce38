//! A, slow clients: here time is the promise, so these wait for it.

use super::wire::{read_to_end, statuses};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use vestibule_testkit::app::Scene;
use vestibule_testkit::scenes;

scenes!(a11_a12_slow_clients_are_closed_within_their_deadline_and_slow_nobody_down);

/// Ten seconds, and what a busy machine takes on top.
const DEADLINE: Duration = Duration::from_secs(13);

/// CVE-2007-6750.
async fn a11_a12_slow_clients_are_closed_within_their_deadline_and_slow_nobody_down(Scene { app, alice, .. }: &Scene) {
    let began = Instant::now();
    let heads = ["", "G", "GET /users/me HTTP/1.1\r\nhost: x\r\nx-slow: "];
    let body = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{";
    let mut slow = JoinSet::new();
    for n in 0..100 {
        let (address, start) = (app.address, if n < 90 { heads[n % 3] } else { body });
        slow.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(start.as_bytes()).await.expect("a beginning");
            (start.starts_with("POST"), read_to_end(&mut stream).await)
        });
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..200 {
        let sent = Instant::now();
        assert_eq!(alice.get("/users/me").await.status, 200);
        slowest = slowest.max(sent.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "a request took {slowest:?} beside slow ones");
    for (has_body, answer) in slow.join_all().await {
        if has_body {
            assert_eq!(statuses(&answer), ["408"], "{answer}");
        } else {
            assert!(statuses(&answer).iter().all(|status| *status == "408"), "{answer}");
        }
    }
    assert!(began.elapsed() < DEADLINE, "slow clients were held for {:?}", began.elapsed());
}
