//! Rounds: what is held against each other is measured in turn, several times, and the middle of what was found counts.
//! A pause of the machine's in one of them does not.

use crate::figures::{Beside, Hashes, Latency, Row, Sample};
use crate::growth::Times;

/// Odd, so that one is in the middle.
pub(crate) const ROUNDS: usize = 3;

/// The middle of one figure.
fn middle_of<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut found: Vec<_> = rounds.iter().map(figure).collect();
    found.sort_by(f64::total_cmp);
    *found.get(found.len() / 2).expect("a round")
}

/// The same of a part that either each of them has or none.
fn part<T, U>(rounds: &[T], part: impl Fn(&T) -> Option<U>, middle: impl FnOnce(&[U]) -> U) -> Option<U> {
    let parts: Vec<_> = rounds.iter().filter_map(part).collect();
    (!parts.is_empty()).then(|| middle(&parts))
}

impl Row {
    pub(crate) fn middle(rounds: &[Self]) -> Self {
        let samples: Vec<_> = rounds.iter().map(|row| row.service).collect();
        Self {
            service: Sample::middle(&samples),
            floor: middle_of(rounds, |row| row.floor),
            hashes: part(rounds, |row| row.hashes, Hashes::middle),
            beside: part(rounds, |row| row.beside, Beside::middle),
            ..*rounds.first().expect("a round")
        }
    }
}

impl Hashes {
    fn middle(rounds: &[Self]) -> Self {
        Self {
            argon2_rust: middle_of(rounds, |hashes| hashes.argon2_rust),
            own: middle_of(rounds, |hashes| hashes.own),
        }
    }
}

impl Beside {
    fn middle(rounds: &[Self]) -> Self {
        let samples: Vec<_> = rounds.iter().map(|beside| beside.hello).collect();
        Self { hello: Sample::middle(&samples), actix: middle_of(rounds, |beside| beside.actix) }
    }
}

impl Sample {
    fn middle(rounds: &[Self]) -> Self {
        let latencies: Vec<_> = rounds.iter().map(|sample| sample.latency).collect();
        Self {
            per_second: middle_of(rounds, |sample| sample.per_second),
            latency: Latency::middle(&latencies),
            relaxed: part(rounds, |sample| sample.relaxed, Latency::middle),
            failed: rounds.iter().map(|sample| sample.failed).sum(),
        }
    }
}

impl Times {
    pub(crate) fn middle(rounds: &[Self]) -> Self {
        Self {
            login: middle_of(rounds, |times| times.login),
            refresh: middle_of(rounds, |times| times.refresh),
            first_page: middle_of(rounds, |times| times.first_page),
            deep_page: middle_of(rounds, |times| times.deep_page),
            ..*rounds.first().expect("a round")
        }
    }
}

impl Latency {
    pub(crate) fn middle(rounds: &[Self]) -> Self {
        Self { median: middle_of(rounds, |latency| latency.median), p99: middle_of(rounds, |latency| latency.p99) }
    }
}
