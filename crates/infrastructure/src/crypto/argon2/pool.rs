//! The threads that hash, and the queue before them.

mod queue;

use super::arena::Arena;
use queue::Queue;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, mem};
use tokio::sync::oneshot;
use vestibule_domain::credential::HashingError;
use vestibule_domain::throttle::Network;

/// How many answers of a thread leave together while at least as many jobs for each thread still wait. A hash drives out
/// of the caches what the rest of a login needs: the first of three brings it back for the others.
/// See docs/decisions/0029-answers-in-threes.md.
const TOGETHER: usize = 3;

/// Threads of the system, not of the runtime: no number of waiting logins takes a thread from anything else.
///
/// A job belongs to the queue from the moment it is accepted; dropping the future that waits for it frees nobody to
/// start another one.
pub(super) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    threads: u32,
    longest_wait: Duration,
    rest: Rest,
}

/// What a thread does with its memory while it has no job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// From the last job on.
    pub(super) until_wiped: Duration,
    /// From the wipe on.
    pub(super) until_released: Duration,
}

struct State {
    jobs: Queue<Queued>,
    busy: u32,
    /// Moving average of how long a job takes.
    mean: Duration,
    stopped: bool,
}

struct Queued {
    job: Box<dyn Job>,
    accepted_at: Instant,
    /// None if there was a thread for it at once.
    longest_wait: Option<Duration>,
}

trait Job: Send {
    /// Nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    fn run(&mut self, arena: &mut Arena);
    fn answer(self: Box<Self>, others: Others);
    fn refuse(self: Box<Self>, error: HashingError);
}

struct Pending<T, F> {
    work: Option<F>,
    outcome: Option<T>,
    reply: oneshot::Sender<(Result<T, HashingError>, Others)>,
}

/// Jobs that are done, and are answered by whoever has this, at the latest when it is dropped. The first of those whose
/// answers leave together has the others': woken one by one by the thread they would come one by one, where that thread
/// shares its core.
struct Others(Vec<Box<dyn Job>>);

impl Others {
    const NONE: Self = Self(Vec::new());
}

impl Drop for Others {
    fn drop(&mut self) {
        for job in mem::take(&mut self.0) {
            job.answer(Self::NONE);
        }
    }
}

impl Pool {
    /// `mean` is how long a job takes, to begin with; nobody waits longer than `longest_wait` for a thread.
    pub(super) fn start(
        threads: u32,
        longest_wait: Duration,
        mean: Duration,
        rest: Rest,
        arena: impl Fn() -> Arena + Copy + Send + 'static,
    ) -> io::Result<Self> {
        let state = State { jobs: Queue::default(), busy: 0, mean, stopped: false };
        let shared =
            Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), threads, longest_wait, rest });
        let mut pool = Self { shared, threads: Vec::new() };
        for number in 0..threads {
            let shared = Arc::clone(&pool.shared);
            let thread = Builder::new().name(format!("argon2-{number}")).spawn(move || shared.work(arena()))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    pub(super) async fn run<T, F>(&self, from: Option<Network>, work: F) -> Result<T, HashingError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Arena) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.shared.accept(from, Box::new(Pending { work: Some(work), outcome: None, reply }))?;
        // Without an answer the thread panicked or the pool was dropped.
        let (outcome, others) = answer.await.map_err(|_| HashingError::Stopped)?;
        drop(others);
        outcome
    }
}

