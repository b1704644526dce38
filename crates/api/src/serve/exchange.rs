//! One request and its answer.

use super::activity::Activity;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{Request, Version};
use hyper::body::{Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// From a request's head to the end of its answer, however it ends.
#[derive(Debug)]
pub(super) struct Exchange(Arc<Activity>);

impl Exchange {
    pub(super) fn begin(activity: &Arc<Activity>, request: &Request<Incoming>) -> Self {
        activity.request_began(request.version() >= Version::HTTP_2, request.body().size_hint().exact());
        Self(Arc::clone(activity))
    }

    /// The body of a request that tells its own end, and tells the [`Activity`] too.
    pub(super) fn unbounded(&self, body: Incoming) -> Body {
        Body::new(Unbounded { body, activity: Arc::clone(&self.0) })
    }

    pub(super) fn answered_with(self, body: Body) -> Answer {
        Answer { body, _exchange: self }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.answer_ended();
    }
}

#[derive(Debug)]
struct Unbounded {
    body: Incoming,
    activity: Arc<Activity>,
}

impl HttpBody for Unbounded {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() {
            self.activity.body_ended();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, which holds its exchange until it is sent or dropped.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    _exchange: Exchange,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
