//! One connection, from accepting it to closing it.

use super::activity::Activity;
use super::exchange::{Answer, Exchange};
use super::socket::{self, Left, Socket};
use super::timed::Timed;
use super::unread;
use crate::middleware::Unread;
use crate::{App, Readiness};
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

/// Beyond what the middleware admits. What is beyond these as well is no request: hyper refuses it by itself
/// ([`super::unread`]).
const MAX_BUFFER_BYTES: usize = 128 * 1024;
const MAX_HEADER_LIST_BYTES: u32 = 64 * 1024;
/// Requests at once on one connection.
const MAX_STREAMS: u32 = 100;
/// Streams that a client opened and reset before anyone looked, and those reset for errors of its own: beyond, it is
/// told to go away (CVE-2023-44487).
const MAX_RESETS: usize = 20;
const MAX_ERROR_RESETS: usize = 100;
/// How far ahead of the handlers a client can send: the largest body, and a few of them.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
/// Whether an HTTP/2 client that says nothing is still there.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);

/// All connections, and how to end them.
#[derive(Debug)]
pub(super) struct Connections {
    tasks: TaskTracker,
    stopping: CancellationToken,
    broken_off: CancellationToken,
    /// Set before either of the two is cancelled: whom they wake finds it set.
    ending: AtomicBool,
    readiness: Readiness,
    protocol: Builder<TokioExecutor>,
}

impl Connections {
    pub(super) fn new(readiness: Readiness) -> Self {
        Self {
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            broken_off: CancellationToken::new(),
            ending: AtomicBool::new(false),
            readiness,
            protocol: protocol(),
        }
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// No new ones; each ends with the request that it has.
    pub(super) fn stop(&self) {
        self.ending.store(true, Ordering::Release);
        self.stopping.cancel();
        self.tasks.close();
    }

    pub(super) async fn stopped(&self) {
        self.stopping.cancelled().await;
    }

    pub(super) async fn finished(&self) {
        self.tasks.wait().await;
    }

    /// After [`Self::stop`].
    pub(super) fn break_off(&self) {
        debug_assert!(self.ending.load(Ordering::Relaxed), "told to stop");
        self.broken_off.cancel();
    }

    /// Serves one connection to its end.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr, app: App) {
        tokio::select! {
            biased;
            () = self.converse(stream, peer, app) => {}
            () = self.once_ending(self.broken_off.cancelled()) => {}
        }
    }

    async fn converse(&self, stream: TcpStream, peer: SocketAddr, app: App) {
        let activity = Arc::new(Activity::new());
        let service = |unread: Option<Unread>| {
            let (app, activity, readiness) = (app.clone(), Arc::clone(&activity), self.readiness.clone());
            service_fn(move |mut request: Request<Incoming>| {
                let exchange = Exchange::begin(&activity, &request);
                let unbounded = is_unbounded(&request);
                let last = readiness.is_draining() || unbounded;
                request.extensions_mut().insert(ConnectInfo(peer));
                if let Some(unread) = unread {
                    request.extensions_mut().insert(unread);
                }
                let request = request.map(|body| {
                    if unbounded {
                        exchange.unbounded(body)
                    } else if body.is_end_stream() {
                        // `Body::new` would allocate for it.
                        Body::empty()
                    } else {
                        Body::new(body)
                    }
                });
                let version = request.version();
                answer(app.clone().call(request), version, exchange, last)
            })
        };
        let (socket, returned) = Socket::new(stream, Arc::clone(&activity));
        let connection = self.protocol.serve_connection(TokioIo::new(socket), service(None));
        let mut in_time = self.see_through(Timed::new(connection, Arc::clone(&activity))).await;
        let mut left = returned.take();
        if let Some(Left { stream, refused: Some(status) }) = left {
            let (socket, returned) = Socket::new(stream, Arc::clone(&activity));
            let connection = unread::answer_over(socket, service(Some(Unread(status))));
            in_time = in_time && self.see_through(Timed::new(connection, activity)).await;
            left = returned.take();
        }
        if let Some(Left { stream, .. }) = left
            && in_time
            && !self.stopping.is_cancelled()
        {
            socket::close(stream).await;
        }
    }

    /// Until one side ends it; says whether it was that.
    async fn see_through(&self, mut connection: Timed<impl GracefulConnection>) -> bool {
        tokio::select! {
            biased;
            in_time = &mut connection => in_time,
            () = self.once_ending(self.stopped()) => connection.finish().await,
        }
    }

    /// Until `cancelled`, of either token. To poll that takes two locks, and this is polled with each message: so each
    /// waker is registered once, and then only the flag is read until there is an end.
    async fn once_ending(&self, cancelled: impl Future<Output = ()>) {
        let mut cancelled = pin!(cancelled);
        let mut registered: Option<Waker> = None;
        let asked = poll_fn(|cx| {
            let is_registered = registered.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if is_registered && !self.ending.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            registered = Some(cx.waker().clone());
            cancelled.as_mut().poll(cx)
        });
        asked.await;
    }
}

fn protocol() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Activity` has one that leaves idle connections alone.
        .header_read_timeout(None)
        // `Socket` sees by itself when a client goes: hyper would have another buffer of 8 KiB for it.
        .half_close(true)
        // At most 100 headers, as hyper has it: to be told a number it allocates for so many with each request.
        .max_buf_size(MAX_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG);
    builder
}

/// Whether only the body tells where it ends. hyper takes a bare line feed for the end of its trailers (RFC 9112,
/// section 7.1.2), where a proxy in front may not: what follows on such a connection is nobody's message.
fn is_unbounded(request: &Request<Incoming>) -> bool {
    request.version() < Version::HTTP_2 && request.body().size_hint().exact().is_none()
}

/// The `last` one on its connection says so. That is also told to a client that stays connected while the service
/// drains, so that none is closed under a request that is already on its way.
async fn answer(
    response: impl Future<Output = Result<Response<Body>, Infallible>>,
    version: Version,
    exchange: Exchange,
    last: bool,
) -> Result<Response<Answer>, Infallible> {
    let mut response = response.await?;
    if last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if version >= Version::HTTP_2 {
        // It says this otherwise (RFC 9113, section 8.2.2).
        response.headers_mut().remove(CONNECTION);
    }
    Ok(response.map(|body| exchange.answered_with(body)))
}
