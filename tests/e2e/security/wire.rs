//! Bytes on the wire, for what no HTTP client would send.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any deadline of the service.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends `bytes` and reads until the service closes the connection.
pub(super) async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // What is refused early may be closed before all of it was sent.
    let _ = stream.write_all(bytes.as_ref()).await;
    read_to_end(&mut stream).await
}

pub(super) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = async {
        let mut buffer = [0; 4_096];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..read]);
        }
    };
    timeout(PATIENCE, reading).await.expect("the service closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer off a connection that stays open.
pub(super) async fn read_head(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = async {
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.expect("an answer"));
        }
    };
    timeout(PATIENCE, reading).await.expect("the service answers");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status codes of all answers in a stream of bytes.
pub(super) fn statuses(answer: &str) -> Vec<&str> {
    answer.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect()
}
