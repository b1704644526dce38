//! What is no HTTP request: every answer to it is a problem like any other, and the last on its connection.

use super::{connect, rest, say, serve, serve_with, until};
use crate::serve::ServeSettings;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, pause};

/// What is left on a connection after a message that cannot be read: one whole problem, and nothing else.
fn assert_problem(answer: &str, status: u16, code: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {answer:?}"));
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap();
    assert!(status_line.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let headers: BTreeMap<_, _> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let names: Vec<_> = headers.keys().copied().collect();
    let expected = [
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "date",
        "referrer-policy",
        "x-content-type-options",
        "x-request-id",
    ];
    assert_eq!(names, expected, "{answer}");
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["content-length"], body.len().to_string(), "{answer}");
    assert_eq!((headers["connection"], headers["x-content-type-options"]), ("close", "nosniff"));
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let problem: BTreeMap<String, Value> = serde_json::from_str(body).unwrap();
    let members: Vec<_> = problem.keys().map(String::as_str).collect();
    assert_eq!(members, ["code", "detail", "instance", "request_id", "status", "title", "type"], "{answer}");
    assert_eq!(problem["code"], code, "{answer}");
    assert_eq!((&problem["status"], &problem["instance"]), (&status.into(), &"/".into()));
    assert_eq!(problem["request_id"], headers["x-request-id"]);
    assert_eq!(problem["type"], format!("http://localhost:8080/problems/{code}"));
}

#[tokio::test]
async fn what_breaks_the_syntax_is_a_problem() {
    let served = serve().await;
    let broken: &[&[u8]] = &[
        b"canary\r\n\r\n",
        b"GET canary\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: canary\r\n\r\n",
        b"GET / HTTP/1.1 canary\r\nhost: x\r\n\r\n",
        b"GET /canary /x HTTP/1.1\r\nhost: x\r\n\r\n",
        b"G@T / HTTP/1.1\r\nhost: canary\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-null: can\0ary\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-folded: can\r\n ary\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncanary\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n: canary\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : canary\r\n\r\n",
        b"GET / HTTP/1.1\nhost: canary\n\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 6\r\n\r\ncanary",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3, 6\r\n\r\ncanary",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +6\r\n\r\ncanary",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\ncanary",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03canary",
        b"SSH-2.0-canary\r\n",
    ];
    for bytes in broken {
        let mut stream = connect(&served).await;
        stream.write_all(bytes).await.unwrap();
        let answer = rest(&mut stream).await;
        assert_problem(&answer, 400, "malformed_request");
        assert!(!answer.contains("canary"), "{answer}");
    }
}

