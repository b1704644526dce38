//! A connection with deadlines.

use super::activity::Activity;
use hyper_util::server::graceful::GracefulConnection;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::{Sleep, sleep_until};

/// A connection that is given up when its [`Activity`] is overdue. Says whether it ended by itself.
pub(super) struct Timed<C> {
    connection: Pin<Box<C>>,
    activity: Arc<Activity>,
    timer: Pin<Box<Sleep>>,
}

impl<C: GracefulConnection> Timed<C> {
    pub(super) fn new(connection: C, activity: Arc<Activity>) -> Self {
        let timer = Box::pin(sleep_until(activity.deadline()));
        Self { connection: Box::pin(connection), activity, timer }
    }

    /// Answers what has arrived, begun to, or is on its way from a client that has just connected, and ends.
    pub(super) async fn finish(&mut self) -> bool {
        self.activity.stop();
        let ended = poll_fn(|cx| match Pin::new(&mut *self).poll(cx) {
            Poll::Ready(in_time) => Poll::Ready(Some(in_time)),
            Poll::Pending if self.activity.awaits_head() => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(in_time) = ended.await {
            return in_time;
        }
        self.connection.as_mut().graceful_shutdown();
        self.await
    }
}

impl<C: GracefulConnection> Future for Timed<C> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        // How it ended concerns nobody: a client may go at any time.
        if self.connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        loop {
            // Whether it is over the timer tells, not the clock. A later deadline is noticed when it fires: most are
            // moved with each request.
            let (deadline, set) = (self.activity.deadline(), self.timer.deadline());
            let is_elapsed = self.timer.is_elapsed();
            if is_elapsed && deadline <= set {
                return Poll::Ready(false);
            }
            if is_elapsed || deadline < set {
                self.timer.as_mut().reset(deadline);
            }
            ready!(self.timer.as_mut().poll(cx));
        }
    }
}
