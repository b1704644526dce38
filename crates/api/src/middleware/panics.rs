//! A panic costs one request, not the process.

use crate::error::ApiError;
use crate::problem::Code;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// `tower-http` has a layer for this, which puts the body of every answer into a box.
///
/// Nothing of `work` is used again after a panic, and what it shares with other requests recovers from poisoned locks.
pub(super) async fn catch<T>(mut work: Pin<&mut impl Future<Output = T>>) -> Result<T, ApiError> {
    let guarded = poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        // Its message, which may quote what a client sent, goes nowhere; where it happened is told by the hook of the
        // process.
        polled.map_or_else(|_| Poll::Ready(None), |poll| poll.map(Some))
    });
    guarded.await.ok_or_else(|| ApiError::new(Code::InternalError).because("a panic"))
}
