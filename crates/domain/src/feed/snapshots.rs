//! What a process remembers of live sessions.

use super::Change;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::session::Session;
use crate::user::{Status, User};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// A session and its user, as they were when they were read.
#[derive(Debug, Clone)]
pub struct Principal {
    pub session: Arc<Session>,
    pub user: Arc<User>,
}

impl Principal {
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.user.status == Status::Active && now < self.session.expires_at
    }
}

/// Principals that the feed keeps right. Answers only while the feed was read within the last [`Self::MAX_AGE`]:
/// whoever is cut off from it asks the store.
#[derive(Debug, Default)]
pub struct Snapshots {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    principals: HashMap<SessionId, Remembered>,
    /// Counts everything that was ever forgotten.
    generation: u64,
    /// Up to when (monotonic) the feed has been read.
    vouched: Option<Duration>,
}

#[derive(Debug)]
struct Remembered {
    principal: Arc<Principal>,
    /// When (monotonic) it was read.
    read_at: Duration,
}

impl Snapshots {
    /// A net below the feed: should a change ever get lost, this is how long it can go unnoticed.
    const MAX_MEMORY: Duration = Duration::from_mins(1);
    /// With the pause between two polls this keeps the promise that what is revoked is out within a second.
    const MAX_AGE: Duration = Duration::from_millis(700);
    /// Bounds the memory: about a kilobyte each.
    const CAPACITY: usize = 2_048;

    pub fn get(&self, session: SessionId, now: Duration) -> Option<Arc<Principal>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = state.vouched.is_some_and(|at| now.saturating_sub(at) < Self::MAX_AGE);
        let remembered = state.principals.get(&session).filter(|_| fresh)?;
        (now.saturating_sub(remembered.read_at) < Self::MAX_MEMORY).then(|| Arc::clone(&remembered.principal))
    }

    /// To be read before the store is.
    pub fn generation(&self) -> u64 {
        self.state.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// Does nothing if anything was forgotten since `generation`: what was read may be what had to be forgotten.
    pub fn insert(&self, principal: &Arc<Principal>, generation: u64, read_at: Duration) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.generation != generation {
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
        state.principals.insert(principal.session.id, Remembered { principal: Arc::clone(principal), read_at });
    }

    pub fn apply(&self, change: Change) {
        match change {
            Change::UserChanged(user) | Change::UserGone(user) => self.forget_user(user),
            Change::SessionEnded { session, .. } => {
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                state.generation += 1;
                state.principals.remove(&session);
            }
            Change::KeysChanged => {}
        }
    }

    fn forget_user(&self, user: UserId) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.generation += 1;
        state.principals.retain(|_, remembered| remembered.principal.user.id != user);
    }

    pub(super) fn forget_all(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.generation += 1;
        state.principals.clear();
    }

    /// Everything up to `began` (monotonic) has been applied.
    pub(super) fn vouch(&self, began: Duration) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).vouched = Some(began);
    }
}
