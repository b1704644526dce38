//! The socket by itself.

use crate::serve::activity::Activity;
use crate::serve::socket::{PREFACE, SMALL, Socket};
use std::io::IoSlice;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;

/// A connection on which a client, who is returned too, has sent this.
async fn sent(text: &[u8]) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.write_all(text).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    stream.readable().await.unwrap();
    (stream, client)
}

/// What two reads of a new connection find that begins with `text`.
async fn two_reads(text: &[u8]) -> [Vec<u8>; 2] {
    let (stream, _client) = sent(text).await;
    let (mut socket, _) = Socket::new(stream, Arc::new(Activity::new()));
    let mut reads = [Vec::new(), Vec::new()];
    for read in &mut reads {
        let mut into = [0; PREFACE.len()];
        let length = socket.read(&mut into).await.unwrap();
        read.extend_from_slice(&into[..length]);
    }
    reads
}

#[tokio::test]
async fn http1_is_told_by_a_read_of_nothing() {
    assert_eq!(two_reads(b"PUT /").await, [b"".to_vec(), b"PUT /".to_vec()]);
}

#[tokio::test]
async fn what_comes_while_an_answer_is_under_way_waits_for_its_end() {
    let (stream, _client) = sent(b"PUT /").await;
    let activity = Arc::new(Activity::new());
    let (mut socket, _) = Socket::new(stream, Arc::clone(&activity));
    activity.request_began(false, Some(0));
    let read = tokio::spawn(async move { socket.read(&mut [0; 8]).await });
    yield_now().await;
    assert!(!read.is_finished());
    activity.answer_ended();
    read.await.unwrap().unwrap();
}

#[tokio::test]
async fn http2_is_handed_over_at_once() {
    assert_eq!(two_reads(PREFACE).await.concat(), PREFACE);
}

#[tokio::test]
async fn pieces_arrive_whole_whether_small_or_not() {
    for length in [SMALL, SMALL + 1] {
        let (stream, mut client) = sent(b"PUT /").await;
        let (mut socket, _) = Socket::new(stream, Arc::new(Activity::new()));
        let pieces = [vec![b'a'; length - 1], vec![], vec![b'b']];
        let slices = pieces.each_ref().map(|piece| IoSlice::new(piece));
        assert_eq!(socket.write_vectored(&slices).await.unwrap(), length);
        let mut arrived = vec![0; length];
        client.read_exact(&mut arrived).await.unwrap();
        assert_eq!(arrived, pieces.concat());
    }
}