impl Drop for Pool {
    /// Waits for what is being computed; what is queued is answered with [`HashingError::Stopped`].
    fn drop(&mut self) {
        let abandoned = {
            let mut state = self.shared.lock();
            state.stopped = true;
            mem::take(&mut state.jobs)
        };
        drop(abandoned);
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // Panics are caught and logged where they happen.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(&self, from: Option<Network>, job: Box<dyn Job>) -> Result<(), HashingError> {
        let mut state = self.lock();
        if state.stopped {
            return Err(HashingError::Stopped);
        }
        if self.wait(&state) > self.longest_wait {
            // Those who hung up must not keep others out.
            state.jobs.retain(|queued: &Queued| !queued.job.is_abandoned());
        }
        let wait = self.wait(&state);
        if wait > self.longest_wait {
            let last = state.jobs.make_room(from).ok_or_else(|| overloaded(wait))?;
            last.job.refuse(overloaded(wait));
        }
        let longest_wait = (!wait.is_zero()).then_some(self.longest_wait);
        state.jobs.push(from, Queued { job, accepted_at: Instant::now(), longest_wait });
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// How long a job accepted now waits for a thread, as far as the average tells.
    fn wait(&self, state: &State) -> Duration {
        let ahead = u32::try_from(state.jobs.len()).unwrap_or(u32::MAX).saturating_add(state.busy);
        match ahead.checked_sub(self.threads) {
            None => Duration::ZERO,
            Some(in_the_way) => state.mean.saturating_mul(in_the_way.saturating_add(1)) / self.threads,
        }
    }

    fn work(&self, mut arena: Arena) {
        let mut done = Vec::with_capacity(TOGETHER);
        while let Some(mut job) = self.next(&mut arena, &mut done) {
            let began = Instant::now();
            let written_before = arena.written_kib();
            let is_done = comes_to_its_end(&mut arena, |arena| job.run(arena));
            let took = began.elapsed();
            let many_wait = self.finish(is_done.then_some(took));
            if is_done {
                tracing::trace!(?took, kib = arena.written_kib() - written_before, "hashed");
                done.push(job);
            }
            if !many_wait || done.len() >= TOGETHER {
                answer_all(&mut done);
            }
        }
    }

    /// Before the answer goes out: whoever has it finds the thread free. Says whether many jobs wait for each thread.
    fn finish(&self, took: Option<Duration>) -> bool {
        let mut state = self.lock();
        state.busy -= 1;
        if let Some(took) = took {
            state.mean = (state.mean * 7 + took) / 8;
        }
        usize::try_from(self.threads).is_ok_and(|threads| state.jobs.len() / threads >= TOGETHER)
    }

    /// The next job that is worth its cost; `None` when the pool is dropped. What is `done` does not wait for one to come.
    fn next(&self, arena: &mut Arena, done: &mut Vec<Box<dyn Job>>) -> Option<Box<dyn Job>> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            let Some(Queued { job, accepted_at, longest_wait }) = state.jobs.pop() else {
                state = if done.is_empty() {
                    self.idle(state, arena)
                } else {
                    drop(state);
                    answer_all(done);
                    self.lock()
                };
                continue;
            };
            let waited = accepted_at.elapsed();
            if job.is_abandoned() {
                tracing::debug!(?waited, "a client left before its password was hashed");
            } else if longest_wait.is_some_and(|longest| waited > longest) {
                job.refuse(overloaded(self.wait(&state)));
            } else {
                state.busy += 1;
                return Some(job);
            }
        }
    }

    /// Waits for a job. If none comes in time memory is wiped, and later given back: without the lock, so that jobs are
    /// accepted meanwhile.
    fn idle<'a>(&'a self, state: MutexGuard<'a, State>, arena: &mut Arena) -> MutexGuard<'a, State> {
        let is_idle = |state: &mut State| state.jobs.is_empty() && !state.stopped;
        let (patience, act): (_, fn(&mut Arena)) = if !arena.is_clean() {
            (self.rest.until_wiped, Arena::wipe)
        } else if arena.holds_memory() {
            (self.rest.until_released, Arena::release)
        } else {
            return self.changed.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
        };
        let waited = self.changed.wait_timeout_while(state, patience, is_idle);
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if !waited.timed_out() {
            return state;
        }
        drop(state);
        comes_to_its_end(arena, act);
        self.lock()
    }
}

fn answer_all(done: &mut Vec<Box<dyn Job>>) {
    let mut done = done.drain(..);
    if let Some(first) = done.next() {
        first.answer(Others(done.collect()));
    }
}

/// A panic costs what it interrupts, and no thread.
fn comes_to_its_end(arena: &mut Arena, work: impl FnOnce(&mut Arena)) -> bool {
    let is_done = catch_unwind(AssertUnwindSafe(|| work(arena))).is_ok();
    if !is_done {
        tracing::error!("a hashing thread panicked; it goes on with new memory");
        arena.renew();
    }
    is_done
}

/// At least a second, in whole seconds: what `Retry-After` can say.
fn overloaded(wait: Duration) -> HashingError {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    HashingError::Overloaded { retry_after: Duration::from_secs(seconds) }
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnOnce(&mut Arena) -> T + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, arena: &mut Arena) {
        self.outcome = self.work.take().map(|work| work(arena));
    }

    fn answer(self: Box<Self>, others: Others) {
        if let Some(outcome) = self.outcome {
            // A client that left meanwhile does not miss the answer.
            let _ = self.reply.send((Ok(outcome), others));
        }
    }

    fn refuse(self: Box<Self>, error: HashingError) {
        let _ = self.reply.send((Err(error), Others::NONE));
    }
}

#[cfg(test)]
mod tests;
