//! What is held against each other is measured in turn, several times, so that what slows the machine slows all of it.

use crate::figures::{Latency, Sample};
use crate::growth::Times;

/// Of latencies, of which the middle one counts: a pause of the machine's in one of them does not. Odd, so that one is
/// in the middle.
pub(crate) const ROUNDS: usize = 3;

/// Of whom the throughput is measured in each turn.
pub(crate) type Contestant<'a> = &'a mut dyn FnMut(u32) -> f64;

/// The mean of each throughput over so many turns, short ones: what slows the machine for a second slows all of them.
/// Each turn begins with the next one, and every other goes backwards, so that none always follows the same.
pub(crate) fn in_turn<const N: usize>(turns: u32, mut contestants: [Contestant<'_>; N]) -> [f64; N] {
    let mut sums = [0.0; N];
    for turn in 0..turns {
        let mut order: Vec<_> = sums.iter_mut().zip(&mut contestants).collect();
        order.rotate_left(turn as usize % N);
        if turn % 2 == 1 {
            order.reverse();
        }
        for (sum, contestant) in order {
            *sum += contestant(turn);
        }
    }
    assert!(sums.iter().all(|sum| *sum > 0.0), "no good answer: {sums:?}");
    sums.map(|sum| sum / f64::from(turns))
}

/// The middle of one figure.
fn middle_of<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut found: Vec<_> = rounds.iter().map(figure).collect();
    found.sort_by(f64::total_cmp);
    *found.get(found.len() / 2).expect("a round")
}

impl Sample {
    pub(crate) fn middle(rounds: &[Self]) -> Self {
        let latencies: Vec<_> = rounds.iter().map(|sample| sample.latency).collect();
        let relaxed: Vec<_> = rounds.iter().filter_map(|sample| sample.relaxed).collect();
        Self {
            latency: Latency::middle(&latencies),
            relaxed: (!relaxed.is_empty()).then(|| Latency::middle(&relaxed)),
            failed: rounds.iter().map(|sample| sample.failed).sum(),
            ..*rounds.first().expect("a round")
        }
    }
}

impl Times {
    pub(crate) fn mean(turns: &[Self]) -> Self {
        let mean = |figure: fn(&Self) -> f64| turns.iter().map(figure).sum::<f64>() / turns.len() as f64;
        Self {
            login: mean(|times| times.login),
            refresh: mean(|times| times.refresh),
            first_page: mean(|times| times.first_page),
            deep_page: mean(|times| times.deep_page),
            ..*turns.first().expect("a turn")
        }
    }
}

impl Latency {
    pub(crate) fn middle(rounds: &[Self]) -> Self {
        Self { median: middle_of(rounds, |latency| latency.median), p99: middle_of(rounds, |latency| latency.p99) }
    }
}
