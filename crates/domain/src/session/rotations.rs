//! Refreshes that wait for the store go there together: one statement and one commit for all of them.
//!
//! Whoever gets the turn takes everybody along who waits by then. Under load that is a whole group each time, while a
//! refresh that comes alone waits for nobody.

use super::Session;
use super::store::{Rotation, SessionRotation};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::services::Ports;
use crate::user::User;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use futures_util::lock::Mutex as Turn;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

/// So that a group is through long before its statement would be given up, also on a slow disk.
const MOST: usize = 32;
/// How long one may wait for its turn: as long as for a connection.
const LONGEST: Duration = Duration::from_secs(1);

pub(super) struct Rotations {
    waiting: Mutex<Vec<Waiting>>,
    /// The group that is under way. It belongs to nobody in particular: if whoever saw it through goes, the next one
    /// goes on.
    turn: Turn<Option<Group>>,
    /// How many wait for an answer.
    present: AtomicUsize,
}

type Group = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Waiting {
    rotation: Rotation,
    since: Duration,
    answer: oneshot::Sender<Answer>,
}

/// `None` for a token that may be current all the same: whoever holds its session is not waited for in a group.
type Answer = Result<Option<(Session, User)>, StoreError>;

/// What time it is when a group leaves.
pub(super) trait Departure: Send + Sync {
    fn store_time(&self) -> Timestamp;
    fn monotonic(&self) -> Duration;
}

impl Departure for Ports {
    fn store_time(&self) -> Timestamp {
        Self::store_time(self)
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

/// Counts who is there; the last one to go leaves no group behind, which would keep what it holds of the store.
struct Present<'a>(&'a Rotations);

impl<'a> Present<'a> {
    fn enter(rotations: &'a Rotations) -> Self {
        rotations.present.fetch_add(1, Ordering::SeqCst);
        Self(rotations)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        if self.0.present.fetch_sub(1, Ordering::SeqCst) == 1
            && let Some(mut turn) = self.0.turn.try_lock()
        {
            *turn = None;
        }
    }
}

impl Rotations {
    pub(super) fn new() -> Self {
        Self { waiting: Mutex::default(), turn: Turn::new(None), present: AtomicUsize::new(0) }
    }

    /// The times of the rotation are those of its group's departure.
    pub(super) async fn rotate(
        &self,
        store: Arc<dyn SessionRotation>,
        departure: &dyn Departure,
        rotation: Rotation,
    ) -> Answer {
        // Declared first, so that it goes last.
        let _present = Present::enter(self);
        let (answer, answered) = oneshot::channel();
        self.waiting().push(Waiting { rotation, since: departure.monotonic(), answer });
        let (mut turn, mut answered) = match select(answered, self.turn.lock()).await {
            Either::Left((outcome, _)) => return outcome.unwrap_or_else(|_| Err(broken_off())),
            Either::Right(taken) => taken,
        };
        loop {
            match answered.try_recv() {
                Ok(None) => {}
                Ok(Some(answer)) => return answer,
                Err(_) => return Err(broken_off()),
            }
            if turn.is_none() {
                *turn = Some(self.depart(Arc::clone(&store), departure));
            }
            poll_fn(|cx| {
                // In nobody's hands while it is polled, so that one that panics is gone.
                let Some(mut group) = turn.take() else { return Poll::Ready(()) };
                let polled = group.as_mut().poll(cx);
                if polled.is_pending() {
                    *turn = Some(group);
                }
                polled
            })
            .await;
        }
    }

    /// Those who wait longest, but for those whose clients have gone, and for those who have waited too long.
    fn depart(&self, store: Arc<dyn SessionRotation>, departure: &dyn Departure) -> Group {
        let (now, monotonic) = (departure.store_time(), departure.monotonic());
        let mut group = Vec::new();
        let mut waiting = self.waiting();
        for one in mem::take(&mut *waiting) {
            if one.answer.is_canceled() {
                continue;
            }
            if monotonic.saturating_sub(one.since) > LONGEST {
                let _ = one.answer.send(Err(StoreError::Unavailable { context: "turn to refresh", source: None }));
            } else if group.len() < MOST {
                group.push(one);
            } else {
                waiting.push(one);
            }
        }
        drop(waiting);
        let (rotations, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|one| (one.rotation.leaving_at(now), one.answer)).unzip();
        Box::pin(see_through(store, rotations, answers))
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn see_through(store: Arc<dyn SessionRotation>, rotations: Vec<Rotation>, answers: Vec<oneshot::Sender<Answer>>) {
    if rotations.is_empty() {
        return;
    }
    let mut outcome = match store.rotate_refreshes(&rotations).await {
        Ok(rotated) => Ok(rotated.into_iter()),
        Err(StoreError::Unavailable { context, source }) => Err((context, source.map(Arc::from))),
        // The fault of one of them, which must not be that of all: each goes alone.
        Err(error) => {
            tracing::warn!(%error, together = rotations.len(), "refreshes that were written together failed");
            Ok(Vec::new().into_iter())
        }
    };
    for answer in answers {
        // A client that left meanwhile does not miss it.
        let _ = answer.send(match &mut outcome {
            Ok(rotated) => Ok(rotated.next().flatten()),
            Err((context, source)) => Err(unavailable(context, source.as_ref())),
        });
    }
}

/// The same cause for each.
fn unavailable(context: &'static str, source: Option<&Arc<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { context, source: source.map(|source| Arc::clone(source).into()) }
}

/// By a panic.
fn broken_off() -> StoreError {
    StoreError::Unavailable { context: "group of refreshes", source: None }
}

impl fmt::Debug for Rotations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotations").field("present", &self.present).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
