//! A 16: floods that HTTP/2 makes cheap for the client.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use vestibule_testkit::app::Scene;
use vestibule_testkit::scenes;

scenes!(
    a16_rapid_reset_is_told_to_go_away,
    a16_a_flood_of_continuations_is_told_to_go_away,
    a16_a_flood_of_empty_data_is_told_to_go_away,
    a16_a_header_bomb_gets_no_further,
);

/// Types and flags of RFC 9113, section 6.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET / HTTP/2` to `x`, from the static table of RFC 7541.
const GET: &[u8] = b"\x82\x86\x84\x41\x01x";
/// `POST / HTTP/2` to `x`.
const POST: &[u8] = b"\x83\x86\x84\x41\x01x";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The types of all frames that the service sent until it closed the connection.
async fn flood(scene: &Scene, frames: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let stream = TcpStream::connect(scene.app.address).await.expect("a connection");
    let (mut reader, mut writer) = stream.into_split();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, b""));
    bytes.extend(frames.flatten());
    // The service need not read to the end of it.
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(&bytes).await;
        let _ = writer.shutdown().await;
        writer
    });
    let mut kinds = Vec::new();
    let reading = async {
        let mut head = [0; 9];
        while reader.read_exact(&mut head).await.is_ok() {
            kinds.push(head[3]);
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).expect("a length")];
            if reader.read_exact(&mut payload).await.is_err() {
                break;
            }
        }
    };
    timeout(Duration::from_secs(20), reading).await.expect("the service closes the connection");
    drop(sending.await);
    kinds
}

/// Others are served as before.
async fn stands(scene: &Scene) {
    assert_eq!(scene.alice.get("/users/me").await.status, 200);
    assert_eq!(scene.alice.over_http2().get("/users/me").await.status, 200);
}

/// CVE-2023-44487.
/// CVE-2023-44487, RUSTSEC-2024-0003.
async fn a16_rapid_reset_is_told_to_go_away(scene: &Scene) {
    let opened_and_reset = (0..5_000_u32).map(|n| {
        let stream = 2 * n + 1;
        let request = frame(HEADERS, END_HEADERS | END_STREAM, stream, GET);
        [request, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    let answer = flood(scene, opened_and_reset).await;
    assert!(answer.contains(&GOAWAY), "{answer:?}");
    stands(scene).await;
}

/// RUSTSEC-2024-0332.
async fn a16_a_flood_of_continuations_is_told_to_go_away(scene: &Scene) {
    let field = b"\x00\x01a\x01b".repeat(200);
    let begun = std::iter::once(frame(HEADERS, END_STREAM, 1, GET));
    let answer = flood(scene, begun.chain((0..2_000).map(|_| frame(CONTINUATION, 0, 1, &field)))).await;
    assert!(answer.contains(&GOAWAY) || answer.contains(&RST_STREAM), "{answer:?}");
    stands(scene).await;
}

/// RUSTSEC-2026-0258.
async fn a16_a_flood_of_empty_data_is_told_to_go_away(scene: &Scene) {
    let begun = std::iter::once(frame(HEADERS, END_HEADERS, 1, POST));
    let answer = flood(scene, begun.chain((0..50_000).map(|_| frame(DATA, 0, 1, b"")))).await;
    assert!(answer.contains(&GOAWAY), "{answer:?}");
    stands(scene).await;
}

/// One entry of the dynamic table, named thousands of times (CVE-2016-6581).
async fn a16_a_header_bomb_gets_no_further(scene: &Scene) {
    let entry = [&b"\x40\x01a\x7f\xa1\x1e"[..], &[b'x'; 4_000]].concat();
    let bomb = [GET, &entry, &b"\xbe".repeat(12_000)].concat();
    let answer = flood(scene, std::iter::once(frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb))).await;
    assert!(
        answer.iter().any(|kind| matches!(*kind, GOAWAY | RST_STREAM | HEADERS)),
        "answered, or refused: {answer:?}"
    );
    stands(scene).await;
}
