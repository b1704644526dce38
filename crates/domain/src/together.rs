//! Writes that wait for the store go there together: one statement and one commit for all of them.
//!
//! Whoever gets the turn takes everybody along who waits by then. Under load that is a whole group each time, while one
//! that comes alone waits for nobody.

use crate::error::StoreError;
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

/// A group that is written: what became of each, in their order. `None` for one that may be written all the same:
/// whoever holds its rows is not waited for in a group. Fails with [`StoreError::Unavailable`] if it may have been
/// written: after any other failure each is written alone.
pub type Departure<A> = Pin<Box<dyn Future<Output = Result<Vec<Option<A>>, StoreError>> + Send>>;

/// Of writes of one kind those that wait, and those that are under way.
pub struct Together<W, A> {
    /// What they are, for whoever reads the log.
    kind: &'static str,
    may_go: fn(&[W], &W) -> bool,
    waiting: Queue<W, A>,
    /// The group that is under way. It belongs to nobody in particular: if whoever saw it through goes, the next one
    /// goes on.
    turn: Turn<Option<Group>>,
    /// How many wait for an answer.
    present: AtomicUsize,
}

type Queue<W, A> = Arc<Mutex<Vec<Waiting<W, A>>>>;

type Group = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Waiting<W, A> {
    write: W,
    answer: oneshot::Sender<Answer<A>>,
}

type Answer<A> = Result<Option<A>, StoreError>;

/// Counts who is there; the last one to go leaves no group behind, which would keep what it holds of the store.
struct Present<'a, W, A>(&'a Together<W, A>);

impl<'a, W, A> Present<'a, W, A> {
    fn enter(together: &'a Together<W, A>) -> Self {
        together.present.fetch_add(1, Ordering::SeqCst);
        Self(together)
    }
}

impl<W, A> Drop for Present<'_, W, A> {
    fn drop(&mut self) {
        if self.0.present.fetch_sub(1, Ordering::SeqCst) == 1
            && let Some(mut turn) = self.0.turn.try_lock()
        {
            *turn = None;
        }
    }
}

impl<W: Send + 'static, A: Send + 'static> Together<W, A> {
    /// One `may_go` with those that go already, or has to wait for the next group.
    pub fn new(kind: &'static str, may_go: fn(&[W], &W) -> bool) -> Self {
        Self { kind, may_go, waiting: Queue::default(), turn: Turn::new(None), present: AtomicUsize::new(0) }
    }

    /// Each group leaves by the `depart` of one of those who wait.
    ///
    /// Fails if the store is out of reach. After any other failure of a group, `None` for all of it.
    pub async fn write(&self, write: W, depart: &(dyn Fn(Vec<W>) -> Departure<A> + Send + Sync)) -> Answer<A> {
        // Declared first, so that it goes last.
        let _present = Present::enter(self);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).push(Waiting { write, answer });
        let (mut turn, mut answered) = match select(answered, self.turn.lock()).await {
            Either::Left((outcome, _)) => return outcome.unwrap_or_else(|_| Err(self.broken_off())),
            Either::Right(taken) => taken,
        };
        loop {
            match answered.try_recv() {
                Ok(None) => {}
                Ok(Some(answer)) => return answer,
                Err(_) => return Err(self.broken_off()),
            }
            if turn.is_none() {
                step_back().await;
                *turn = Some(self.leave(depart));
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
    fn leave(&self, depart: &(dyn Fn(Vec<W>) -> Departure<A> + Send + Sync)) -> Group {
        let mut waiting = lock(&self.waiting);
        let (mut writes, mut answers) = (Vec::new(), Vec::new());
        for Waiting { write, answer } in mem::take(&mut *waiting) {
            if answer.is_canceled() {
                continue;
            }
            if writes.len() < MOST && (self.may_go)(&writes, &write) {
                writes.push(write);
                answers.push(answer);
            } else {
                waiting.push(Waiting { write, answer });
            }
        }
        Box::pin(see_through(self.kind, depart(writes), Arc::clone(&self.waiting), answers))
    }

    /// By a panic.
    fn broken_off(&self) -> StoreError {
        StoreError::Unavailable { context: self.kind, source: None }
    }
}

/// Lets those come who were woken at the same time.
async fn step_back() {
    let mut has_stepped_back = false;
    let stepping = poll_fn(|cx| {
        if mem::replace(&mut has_stepped_back, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    stepping.await;
}

fn lock<W, A>(waiting: &Queue<W, A>) -> MutexGuard<'_, Vec<Waiting<W, A>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn see_through<W, A>(
    kind: &'static str,
    group: Departure<A>,
    waiting: Queue<W, A>,
    mut answers: Vec<oneshot::Sender<Answer<A>>>,
) {
    let mut outcome = match group.await {
        Ok(written) => Ok(written.into_iter()),
        Err(StoreError::Unavailable { context, source }) => {
            // Those who waited meanwhile would find it no better, and have waited long enough.
            answers.extend(mem::take(&mut *lock(&waiting)).into_iter().map(|one| one.answer));
            Err((context, source.map(Arc::from)))
        }
        // The fault of one of them, which must not be that of all: each goes alone.
        Err(error) => {
            tracing::warn!(%error, kind, together = answers.len(), "what was written together failed");
            Ok(Vec::new().into_iter())
        }
    };
    for answer in answers {
        // A client that left meanwhile does not miss it.
        let _ = answer.send(match &mut outcome {
            Ok(written) => Ok(written.next().flatten()),
            Err((context, source)) => Err(unavailable(context, source.as_ref())),
        });
    }
}

/// The same cause for each.
fn unavailable(context: &'static str, source: Option<&Arc<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { context, source: source.map(|source| Arc::clone(source).into()) }
}

impl<W, A> fmt::Debug for Together<W, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").field("kind", &self.kind).field("present", &self.present).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
