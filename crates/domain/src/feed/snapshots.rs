//! What a process remembers of live sessions, of clients, and of the feed itself.

use super::forgotten::{Forgotten, Subject};
use super::recent::Recent;
use super::{Change, Gaps, Recorded};
use crate::client::ClientSet;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::Session;
use crate::uniform::UniformMap;
use crate::user::{Status, User};
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// A session and its user, as they were when they were read.
pub struct Principal {
    pub session: Arc<Session>,
    pub user: Arc<User>,
    /// See [`Caller::shown`](crate::access::Caller::shown).
    pub(crate) shown: OnceLock<Box<str>>,
}

impl Principal {
    pub fn new(session: Session, user: User) -> Self {
        Self { session: Arc::new(session), user: Arc::new(user), shown: OnceLock::new() }
    }

    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.user.status == Status::Active && now < self.session.expires_at
    }
}

impl fmt::Debug for Principal {
    /// Without how the user is shown, which has personal data in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, user, shown: _ } = self;
        f.debug_struct("Principal").field("session", session).field("user", user).finish_non_exhaustive()
    }
}

/// Principals and clients that the feed keeps right. Answers only while the feed was read within the last
/// [`Self::MAX_AGE`]: whoever is cut off from it asks the store.
#[derive(Debug, Default)]
pub struct Snapshots {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    principals: UniformMap<SessionId, Remembered<Principal>>,
    clients: Option<Remembered<ClientSet>>,
    recent: Recent,
    /// Counts all changes that were ever recorded.
    recorded: u64,
    forgotten: Forgotten,
    /// Up to when (monotonic) the feed has been read.
    vouched: Option<Duration>,
}

#[derive(Debug)]
struct Remembered<T> {
    value: Arc<T>,
    /// When (monotonic) it was read.
    read_at: Duration,
}

impl<T> Remembered<T> {
    fn get(&self, now: Duration) -> Option<Arc<T>> {
        (now.saturating_sub(self.read_at) < Snapshots::MAX_MEMORY).then(|| Arc::clone(&self.value))
    }
}

impl State {
    fn is_fresh(&self, now: Duration) -> bool {
        self.vouched.is_some_and(|at| now.saturating_sub(at) < Snapshots::MAX_AGE)
    }
}

impl Snapshots {
    /// A net below the feed: should a change ever get lost, this is how long it can go unnoticed.
    const MAX_MEMORY: Duration = Duration::from_mins(1);
    /// With the pause between two polls this keeps the promise that what is revoked is out within a second.
    const MAX_AGE: Duration = Duration::from_millis(700);
    /// Bounds the memory: one or two kilobytes each.
    const CAPACITY: usize = 2_048;

    pub fn get(&self, session: SessionId, now: Duration) -> Option<Arc<Principal>> {
        let state = self.read();
        state.principals.get(&session).filter(|_| state.is_fresh(now))?.get(now)
    }

    pub fn clients(&self, now: Duration) -> Option<Arc<ClientSet>> {
        let state = self.read();
        state.clients.as_ref().filter(|_| state.is_fresh(now))?.get(now)
    }

    /// Whether the feed is followed as of `now`: what is not known here has not happened, for a second at least.
    pub fn are_fresh(&self, now: Duration) -> bool {
        self.read().is_fresh(now)
    }

    /// The changes that `read` has not seen, in order; `None` if that is not to be known from memory.
    pub(super) fn beyond(&self, read: &Gaps, now: Duration) -> Option<Vec<Recorded>> {
        let state = self.read();
        state.is_fresh(now).then(|| state.recent.beyond(read))?
    }

    /// Grows with every change that is read from the feed.
    pub fn recorded(&self) -> u64 {
        self.read().recorded
    }

    /// To be read before the store is.
    pub fn generation(&self) -> u64 {
        self.read().forgotten.generation()
    }

    /// Does nothing if the session or its user was forgotten since `generation`, or may have been: what was read may be
    /// what had to be forgotten.
    pub fn insert(&self, principal: &Arc<Principal>, generation: u64, read_at: Duration) {
        let mut state = self.write();
        let (user, session) = (principal.user.id, principal.session.id);
        let is_theirs = |subject| subject == Subject::User(user) || subject == Subject::Session(session);
        if !state.forgotten.spared(generation, is_theirs) {
            return;
        }
        if state.principals.len() >= Self::CAPACITY {
            // Any eighth will do: what is in use comes back with its next request.
            let mut n = 0;
            state.principals.retain(|_, _| {
                n += 1;
                n % 8 != 0
            });
        }
        state.principals.insert(session, Remembered { value: Arc::clone(principal), read_at });
    }

    /// As [`Self::insert`].
    pub fn insert_clients(&self, clients: &Arc<ClientSet>, generation: u64, read_at: Duration) {
        let mut state = self.write();
        if state.forgotten.spared(generation, |subject| subject == Subject::Clients) {
            state.clients = Some(Remembered { value: Arc::clone(clients), read_at });
        }
    }

    pub fn apply(&self, change: Change) {
        match change {
            Change::UserChanged(user) | Change::UserGone(user) => self.forget_user(user),
            Change::SessionEnded { session, .. } => {
                let mut state = self.write();
                state.forgotten.note(Subject::Session(session));
                state.principals.remove(&session);
            }
            Change::ClientsChanged => {
                let mut state = self.write();
                state.forgotten.note(Subject::Clients);
                state.clients = None;
            }
            Change::KeysChanged => {}
        }
    }

    fn forget_user(&self, user: UserId) {
        let mut state = self.write();
        state.forgotten.note(Subject::User(user));
        state.principals.retain(|_, remembered| remembered.value.user.id != user);
    }

    pub(super) fn forget_all(&self) {
        let mut state = self.write();
        state.forgotten.note_all();
        state.principals.clear();
        state.clients = None;
    }

    /// From here on every change above `number` is recorded.
    pub(super) fn follow_from(&self, number: i64) {
        self.write().recent = Recent::starting_at(number);
    }

    pub(super) fn record(&self, recorded: &Recorded) {
        let mut state = self.write();
        state.recent.record(recorded);
        state.recorded += 1;
    }

    /// Everything up to `began` (monotonic) has been applied.
    pub(super) fn vouch(&self, began: Duration) {
        self.write().vouched = Some(began);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
