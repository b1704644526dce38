//! What connections carry, and how many of them.

use super::{connect, rest, say, serve, serve_with, until};
use crate::serve::ServeSettings;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn content_length_beside_transfer_encoding_smuggles_nothing() {
    let served = serve().await;
    for order in
        [["content-length: 6", "transfer-encoding: chunked"], ["transfer-encoding: chunked", "content-length: 6"]]
    {
        let mut stream = connect(&served).await;
        let [first, second] = order;
        let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
        say(&mut stream, &format!("POST /body HTTP/1.1\r\nhost: x\r\n{first}\r\n{second}\r\n\r\n0\r\n\r\n{smuggled}"))
            .await;
        let answers = rest(&mut stream).await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
        assert!(answers.starts_with("HTTP/1.1 200") || answers.starts_with("HTTP/1.1 400"), "{answers}");
    }
}

#[tokio::test]
async fn broken_framing_is_answered_once_and_closed() {
    let served = serve().await;
    let broken = [
        "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: +3\r\n\r\nabc",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length : 3\r\n\r\nabc",
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\nhost: x\n\n",
        "GET / HTTP/1.1\r\nhost: x\r\nbare: lf\nsmuggled: y\r\n\r\n",
    ];
    for request in broken {
        let mut stream = connect(&served).await;
        say(&mut stream, request).await;
        let answers = rest(&mut stream).await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{request:?}: {answers}");
        assert!(answers.starts_with("HTTP/1.1 400"), "{request:?}: {answers}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_to_its_end_is_the_last_one() {
    let served = serve().await;
    let post = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let chunked = format!("{post}transfer-encoding: chunked\r\n\r\n");
    let extension = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(200 << 10));
    let trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "x: 1\r\n".repeat(50_000));
    let cases = [
        (format!("{post}content-length: 100000\r\n\r\n"), 413),
        (format!("{chunked}{}", format!("1000\r\n{}\r\n", " ".repeat(0x1000)).repeat(20)), 413),
        (format!("{chunked}0x2\r\n{{}}\r\n0\r\n\r\n"), 400),
        (format!("{chunked}2\r\n{{}}xx0\r\n\r\n"), 400),
        (format!("{chunked}fffffffffffffffff\r\n"), 400),
        (format!("{chunked}{extension}"), 400),
        (format!("{chunked}{trailers}"), 400),
    ];
    for (request, status) in cases {
        let mut stream = connect(&served).await;
        // The server may answer before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-type: application/problem+json\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_message_whose_host_or_end_is_in_doubt_is_a_problem_and_the_last_one() {
    let served = serve().await;
    let doubtful = [
        "GET / HTTP/1.1\r\n\r\n",
        "GET http://x/ HTTP/1.1\r\n\r\n",
        "GET /no/such HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.0\r\nhost: x\r\nhost: y\r\nconnection: keep-alive\r\n\r\n",
        "GET / HTTP/1.1\r\nhost:\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x y\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: user@x\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ];
    for request in doubtful {
        let mut stream = connect(&served).await;
        say(&mut stream, &format!("{request}GET / HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        let answers = rest(&mut stream).await;
        assert_eq!(answers.matches("HTTP/1.").count(), 1, "{request:?}: {answers}");
        assert_eq!(answers.split(' ').nth(1), Some("400"), "{request:?}: {answers}");
        for part in ["\r\nx-request-id: ", "\r\nx-content-type-options: nosniff", "\"code\":\"malformed_request\""] {
            assert!(answers.contains(part), "{request:?}: {answers}");
        }
    }
}

#[tokio::test]
async fn chunked_in_any_case_and_http_1_0_without_a_host_are_understood() {
    let served = serve().await;
    let understood = [
        ("GET / HTTP/1.0\r\n\r\n", "hello"),
        (
            "POST /body HTTP/1.1\r\nhost: x:80\r\nconnection: close\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "3",
        ),
    ];
    for (request, body) in understood {
        let mut stream = connect(&served).await;
        say(&mut stream, request).await;
        let answer = rest(&mut stream).await;
        assert!(answer.contains(" 200 OK\r\n") && answer.ends_with(body), "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn more_headers_than_a_request_can_have_are_a_problem() {
    let served = serve().await;
    let ask = async |headers: String| {
        let mut stream = connect(&served).await;
        // The server may answer and close before it has read everything.
        let _ = stream
            .write_all(format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n").as_bytes())
            .await;
        rest(&mut stream).await
    };
    let many = ask("x-many: 1\r\n".repeat(200)).await;
    assert!(many.starts_with("HTTP/1.1 431") && many.contains("\"code\":\"headers_too_large\""), "{many}");
    let large = ask(format!("x-large: {}\r\n", "x".repeat(20_000))).await;
    assert!(large.starts_with("HTTP/1.1 431") && large.contains("\"code\":\"headers_too_large\""), "{large}");
}

#[tokio::test]
async fn a_client_that_reads_only_after_it_has_written_gets_its_answer() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 33554432\r\n\r\n").await;
    stream.write_all(&vec![b'x'; 33_554_432]).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_served_at_once() {
    let served = serve_with(ServeSettings { max_connections: 1, ..ServeSettings::default() }).await;
    let mut first = connect(&served).await;
    say(&mut first, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut first, "hello").await;
    let mut second = connect(&served).await;
    say(&mut second, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    for _ in 0..10 {
        say(&mut first, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        until(&mut first, "hello").await;
    }
    assert_eq!(second.try_read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    say(&mut first, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    rest(&mut first).await;
    drop(first);
    until(&mut second, "hello").await;
}

#[tokio::test]
async fn nobody_is_told_to_send_what_is_too_large() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    let headers = "content-type: application/json\r\ncontent-length: 104857600\r\nexpect: 100-continue";
    say(&mut stream, &format!("POST /login HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n")).await;
    let answer = until(&mut stream, "}").await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("\"code\":\"payload_too_large\""), "{answer}");
}
