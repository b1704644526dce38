//! Refreshes that wait for the store go there together: one statement and one commit for all of them.
//!
//! Whoever gets the turn takes everybody along who waits by then. Under load that is a whole group each time, while a
//! refresh that comes alone waits for nobody.

use super::Session;
use super::store::{Rotation, SessionRotation};
use crate::error::{StoreError, retried};
use crate::user::User;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use futures_util::lock::Mutex as Turn;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So that nobody waits for more than so many others at a time.
const MOST: usize = 64;

#[derive(Default)]
pub(super) struct Rotations {
    waiting: Mutex<Vec<Waiting>>,
    turn: Turn<()>,
}

struct Waiting {
    rotation: Arc<Rotation>,
    answer: oneshot::Sender<Answer>,
}

/// `None` for a token that may be current all the same: whoever holds its session is not waited for in a group.
type Answer = Result<Option<(Session, User)>, StoreError>;

impl Rotations {
    /// As [`SessionRotation::rotate_refresh`].
    pub(super) async fn rotate(&self, store: &dyn SessionRotation, rotation: Rotation) -> Answer {
        let rotation = Arc::new(rotation);
        match self.rotate_in_turn(store, &rotation).await? {
            Some(rotated) => Ok(Some(rotated)),
            None => retried(|| store.rotate_refresh(&rotation)).await,
        }
    }

    async fn rotate_in_turn(&self, store: &dyn SessionRotation, rotation: &Arc<Rotation>) -> Answer {
        loop {
            let (answer, mut answered) = oneshot::channel();
            self.waiting().push(Waiting { rotation: Arc::clone(rotation), answer });
            let outcome = match select(&mut answered, self.turn.lock()).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right((_turn, answered)) => loop {
                    match answered.try_recv() {
                        Ok(Some(outcome)) => break Ok(outcome),
                        Ok(None) => self.take_turn(store).await,
                        Err(gone) => break Err(gone),
                    }
                },
            };
            if let Ok(answer) = outcome {
                return answer;
            }
            // Whoever had the turn was dropped with the client that it belonged to. What was asked then is asked
            // again; if it was done all the same, the token is now a parent with this very child.
        }
    }

    /// Those who wait longest, but for those whose clients have gone.
    async fn take_turn(&self, store: &dyn SessionRotation) {
        let group: Vec<_> = {
            let mut waiting = self.waiting();
            waiting.retain(|one| !one.answer.is_canceled());
            let most = waiting.len().min(MOST);
            waiting.drain(..most).collect()
        };
        let rotations: Vec<_> = group.iter().map(|one| Arc::clone(&one.rotation)).collect();
        let mut outcome = match store.rotate_refreshes(&rotations).await {
            Ok(rotated) => Ok(rotated.into_iter()),
            Err(StoreError::Unavailable { context, source }) => Err((context, source.map(Arc::from))),
            // The fault of one of them, which must not be that of all: each goes alone.
            Err(error) => {
                tracing::warn!(%error, together = group.len(), "refreshes that were written together failed");
                Ok(Vec::new().into_iter())
            }
        };
        for Waiting { answer, .. } in group {
            // A client that left meanwhile does not miss it.
            let _ = answer.send(match &mut outcome {
                Ok(rotated) => Ok(rotated.next().flatten()),
                Err((context, source)) => Err(unavailable(context, source.as_ref())),
            });
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same cause for each.
fn unavailable(context: &'static str, source: Option<&Arc<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { context, source: source.map(|source| Box::new(Arc::clone(source)).into()) }
}

impl fmt::Debug for Rotations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotations").field("waiting", &self.waiting().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
