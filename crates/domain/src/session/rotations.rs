//! Refreshes that wait for the store go there together: one statement and one commit for all of them.
//!
//! Whoever gets the turn takes everybody along who waits by then. Under load that is a whole group each time, while a
//! refresh that comes alone waits for nobody.

use super::Session;
use super::store::{Rotation, SessionRotation};
use crate::clock::Timestamp;
use crate::error::StoreError;
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

/// So that a group is through long before its statement would be given up, also on a slow disk.
const MOST: usize = 32;

pub(super) struct Rotations {
    waiting: Queue,
    /// The group that is under way. It belongs to nobody in particular: if whoever saw it through goes, the next one
    /// goes on.
    turn: Turn<Option<Group>>,
    /// How many wait for an answer.
    present: AtomicUsize,
}

type Queue = Arc<Mutex<Vec<Waiting>>>;

type Group = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Waiting {
    rotation: Rotation,
    answer: oneshot::Sender<Answer>,
}

/// `None` for a token that may be current all the same: whoever holds its session is not waited for in a group.
type Answer = Result<Option<(Session, User)>, StoreError>;

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
        Self { waiting: Queue::default(), turn: Turn::new(None), present: AtomicUsize::new(0) }
    }

    /// The time of the rotation is that at which its group leaves, by `now`.
    pub(super) async fn rotate(
        &self,
        store: Arc<dyn SessionRotation>,
        now: &(dyn Fn() -> Timestamp + Send + Sync),
        rotation: Rotation,
    ) -> Answer {
        // Declared first, so that it goes last.
        let _present = Present::enter(self);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).push(Waiting { rotation, answer });
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
                *turn = Some(self.depart(Arc::clone(&store), now()));
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

    /// Those who wait longest, but for those whose clients have gone.
    fn depart(&self, store: Arc<dyn SessionRotation>, now: Timestamp) -> Group {
        let mut waiting = lock(&self.waiting);
        waiting.retain(|one| !one.answer.is_canceled());
        let most = waiting.len().min(MOST);
        let group = waiting.drain(..most).map(|one| (one.rotation.leaving_at(now), one.answer)).unzip();
        Box::pin(see_through(store, Arc::clone(&self.waiting), group))
    }
}

fn lock(waiting: &Queue) -> MutexGuard<'_, Vec<Waiting>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn see_through(
    store: Arc<dyn SessionRotation>,
    waiting: Queue,
    (rotations, mut answers): (Vec<Rotation>, Vec<oneshot::Sender<Answer>>),
) {
    let mut outcome = match store.rotate_refreshes(&rotations).await {
        Ok(rotated) => Ok(rotated.into_iter()),
        Err(StoreError::Unavailable { context, source }) => {
            // Those who waited meanwhile would find it no better, and have waited long enough.
            answers.extend(mem::take(&mut *lock(&waiting)).into_iter().map(|one| one.answer));
            Err((context, source.map(Arc::from)))
        }
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
