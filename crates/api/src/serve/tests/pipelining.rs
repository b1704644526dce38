//! Messages that a client sends before it has the answer to an earlier one.

use super::{SLACK, connect, rest, say, serve, until};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, pause};

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const POST: &str = "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc";

fn statuses(answers: &str) -> Vec<&str> {
    answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect()
}

#[tokio::test]
async fn they_are_answered_in_their_order() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, &format!("{GET}{POST}\r\n{POST}{GET}").repeat(50)).await;
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let answers = rest(&mut stream).await;
    assert_eq!(statuses(&answers), ["200"; 201]);
    let bodies: Vec<_> =
        answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.split("\r\n\r\n").nth(1)).collect();
    let expected = ["hello", "3", "3", "hello"].repeat(50);
    assert_eq!(bodies, [&expected[..], &["hello"]].concat());
}

#[tokio::test]
async fn a14_a_bare_line_feed_is_refused_in_each_of_them() {
    let served = serve().await;
    for before in [GET, POST, "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n\r"] {
        for bare in [
            "GET / HTTP/1.1\nhost: x\n\n",
            "\nGET / HTTP/1.1\r\nhost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\nx: y\ntransfer-encoding: chunked\r\n\r\n",
        ] {
            let mut stream = connect(&served).await;
            say(&mut stream, &format!("{before}{bare}{GET}")).await;
            let answers = rest(&mut stream).await;
            assert_eq!(statuses(&answers), ["200", "400"], "{before:?}{bare:?}: {answers}");
        }
    }
}

#[tokio::test]
async fn a14_a_bare_line_feed_is_refused_though_an_answer_is_under_way() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    served.begun.notified().await;
    say(&mut stream, &format!("GET / HTTP/1.1\nhost: x\n\n{GET}")).await;
    served.slow.notify_one();
    let answers = rest(&mut stream).await;
    assert_eq!(statuses(&answers), ["200", "400"], "{answers}");
}

/// hyper takes the bare line feed for the end of the trailers, and drops what it has read beyond it.
#[tokio::test]
async fn a14_nothing_comes_after_a_body_that_tells_its_own_end() {
    let served = serve().await;
    for end in ["\r\n", "x: y\r\n\r\n", "\n", "\n\n", "x: y\n\r\n", "x: y\n\n"] {
        let mut stream = connect(&served).await;
        let head = "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        say(&mut stream, &format!("{head}3\r\nabc\r\n0\r\n{end}{GET}{GET}")).await;
        let answers = rest(&mut stream).await;
        assert_eq!(statuses(&answers).len(), 1, "{end:?}: {answers}");
        assert!(answers.contains("\r\nconnection: close\r\n"), "{end:?}: {answers}");
    }
}

#[tokio::test]
async fn one_that_is_cut_anywhere_arrives_whole() {
    let served = serve().await;
    let message = "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n{\n\r\n\n}";
    for cut in 0..message.len() {
        let (early, late) = message.split_at(cut);
        let mut stream = connect(&served).await;
        say(&mut stream, &format!("{GET}{early}")).await;
        until(&mut stream, "hello").await;
        say(&mut stream, &format!("{late}{GET}")).await;
        let answer = until(&mut stream, "hello").await;
        assert_eq!(statuses(&answer), ["200"; 2], "cut at {cut}: {answer}");
        assert!(answer.contains("\r\n\r\n6HTTP/1.1"), "cut at {cut}: {answer}");
    }
}

#[tokio::test]
async fn a11_one_that_began_early_is_on_the_clock_from_the_end_of_the_answer() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, &format!("{GET}GET / HTTP/1.1\r\nho")).await;
    until(&mut stream, "hello").await;
    let began = Instant::now();
    pause();
    assert_eq!(rest(&mut stream).await, "");
    assert!(began.elapsed() <= Duration::from_secs(10) + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn whoever_says_nothing_more_after_several_gets_all_answers() {
    let served = serve().await;
    let mut stream = connect(&served).await;
    say(&mut stream, &format!("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n{GET}")).await;
    stream.shutdown().await.unwrap();
    served.begun.notified().await;
    // Meanwhile the service hears that there will be no more.
    let mut other = connect(&served).await;
    say(&mut other, GET).await;
    until(&mut other, "hello").await;
    served.slow.notify_one();
    let answers = rest(&mut stream).await;
    assert_eq!(statuses(&answers), ["200"; 2], "{answers}");
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_while_its_answer_is_under_way() {
    let served = serve().await;
    for request in [
        "GET /stuck HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST /stuck HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc",
        "POST /stuck HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ] {
        let mut stream = connect(&served).await;
        say(&mut stream, request).await;
        served.begun.notified().await;
        stream.shutdown().await.unwrap();
        let began = Instant::now();
        assert_eq!(rest(&mut stream).await, "", "{request}");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}: {request}", began.elapsed());
    }
}
