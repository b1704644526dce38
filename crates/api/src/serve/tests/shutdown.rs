//! Ending in good order.

use super::{SLACK, connect, rest, say, serve, serve_with, until};
use crate::serve::ServeSettings;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, advance, pause, resume};

#[tokio::test]
async fn j132_a_running_request_is_finished_and_an_idle_connection_closed() {
    let served = serve().await;
    let mut idle = connect(&served).await;
    say(&mut idle, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut idle, "hello").await;
    let mut busy = connect(&served).await;
    say(&mut busy, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    served.begun.notified().await;
    served.shutdown.cancel();
    assert_eq!(rest(&mut idle).await, "");
    served.slow.notify_one();
    let answer = rest(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    served.running.await.unwrap();
    assert!(TcpStream::connect(served.address).await.is_err(), "still accepting");
}

#[tokio::test]
async fn clients_that_wait_to_be_accepted_are_served_and_not_reset() {
    let served =
        serve_with(ServeSettings { max_connections: 1, drain: Duration::ZERO, ..ServeSettings::default() }).await;
    let mut only = connect(&served).await;
    say(&mut only, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    served.begun.notified().await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let mut stream = connect(&served).await;
        say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        waiting.push(stream);
    }
    served.shutdown.cancel();
    served.slow.notify_one();
    for stream in &mut waiting {
        let answer = rest(stream).await;
        assert!(answer.ends_with("hello"), "{answer:?}");
    }
    served.running.await.unwrap();
}

#[tokio::test]
async fn clients_that_keep_coming_do_not_hold_it_up() {
    let served =
        serve_with(ServeSettings { max_connections: 1, drain: Duration::ZERO, ..ServeSettings::default() }).await;
    let mut only = connect(&served).await;
    say(&mut only, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    served.begun.notified().await;
    // Each would be waited for a second, longer than `finish` together.
    let mut silent = Vec::new();
    for _ in 0..30 {
        silent.push(connect(&served).await);
    }
    served.shutdown.cancel();
    served.slow.notify_one();
    assert!(rest(&mut only).await.ends_with("done"));
    let began = Instant::now();
    pause();
    served.running.await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(9) + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_client_that_has_just_connected_is_served_and_not_reset() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    // Behind it in the queue, so that it has been accepted.
    let mut other = connect(&served).await;
    say(&mut other, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut other, "hello").await;
    served.shutdown.cancel();
    assert_eq!(rest(&mut other).await, "");
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = rest(&mut stream).await;
    assert!(answer.ends_with("hello"), "{answer:?}");
}

#[tokio::test]
async fn while_it_drains_it_serves_on_and_sends_clients_elsewhere() {
    let served = serve_with(ServeSettings::default()).await;
    let mut before = connect(&served).await;
    say(&mut before, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!until(&mut before, "hello").await.contains("connection: close"));
    served.shutdown.cancel();
    let began = Instant::now();
    while !served.readiness.is_draining() {
        tokio::task::yield_now().await;
    }
    say(&mut before, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(until(&mut before, "hello").await.contains("connection: close"));
    let mut new = connect(&served).await;
    say(&mut new, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(rest(&mut new).await.ends_with("hello"));
    pause();
    served.running.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn j132_clients_that_say_nothing_do_not_hold_it_up() {
    let served = serve().await;
    let (mut silent, mut halting, mut idle) = (connect(&served).await, connect(&served).await, connect(&served).await);
    say(&mut halting, "GET / HT").await;
    say(&mut idle, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut idle, "hello").await;
    served.shutdown.cancel();
    let began = Instant::now();
    pause();
    served.running.await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(1) + SLACK, "{:?}", began.elapsed());
    for stream in [&mut silent, &mut halting, &mut idle] {
        assert_eq!(rest(stream).await, "");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_does_not_hold_it_up_either() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n1").await;
    served.shutdown.cancel();
    let began = Instant::now();
    pause();
    served.running.await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(10) + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_request_whose_head_is_arriving_is_still_answered() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut stream, "hello").await;
    say(&mut stream, "GET / HTTP/1.1\r\n").await;
    // Behind it in the server's queue, so that it has been read.
    let mut other = connect(&served).await;
    say(&mut other, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut other, "hello").await;
    served.shutdown.cancel();
    assert_eq!(rest(&mut other).await, "");
    say(&mut stream, "host: x\r\n\r\n").await;
    let answer = rest(&mut stream).await;
    assert!(answer.ends_with("hello"), "{answer:?}");
}

#[tokio::test]
async fn an_answer_that_is_being_taken_is_not_cut_off() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut stream, "\r\n\r\n").await;
    served.shutdown.cancel();
    pause();
    for _ in 0..5 {
        advance(Duration::from_secs(1)).await;
    }
    resume();
    assert_eq!(rest(&mut stream).await.len(), 64 << 20);
    served.running.await.unwrap();
}

/// Each time it takes a part of it: more than there is room for between the two.
#[tokio::test]
async fn a_client_that_stops_now_and_then_is_not_cut_off() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    until(&mut stream, "\r\n\r\n").await;
    let mut part = vec![0; 16 << 20];
    for _ in 0..3 {
        stream.read_exact(&mut part).await.unwrap();
        pause();
        for _ in 0..6 {
            advance(Duration::from_secs(1)).await;
        }
        resume();
    }
    assert_eq!(rest(&mut stream).await.len(), 16 << 20);
}

#[tokio::test]
async fn a_request_that_never_ends_is_broken_off() {
    // Before the deadline of a request.
    let finish = Duration::from_secs(5);
    let served = serve_with(ServeSettings { drain: Duration::ZERO, finish, ..ServeSettings::default() }).await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET /stuck HTTP/1.1\r\nhost: x\r\n\r\n").await;
    served.begun.notified().await;
    served.shutdown.cancel();
    let began = Instant::now();
    pause();
    served.running.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn force_waits_for_nobody() {
    let served = serve_with(ServeSettings::default()).await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET /stuck HTTP/1.1\r\nhost: x\r\n\r\n").await;
    served.begun.notified().await;
    served.shutdown.cancel();
    served.force.cancel();
    served.running.await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}
