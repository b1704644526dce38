//! No request takes longer than 10 seconds, but those that wait for news.

use crate::error::ApiError;
use crate::problem::Code;
use crate::routes::well_known::revocations;
use axum::extract::Request;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::task::coop::unconstrained;
use tokio::time::sleep;

/// Everything that a request waits for has a shorter one of its own; this one is for what was forgotten.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) fn of(request: &Request) -> Duration {
    let waits_for_news = request.uri().path() == revocations::PATH;
    if waits_for_news { revocations::DEADLINE } else { DEADLINE }
}

/// A timer is made only for what has to wait, as most has not. It is looked at even if the work used up all that a task
/// may do at a time (`tokio::task::coop`).
pub(super) async fn enforce<T>(deadline: Duration, mut work: Pin<&mut impl Future<Output = T>>) -> Result<T, ApiError> {
    let mut timer = None;
    let in_time = poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        timer.get_or_insert_with(|| Box::pin(unconstrained(sleep(deadline)))).as_mut().poll(cx).map(|()| None)
    });
    in_time.await.ok_or_else(|| ApiError::new(Code::DeadlineExceeded).because("the deadline of all requests"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;
    use std::pin::pin;
    use tokio::task::coop::consume_budget;
    use tokio::time::timeout;

    #[tokio::test]
    async fn what_uses_up_each_of_its_turns_is_given_up_as_well() {
        let busy = pin!(async {
            while ready(true).await {
                consume_budget().await;
            }
        });
        let given_up = timeout(Duration::from_secs(10), enforce(Duration::from_millis(10), busy)).await;
        assert_eq!(given_up.unwrap().unwrap_err().code(), Code::DeadlineExceeded);
    }
}
