//! A: how a request is framed, where it ends, and how large it is.

use super::wire::{exchange, read_head, statuses};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use vestibule_testkit::app::{PASSWORD, Scene};
use vestibule_testkit::scenes;

scenes!(
    a07_large_bodies_are_refused_without_being_read,
    a13_connections_reset_amid_a_body_leave_nothing,
    a14_ambiguous_framing_gets_one_answer,
    a15_trailers_are_ignored,
    a17_oversized_heads_and_strange_methods,
    a20_http2_answers_alike,
);

/// CVE-2022-3212: without a limit a body was read whole.
async fn a07_large_bodies_are_refused_without_being_read(Scene { app, anonymous, .. }: &Scene) {
    let exactly = |size: usize| {
        let (head, tail) = (r#"{"email":"bob@example.com","password":"x","more":""#, r#""}"#);
        format!("{head}{}{tail}", "x".repeat(size - head.len() - tail.len()))
    };
    let within = anonymous.request(Method::POST, "/login").raw_json(exactly(64 * 1024)).await;
    assert_eq!(within.status, 422, "64 KiB are read");
    let beyond = anonymous.request(Method::POST, "/login").raw_json(exactly(64 * 1024 + 1)).await;
    assert_eq!((beyond.status, beyond.code()), (413, "payload_too_large"));

    let head = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let declared = format!("{head}content-length: 104857600\r\n\r\n");
    let expected = format!("{head}content-length: 104857600\r\nexpect: 100-continue\r\n\r\n");
    for bytes in [declared, expected] {
        let mut stream = TcpStream::connect(app.address).await.expect("a connection");
        stream.write_all(bytes.as_bytes()).await.expect("a request");
        let answer = read_head(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "before a byte of the body was sent: {answer}");
    }
    let chunk = format!("2000\r\n{}\r\n", " ".repeat(0x2000));
    let endless = format!("{head}transfer-encoding: chunked\r\n\r\n{}", chunk.repeat(64));
    assert_eq!(statuses(&exchange(app.address, endless).await), ["413"]);
}

async fn a13_connections_reset_amid_a_body_leave_nothing(Scene { app, anonymous, .. }: &Scene) {
    let before = app.database().dump("users").await;
    let half =
        "POST /users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"email\":";
    for _ in 0..200 {
        let mut stream = TcpStream::connect(app.address).await.expect("a connection");
        stream.write_all(half.as_bytes()).await.expect("a request");
        // Closes with a reset rather than an end.
        stream.set_zero_linger().expect("a socket option");
    }
    let body = json!({"email": "bob@example.com", "password": PASSWORD, "name": "Bob"});
    assert_eq!(anonymous.post("/users", body).await.status, 201);
    assert_eq!(app.database().dump("users").await.len(), before.len() + 1);
}

/// RUSTSEC-2021-0020, RUSTSEC-2021-0078: two codings, or a length with a sign, were read otherwise
/// than by a proxy.
async fn a14_ambiguous_framing_gets_one_answer(Scene { app, .. }: &Scene) {
    let post = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let smuggled = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    let cases = [
        // The body ends with its last chunk, and what follows is not to be taken for a request.
        ("CL.TE", format!("{post}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}")),
        ("TE.CL", format!("{post}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n{smuggled}")),
        ("two lengths", format!("{post}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}{smuggled}")),
        ("list of lengths", format!("{post}content-length: 2, 3\r\n\r\n{{}}{smuggled}")),
        ("xchunked", format!("{post}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}")),
        ("space before the colon", format!("{post}content-length : 2\r\n\r\n{{}}{smuggled}")),
        ("0x chunk size", format!("{post}transfer-encoding: chunked\r\n\r\n0x2\r\n{{}}\r\n0\r\n\r\n{smuggled}")),
        ("+ chunk size", format!("{post}transfer-encoding: chunked\r\n\r\n+2\r\n{{}}\r\n0\r\n\r\n{smuggled}")),
        ("negative length", format!("{post}content-length: -1\r\n\r\n{smuggled}")),
        ("+ length", format!("{post}content-length: +2\r\n\r\n{{}}{smuggled}")),
    ];
    for (case, bytes) in cases {
        let answer = exchange(app.address, bytes).await;
        let statuses = statuses(&answer);
        assert_eq!(statuses.len(), 1, "{case}: {answer}");
        assert!(matches!(statuses[0], "400" | "422" | "501"), "{case}: {answer}");
        assert_is_problem(&answer);
    }
}

/// However little of the message could be read.
fn assert_is_problem(answer: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    for header in ["content-type: application/problem+json", "x-content-type-options: nosniff", "x-request-id: "] {
        assert!(head.contains(&format!("\r\n{header}")), "{header}: {answer}");
    }
    let problem: Value = serde_json::from_str(body).expect("JSON");
    for member in ["type", "title", "status", "code", "detail", "instance", "request_id"] {
        assert!(!problem[member].is_null(), "{member}: {answer}");
    }
}

async fn a15_trailers_are_ignored(Scene { app, alice, .. }: &Scene) {
    let token = alice.access_token();
    let request = format!(
        "POST /logout HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\ntrailer: authorization\r\n\r\n2\r\n{{}}\r\n0\r\n\
         authorization: Bearer {token}\r\nx-forwarded-for: 1.2.3.4\r\n\r\n"
    );
    assert_eq!(statuses(&exchange(app.address, request).await), ["401"]);
    assert_eq!(alice.get("/users/me").await.status, 200);
}

async fn a17_oversized_heads_and_strange_methods(Scene { app, anonymous, .. }: &Scene) {
    let get = |headers: &str| format!("GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    let many = "x-one-of-many: 1\r\n".repeat(200);
    let more = "x-one-of-many: 1\r\n".repeat(2_000);
    let large = format!("x-large: {}\r\n", "x".repeat(1_000_000));
    for headers in [many, more, large] {
        let answer = exchange(app.address, get(&headers)).await;
        assert_eq!(statuses(&answer), ["431"]);
        assert_is_problem(&answer);
    }
    for length in [9_000, 60_000, 100_000, 1_000_000] {
        let target = format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "x".repeat(length));
        let answer = exchange(app.address, target).await;
        assert_eq!(statuses(&answer), ["414"], "{length}");
        assert_is_problem(&answer);
    }
    let long = anonymous.get(&format!("/users?q={}", "x".repeat(60_000))).await;
    assert!(matches!((long.status, long.code()), (414, "uri_too_long") | (431, "headers_too_large")), "{long}");

    for method in ["TRACE", "CONNECTX", "PROPFIND", "get"] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let response = anonymous.request(method, "/users").await;
        assert_eq!((response.status, response.code()), (405, "method_not_allowed"));
    }
    let overridden = anonymous.get("/health/live").header("x-http-method-override", "DELETE").await;
    assert_eq!(overridden.status, 200);
}

async fn a20_http2_answers_alike(Scene { anonymous, alice, .. }: &Scene) {
    let modern = alice.over_http2();
    assert_eq!(modern.get("/users/me").await.to_string(), alice.get("/users/me").await.to_string());
    let large = "x".repeat(70 * 1024);
    let refused = anonymous.over_http2().request(Method::POST, "/login").raw_json(large).await;
    assert_eq!(refused.code(), "payload_too_large");
    assert_eq!(anonymous.over_http2().get("/nowhere").await.code(), "not_found");
}
