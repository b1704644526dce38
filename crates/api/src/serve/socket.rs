//! The socket under a connection.

use super::activity::{Activity, Admitted};
use super::line_ends::LineEnds;
use bytes::BytesMut;
use http::StatusCode;
use std::io::{self, ErrorKind, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What every HTTP/2 connection begins with (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// In bytes. Most answers are no larger.
pub(super) const SMALL: usize = 2 * 1024;
/// How long a client may take to notice that the connection is closed.
const LINGER: Duration = Duration::from_secs(2);

/// Tells the [`Activity`] of everything that arrives, and of writes that have to wait.
///
/// Hands over one HTTP/1 message at a time: what a client sends before it has its answer waits here, so that where a
/// head begins and what is in it is known of each.
#[derive(Debug)]
pub(super) struct Socket {
    /// `None` only while it is being dropped.
    stream: Option<TcpStream>,
    activity: Arc<Activity>,
    line_ends: LineEnds,
    /// Read, and not handed over yet.
    held: BytesMut,
    refused: Option<StatusCode>,
    /// The last write had to wait, and the activity was told so.
    stalls: bool,
    /// Which version of HTTP the client speaks has still to be told.
    undecided: bool,
    /// Whether a client that goes is noticed while its answer is under way.
    watched: bool,
    returned: Returned,
}

/// What is left when hyper has let go of the [`Socket`].
#[derive(Debug)]
pub(super) struct Left {
    pub(super) stream: TcpStream,
    /// What hyper would have answered, with nothing but a head, to a message that it could not read.
    pub(super) refused: Option<StatusCode>,
}

/// Where that is to be found.
#[derive(Debug, Default, Clone)]
pub(super) struct Returned(Arc<Mutex<Option<Left>>>);

impl Socket {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>) -> (Self, Returned) {
        let returned = Returned::default();
        let (line_ends, held) = (LineEnds::default(), BytesMut::new());
        let stream = Some(stream);
        let socket = Self {
            stream,
            activity,
            line_ends,
            held,
            refused: None,
            stalls: false,
            undecided: true,
            watched: true,
            returned: returned.clone(),
        };
        (socket, returned)
    }

    /// For one who may have said their last word, and waits for the answer to it.
    pub(super) fn unwatched(mut self) -> Self {
        self.watched = false;
        self
    }

    /// Whether what a client says first does not begin HTTP/2. Told so by a read of nothing, hyper-util leaves all of
    /// it to hyper; else it reads the length of a preface by itself, and for what follows hyper doubles its buffer.
    fn poll_is_http1(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut first = [0; PREFACE.len()];
        let mut buf = ReadBuf::new(&mut first);
        ready!(self.stream()?.poll_peek(cx, &mut buf))?;
        Poll::Ready(Ok(!PREFACE.starts_with(buf.filled())))
    }

    /// How much of what was read may be handed over, of which there is something.
    fn admit(&mut self, admitted: Admitted, read: &mut [u8]) -> usize {
        match admitted {
            // Beyond the preface of HTTP/2, or beyond what hyper refuses.
            Admitted::Head { begins: false } if self.line_ends.is_after_head() => read.len(),
            Admitted::Head { begins } => self.line_ends.refuse_bare(read, begins),
            Admitted::Body(left) => usize::try_from(left).map_or(read.len(), |left| left.min(read.len())),
            Admitted::Nothing | Admitted::Everything => read.len(),
        }
    }

    /// Before what is held already, which came later.
    fn hold_back(&mut self, early: &[u8]) {
        if !early.is_empty() {
            let later = mem::take(&mut self.held);
            self.held.extend_from_slice(early);
            self.held.unsplit(later);
        }
    }

    /// Whether the client has gone, of whom no further message waits. What it says instead is for later.
    fn is_gone(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if !self.held.is_empty() {
            return Ok(false);
        }
        let mut early = [0];
        let mut buf = ReadBuf::new(&mut early);
        Ok(match self.stream()?.poll_peek(cx, &mut buf) {
            Poll::Ready(Ok(said)) => said == 0,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        })
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| ErrorKind::NotConnected.into())
    }

    fn note_write<T>(&mut self, outcome: Poll<T>) -> Poll<T> {
        let stalled = mem::replace(&mut self.stalls, outcome.is_pending());
        // Most writes do not wait, nor come after one that did: no lock for them.
        if stalled || self.stalls {
            self.activity.wrote(self.stalls);
        }
        outcome
    }

    /// Whether `written` is an answer of hyper's own, which comes last on a connection. HTTP/2 has none, and its frames
    /// do not look like one.
    fn keep_back(&mut self, written: &[u8]) -> bool {
        if self.refused.is_none() && self.activity.owes_nothing() {
            self.refused = status(written).map(|status| self.more_exactly(status));
        }
        self.refused.is_some()
    }

    /// hyper sees only that its buffer is full.
    fn more_exactly(&self, status: StatusCode) -> StatusCode {
        let is_target = status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE && self.line_ends.is_in_first_line();
        if is_target { StatusCode::URI_TOO_LONG } else { status }
    }
}

