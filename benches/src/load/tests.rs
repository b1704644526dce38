//! The generator against a service whose answers take as long as a test says.

use super::connection::parse;
use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

struct Hello;

impl Operation for Hello {
    fn request(&mut self, _: usize, into: &mut Vec<u8>) {
        into.extend_from_slice(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    }

    fn answered(&mut self, _: usize, answer: &Answer<'_>) -> bool {
        (answer.status, &*answer.body) == (200, b"hello")
    }
}

/// Answers connections one after another; from `stalls_at` for `stalls` it answers nothing.
fn service(stalls_at: Duration, stalls: Duration, status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let start = Instant::now();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut request = [0; 1024];
                while stream.read(&mut request).is_ok_and(|n| n > 0) {
                    if let Some(left) = (stalls_at + stalls).checked_sub(start.elapsed()).filter(|left| *left <= stalls)
                    {
                        thread::park_timeout(left);
                    }
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\nhello");
                    if stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

fn load(address: SocketAddr, pace: Pace) -> Load {
    Load {
        address,
        connections: 2,
        pace,
        warm_up: Duration::from_millis(100),
        measured: Duration::from_millis(900),
        // The tests share their cores.
        yielding: true,
    }
}

/// A fifth of the time nothing is answered: a fifth of what was due had to wait, on average half the stall. Counted
/// from the sending, two of some hundreds would have waited, and the 90th percentile would know nothing of it.
#[test]
fn a_stall_shows_in_the_latency_of_everything_that_was_due_in_it() {
    let stall = Duration::from_millis(200);
    let address = service(Duration::from_millis(400), stall, "200 OK");
    let outcome = load(address, Pace::PerSecond(400.0)).run(&mut Hello).unwrap();
    assert_eq!((outcome.answered, outcome.failed), (360, 0));
    assert!(outcome.percentile(90.0) > 50.0, "p90 is {} ms", outcome.percentile(90.0));
    assert!(outcome.percentile(99.0) > 150.0, "p99 is {} ms", outcome.percentile(99.0));
}

#[test]
fn a_service_that_keeps_up_is_asked_as_often_as_is_said_and_no_more() {
    let address = service(Duration::MAX / 2, Duration::ZERO, "200 OK");
    let outcome = load(address, Pace::PerSecond(200.0)).run(&mut Hello).unwrap();
    assert_eq!((outcome.answered, outcome.failed), (180, 0));
}

#[test]
fn a_closed_loop_asks_again_with_each_answer_and_counts_the_measured_time_alone() {
    let address = service(Duration::MAX / 2, Duration::ZERO, "200 OK");
    let mut asked = Counted(0);
    let mostly_warm_up = Load { measured: Duration::from_millis(9), ..load(address, Pace::AtOnce) };
    let outcome = mostly_warm_up.run(&mut asked).unwrap();
    assert!(asked.0 > 20 && outcome.failed == 0, "{outcome:?}");
    assert!(outcome.answered < asked.0 / 2, "{} of {} were counted", outcome.answered, asked.0);
}

struct Counted(u64);

impl Operation for Counted {
    fn request(&mut self, connection: usize, into: &mut Vec<u8>) {
        self.0 += 1;
        Hello.request(connection, into);
    }

    fn answered(&mut self, connection: usize, answer: &Answer<'_>) -> bool {
        Hello.answered(connection, answer)
    }
}

#[test]
fn answers_that_are_not_good_are_no_throughput() {
    let address = service(Duration::MAX / 2, Duration::ZERO, "503 Service Unavailable");
    let outcome = load(address, Pace::AtOnce).run(&mut Hello).unwrap();
    assert!(outcome.answered == 0 && outcome.failed > 0, "{outcome:?}");
}

#[test]
fn the_text_of_a_member_is_found() {
    let body = br#"{"expires_in":600, "refresh_token": "vrt_x","n":null}"#;
    let answer = Answer { status: 200, body: body.into() };
    assert_eq!(answer.text("refresh_token"), Some("vrt_x"));
    assert_eq!(answer.text("expires_in"), None);
    assert_eq!(answer.text("missing"), None);
}

#[test]
fn a_body_in_chunks_is_whole_with_its_last_one() {
    let whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\nA\r\nllo, world\r\n0\r\n\r\n";
    for end in 0..whole.len() {
        assert!(parse(&whole[..end]).unwrap().is_none(), "{end}");
    }
    assert_eq!(&*parse(whole).unwrap().unwrap().body, b"hello, world");
    parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n0\r\n\r\n").unwrap_err();
}
