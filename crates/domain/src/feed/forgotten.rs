//! What was forgotten lately: who read the store before that must not remember it again.

use crate::id::{SessionId, UserId};
use std::collections::VecDeque;

/// Of whom something was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// With all sessions.
    User(UserId),
    Session(SessionId),
    Clients,
}

/// The newest forgettings, in their order.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    /// Counts all there ever were.
    generation: u64,
    newest: VecDeque<Subject>,
}

impl Forgotten {
    /// How many are known one by one: more than there are while a store answers, and few enough to look through.
    const CAPACITY: usize = 1_024;

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn note(&mut self, subject: Subject) {
        self.generation += 1;
        if self.newest.len() == Self::CAPACITY {
            self.newest.pop_front();
        }
        self.newest.push_back(subject);
    }

    pub(super) fn note_all(&mut self) {
        self.generation += 1;
        self.newest.clear();
    }

    /// Whether nothing that `concerns` picks was forgotten since `generation`. Also `false` if that is not known.
    pub(super) fn spared(&self, generation: u64, concerns: impl Fn(Subject) -> bool) -> bool {
        let since = self.generation.checked_sub(generation).and_then(|since| usize::try_from(since).ok());
        since.is_some_and(|since| {
            since <= self.newest.len() && !self.newest.iter().rev().take(since).any(|subject| concerns(*subject))
        })
    }
}
