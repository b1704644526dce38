//! Clients that are slow at something.

use super::{SLACK, connect, rest, say, serve, serve_with, until};
use crate::serve::ServeSettings;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, pause, resume, timeout};

#[tokio::test]
async fn a11_a_head_that_comes_byte_by_byte_is_not_waited_for() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    let began = Instant::now();
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    pause();
    assert_eq!(rest(&mut stream).await, "");
    assert!(began.elapsed() <= Duration::from_secs(10) + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    let began = Instant::now();
    pause();
    assert_eq!(rest(&mut stream).await, "");
    assert!(began.elapsed() <= Duration::from_secs(10) + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_idle_connection_lives_longer_than_a_head_may_take() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut stream, "hello").await;
    pause();
    let idle = timeout(Duration::from_mins(1), stream.read_u8()).await;
    assert!(idle.is_err(), "closed while idle: {idle:?}");
    resume();
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut stream, "hello").await;
    let began = Instant::now();
    pause();
    assert_eq!(rest(&mut stream).await, "");
    assert!(began.elapsed() <= Duration::from_secs(75) + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_slow_second_head_is_not_waited_for_either() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut stream, "hello").await;
    let began = Instant::now();
    say(&mut stream, "GET /").await;
    pause();
    assert_eq!(rest(&mut stream).await, "");
    assert!(began.elapsed() <= Duration::from_secs(10) + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a12_a_client_that_does_not_read_makes_room_for_the_next() {
    let served = serve_with(ServeSettings { max_connections: 1, ..ServeSettings::default() }).await;
    let mut stalled = connect(&served).await;
    say(&mut stalled, "GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    stalled.read_u8().await.unwrap();
    let mut next = connect(&served).await;
    say(&mut next, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let began = Instant::now();
    pause();
    until(&mut next, "hello").await;
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a12_a_body_that_does_not_come_is_given_up_with_an_answer() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    let began = Instant::now();
    let head = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n";
    say(&mut stream, &format!("{head}{{")).await;
    pause();
    let answer = until(&mut stream, "}").await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"code\":\"request_timeout\""), "{answer}");
    assert!(began.elapsed() <= Duration::from_secs(10) + SLACK, "{:?}", began.elapsed());
    assert_eq!(rest(&mut stream).await, "");
}
