//! Which of three implementations computes argon2id here.

use super::arena::{Arena, ComputationError};
use super::cost::Cost;
use super::self_check::{differences, of_today};
use super::trial::Trial;
use super::vectorized;
use std::fmt;
use std::time::{Duration, Instant};
use vestibule_argon2id::Avx2;

/// What the operator wants to hash with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashing {
    /// The fastest that gives what the reference gives.
    Fastest,
    Reference,
}

/// All give the same hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implementation {
    Avx2(Avx2),
    Reference,
    Vectorized {
        /// As in `avx512`.
        instructions: &'static str,
    },
}

/// What [`Implementation::choose`] has found.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub implementation: Implementation,
    /// How long a first hash takes, with taking the memory. Reckoned from two passes where there are more, and then rather
    /// too long.
    pub first_hash: Duration,
}

impl Implementation {
    /// For hashes of this cost. Computes a few, most of them smaller; fails if not even the reference can.
    pub fn choose(hashing: Hashing, current: Cost) -> Result<Choice, ComputationError> {
        let faster = match hashing {
            Hashing::Fastest => Self::faster(),
            Hashing::Reference => Vec::new(),
        };
        let choice = match fastest(faster, |implementation| implementation.checked(current)) {
            Some(choice) => choice,
            None => {
                Choice { implementation: Self::Reference, first_hash: Trial::new(Self::Reference, current).hash()? }
            }
        };
        tracing::info!(implementation = %choice.implementation, "passwords are hashed with argon2id");
        Ok(choice)
    }

    /// Than the reference, on this processor.
    fn faster() -> Vec<Self> {
        let avx2 = Avx2::detect().map(Self::Avx2);
        let vectorized = vectorized::instructions().map(|instructions| Self::Vectorized { instructions });
        avx2.into_iter().chain(vectorized).collect()
    }

    /// None if it differs from the reference.
    fn checked(self, current: Cost) -> Option<Choice> {
        let mut arena = Arena::new(self, current.memory_kib);
        let mut last = Duration::ZERO;
        let differences = differences(current, |cost, input, tag| {
            let began = Instant::now();
            arena.hash(cost, input, tag)?;
            last = began.elapsed();
            Ok(())
        });
        if let Some(cost) = differences.first() {
            tracing::error!(implementation = %self, %cost, "a wrong argon2id: another implementation is used instead");
            return None;
        }
        Some(Choice { implementation: self, first_hash: reckoned(last, current) })
    }
}

/// Of those that are right. Which of two is faster depends on the processor.
fn fastest(candidates: Vec<Implementation>, check: impl FnMut(Implementation) -> Option<Choice>) -> Option<Choice> {
    candidates.into_iter().filter_map(check).min_by_key(|choice| choice.first_hash)
}

/// From how long the hash [of today](of_today) took.
fn reckoned(took: Duration, current: Cost) -> Duration {
    took / of_today(current).iterations * current.iterations
}

impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Avx2(_) => f.write_str("vestibule-argon2id with avx2"),
            Self::Reference => f.write_str("argon2, the reference"),
            Self::Vectorized { instructions } => write!(f, "argon2-rust with {instructions}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Hashing; 2] = [Hashing::Fastest, Hashing::Reference];

    #[test]
    fn a_choice_says_how_long_a_hash_takes() {
        for hashing in BOTH {
            assert!(Implementation::choose(hashing, Cost::MINIMUM).unwrap().first_hash > Duration::ZERO);
        }
        let took = Duration::from_millis(8);
        assert_eq!(reckoned(took, Cost::MINIMUM), took);
        assert_eq!(reckoned(took, Cost { iterations: 10, ..Cost::MINIMUM }), 5 * took);
    }

    /// Else it is tested nowhere.
    #[test]
    fn processors_of_x86_64_have_avx2_where_this_is_tested() {
        let first = Implementation::faster().first().copied();
        assert!(!cfg!(target_arch = "x86_64") || matches!(first, Some(Implementation::Avx2(_))));
    }

    #[test]
    fn the_fastest_is_chosen_of_those_that_are_right() {
        const VECTORIZED: Implementation = Implementation::Vectorized { instructions: "some" };
        let chosen = |times: [Option<u64>; 2]| {
            let candidates = vec![Implementation::Reference, VECTORIZED];
            let choice = fastest(candidates, |implementation| {
                let took = times[usize::from(implementation == VECTORIZED)];
                took.map(|took| Choice { implementation, first_hash: Duration::from_millis(took) })
            });
            choice.map(|choice| choice.implementation)
        };
        assert_eq!(chosen([Some(2), Some(1)]), Some(VECTORIZED));
        assert_eq!(chosen([Some(1), Some(2)]), Some(Implementation::Reference));
        assert_eq!(chosen([None, Some(2)]), Some(VECTORIZED));
        assert_eq!(chosen([Some(2), None]), Some(Implementation::Reference));
        assert_eq!(chosen([None, None]), None);
    }

    #[test]
    fn what_is_wrong_is_not_chosen() {
        let none = Implementation::Reference.checked(Cost { iterations: 0, ..Cost::MINIMUM });
        assert!(none.is_none());
    }

    #[test]
    fn what_nobody_can_compute_is_chosen_for_nobody() {
        for hashing in BOTH {
            assert!(Implementation::choose(hashing, Cost { iterations: 0, ..Cost::MINIMUM }).is_err());
        }
    }
}