/// Of an HTTP/1 answer that begins here.
fn status(written: &[u8]) -> Option<StatusCode> {
    let is_head = written.starts_with(b"HTTP/1.");
    written
        .get("HTTP/1.1 ".len().."HTTP/1.1 400".len())
        .filter(|_| is_head)
        .and_then(|s| StatusCode::from_bytes(s).ok())
}

/// All of `bufs` in one piece, if that is small: one `send` costs the kernel less than a `writev`.
fn joined<'a>(bufs: &[IoSlice<'_>], whole: &'a mut [u8; SMALL]) -> Option<&'a [u8]> {
    let mut length = 0;
    for buf in bufs {
        whole.get_mut(length..length + buf.len())?.copy_from_slice(buf);
        length += buf.len();
    }
    whole.get(..length)
}

impl Drop for Socket {
    fn drop(&mut self) {
        let left = self.stream.take().map(|stream| Left { stream, refused: self.refused });
        *self.returned.0.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

impl Returned {
    pub(super) fn take(self) -> Option<Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Closes so that the last answer arrives: whoever closes with unread bytes in the buffer, as after refusing a body
/// that is too large, sends a reset that can overtake it (RFC 9112, section 9.6).
pub(super) async fn close(mut stream: TcpStream) {
    let _ = timeout(LINGER, async {
        stream.shutdown().await?;
        // Not part of what a connection takes until then.
        let mut discarded = vec![0; 4096];
        while stream.read(&mut discarded).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let admitted = self.activity.admits();
        if admitted == Admitted::Nothing {
            // hyper does not ask for it either; the framing must not depend on that.
            self.activity.wait_for_end(cx.waker());
            return Poll::Pending;
        }
        if self.undecided {
            let is_http1 = ready!(self.poll_is_http1(cx))?;
            self.undecided = false;
            if is_http1 {
                return Poll::Ready(Ok(()));
            }
        }
        let before = buf.filled().len();
        if self.held.is_empty() {
            ready!(self.stream()?.poll_read(cx, buf))?;
        } else {
            let most = self.held.len().min(buf.remaining());
            buf.put_slice(&self.held.split_to(most));
        }
        let Some(read) = buf.filled_mut().get_mut(before..).filter(|read| !read.is_empty()) else {
            return Poll::Ready(Ok(()));
        };
        let admitted = self.admit(admitted, read);
        self.hold_back(read.get(admitted..).unwrap_or_default());
        buf.set_filled(before + admitted);
        self.activity.read(admitted);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.keep_back(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        let outcome = self.stream()?.poll_write(cx, buf);
        self.note_write(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = bufs.iter().find(|buf| !buf.is_empty())
            && self.keep_back(first)
        {
            return Poll::Ready(Ok(first.len()));
        }
        let mut whole = [0; SMALL];
        let outcome = match joined(bufs, &mut whole) {
            Some(whole) => self.stream()?.poll_write(cx, whole),
            None => self.stream()?.poll_write_vectored(cx, bufs),
        };
        self.note_write(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes when it has nothing left to write, at the end of each poll.
        if self.activity.flushed() && self.watched && self.is_gone(cx)? {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.refused.is_some() {
            // An answer is still to come.
            return Poll::Ready(Ok(()));
        }
        self.stream()?.poll_shutdown(cx)
    }
}
