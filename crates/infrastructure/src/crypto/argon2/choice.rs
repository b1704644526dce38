//! Which of two implementations computes argon2id here.

use super::arena::Arena;
use super::cost::Cost;
use super::self_check::differences;
use super::vectorized;
use std::fmt;

/// What the operator wants to hash with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashing {
    /// The fastest that gives what the reference gives.
    Fastest,
    Reference,
}

/// Both give the same hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implementation {
    Reference,
    Vectorized {
        /// As in `avx512`.
        instructions: &'static str,
    },
}

impl Implementation {
    /// For hashes of this cost, of which it computes a few.
    pub fn choose(hashing: Hashing, current: Cost) -> Self {
        let implementation = match (hashing, vectorized::instructions()) {
            (Hashing::Fastest, Some(instructions)) => Self::Vectorized { instructions }.unless_it_differs(current),
            (Hashing::Fastest, None) | (Hashing::Reference, _) => Self::Reference,
        };
        tracing::info!(%implementation, "passwords are hashed with argon2id");
        implementation
    }

    fn unless_it_differs(self, current: Cost) -> Self {
        let mut arena = Arena::new(self, current.memory_kib);
        match differences(current, |cost, input, tag| arena.hash(cost, input, tag)).first() {
            None => self,
            Some(cost) => {
                tracing::error!(implementation = %self, %cost, "a wrong argon2id: the slower reference is used instead");
                Self::Reference
            }
        }
    }
}

impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference => f.write_str("argon2, the reference"),
            Self::Vectorized { instructions } => write!(f, "argon2-rust with {instructions}"),
        }
    }
}
