//! The socket under a connection.

use super::activity::Activity;
use super::line_ends::LineEnds;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a client may take to notice that the connection is closed.
const LINGER: Duration = Duration::from_secs(2);

/// Tells the [`Activity`] of everything that arrives, and of writes that have to wait.
#[derive(Debug)]
pub(super) struct Socket {
    /// `None` only while it is being dropped.
    stream: Option<TcpStream>,
    activity: Arc<Activity>,
    line_ends: LineEnds,
    returned: Returned,
}

/// Where the stream is to be found after hyper has let go of the [`Socket`].
#[derive(Debug, Default, Clone)]
pub(super) struct Returned(Arc<Mutex<Option<TcpStream>>>);

impl Socket {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>) -> (Self, Returned) {
        let returned = Returned::default();
        (Self { stream: Some(stream), activity, line_ends: LineEnds::default(), returned: returned.clone() }, returned)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| ErrorKind::NotConnected.into())
    }

    fn note_write<T>(&self, outcome: Poll<T>) -> Poll<T> {
        self.activity.wrote(outcome.is_pending());
        outcome
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        *self.returned.0.lock().unwrap_or_else(PoisonError::into_inner) = self.stream.take();
    }
}

impl Returned {
    /// Closes so that the last answer arrives: whoever closes with unread bytes in the buffer, as after refusing a
    /// body that is too large, sends a reset that can overtake it (RFC 9112, section 9.6).
    pub(super) async fn close(self) {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut stream) = stream {
            let _ = timeout(LINGER, async {
                stream.shutdown().await?;
                let mut discarded = [0; 4096];
                while stream.read(&mut discarded).await? > 0 {}
                io::Result::Ok(())
            })
            .await;
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = self.stream()?.poll_read(cx, buf);
        if let Some(read) = buf.filled_mut().get_mut(before..).filter(|read| !read.is_empty()) {
            match self.activity.awaited_head() {
                Some(begins) => self.line_ends.refuse_bare(read, begins),
                None => self.line_ends.skip(read),
            }
            self.activity.read();
        }
        outcome
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = self.stream()?.poll_write(cx, buf);
        self.note_write(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.stream()?.poll_write_vectored(cx, bufs);
        self.note_write(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}