#[tokio::test]
async fn what_is_too_large_to_be_read_is_a_problem() {
    let served = serve().await;
    let head = |more: &str| format!("GET / HTTP/1.1\r\nhost: x\r\n{more}\r\n");
    let long = |length: usize| format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(length));
    let cases = [
        (head(&"x-many: 1\r\n".repeat(100)), 431, "headers_too_large"),
        (head(&"x-many: 1\r\n".repeat(300)), 431, "headers_too_large"),
        (head(&format!("x-large: {}\r\n", "x".repeat(200 << 10))), 431, "headers_too_large"),
        (long(100 << 10), 414, "uri_too_long"),
        (long(200 << 10), 414, "uri_too_long"),
        (format!("{}{}", "\r\n".repeat(1 << 19), head("")), 400, "malformed_request"),
    ];
    for (request, status, code) in cases {
        let mut stream = connect(&served).await;
        // The server may refuse it before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        assert_problem(&rest(&mut stream).await, status, code);
    }
    let mut stream = connect(&served).await;
    // With the host they are 100: a request, which is refused as one.
    say(&mut stream, &head(&"x-many: 1\r\n".repeat(99))).await;
    assert!(until(&mut stream, "}").await.contains("headers_too_large"));
    say(&mut stream, &head("")).await;
    assert!(until(&mut stream, "hello").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_connection_that_was_in_order_ends_with_a_problem_too() {
    let served = serve().await;
    for broken in ["canary\r\n\r\n", "GET / HTTP/1.1\nhost: x\n\n", "GET / HTTP/1.1\r\nhost : x\r\n\r\n"] {
        let mut stream = connect(&served).await;
        for _ in 0..2 {
            say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
            assert!(until(&mut stream, "hello").await.starts_with("HTTP/1.1 200 OK"));
        }
        say(&mut stream, broken).await;
        assert_problem(&rest(&mut stream).await, 400, "malformed_request");
    }
    let mut old = connect(&served).await;
    say(&mut old, "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    until(&mut old, "hello").await;
    say(&mut old, "canary\r\n\r\n").await;
    assert_problem(&rest(&mut old).await, 400, "malformed_request");
}

#[tokio::test]
async fn what_is_sent_ahead_is_answered_in_its_order() {
    let served = serve().await;
    let good = ["GET / HTTP/1.1\r\nhost: x\r\n\r\n", "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nab"];
    let mut stream = connect(&served).await;
    say(&mut stream, &format!("{}{}{}canary\r\n\r\n", good[0], good[1], good[0])).await;
    for end in ["hello", "2", "hello"] {
        let answer = until(&mut stream, &format!("\r\n\r\n{end}")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    assert_problem(&rest(&mut stream).await, 400, "malformed_request");
}

#[tokio::test]
async fn a_problem_waits_for_an_answer_that_is_slow_or_slowly_taken() {
    let served = serve().await;
    let mut slow = connect(&served).await;
    say(&mut slow, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\ncanary\r\n\r\n").await;
    served.begun.notified().await;
    served.slow.notify_one();
    assert!(until(&mut slow, "done").await.starts_with("HTTP/1.1 200 OK"));
    assert_problem(&rest(&mut slow).await, 400, "malformed_request");

    let mut large = connect(&served).await;
    say(&mut large, "GET /large HTTP/1.1\r\nhost: x\r\n\r\ncanary\r\n\r\n").await;
    until(&mut large, "\r\n\r\n").await;
    let mut body = vec![0; 64 << 20];
    large.read_exact(&mut body).await.unwrap();
    assert!(body.iter().all(|byte| *byte == b'x'));
    assert_problem(&rest(&mut large).await, 400, "malformed_request");
}

#[tokio::test]
async fn an_answer_is_never_taken_for_a_refusal() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET /heads HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    until(&mut stream, "\r\n\r\n").await;
    assert_eq!(rest(&mut stream).await, "HTTP/1.1".repeat(4 << 20));
}

#[tokio::test]
async fn whoever_has_said_their_last_word_is_still_answered() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "canary\r\n\r\n").await;
    stream.shutdown().await.unwrap();
    assert_problem(&rest(&mut stream).await, 400, "malformed_request");
}

#[tokio::test]
async fn a_refusal_makes_room_for_the_next_client() {
    let served = serve_with(ServeSettings { max_connections: 1, ..ServeSettings::default() }).await;
    let mut refused = connect(&served).await;
    say(&mut refused, "canary\r\n\r\n").await;
    until(&mut refused, "}").await;
    // Neither closed nor sending: the connection lingers for as long as it may.
    let mut next = connect(&served).await;
    say(&mut next, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let began = Instant::now();
    pause();
    until(&mut next, "hello").await;
    assert!(began.elapsed() <= Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_service_that_stops_says_what_is_wrong_as_well() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET /can").await;
    let mut other = connect(&served).await;
    say(&mut other, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut other, "hello").await;
    served.shutdown.cancel();
    assert_eq!(rest(&mut other).await, "");
    say(&mut stream, "ary\r\n\r\n").await;
    assert_problem(&rest(&mut stream).await, 400, "malformed_request");
    served.running.await.unwrap();
}
