//! Two samples of durations, and whether they are of one kind.

use std::time::Duration;

/// Of two equal kinds, seven of a million comparisons come to as much.
const T: f64 = 4.5;

/// A kind of request beside the one that it must not be told from.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub name: &'static str,
    /// In seconds.
    pub median: f64,
    /// Of the medians, as a share of the other kind's.
    pub difference: f64,
    /// Welch's, of the means.
    pub t: f64,
    /// The difference of the means, as a share, at which `t` would have come to 4.5: what is less can hide.
    pub resolution: f64,
}

impl Comparison {
    /// As the catalogue demands (case 43) of at least 2,000 samples on a machine that does nothing else.
    pub fn is_alike(&self) -> bool {
        self.difference.abs() <= 0.02 && self.t.abs() < T
    }

    /// By a tenth, and beyond chance: for some sixty samples, of code without optimisation, on a busy machine. There
    /// equal medians may lie far apart, but `t` then shows that this is noise; and a query that has a row to decode is
    /// significantly slower than one that has none, but by a hundredth. A hash that is missing is more than nine tenths
    /// and, even if the times scatter by half of their mean, makes `t` ten.
    pub fn is_plainly_different(&self) -> bool {
        self.difference.abs() > 0.1 && self.t.abs() >= T
    }

    /// `mine` beside `baseline`. The means are those of what lies below the 95th percentile of both together: what
    /// delays a request now and then (another process, a checkpoint) is many times the difference that is looked for,
    /// has nothing to do with the kind of request, and would drown it (Reparaz et al., «Dude, is my code constant
    /// time?», 2017, section III). One limit for both, so that a kind which is slow more often stays the slower one.
    pub(super) fn new(name: &'static str, baseline: &[Duration], mine: &[Duration]) -> Self {
        let (baseline, mine) = (sorted(baseline), sorted(mine));
        let mut pooled = [baseline.as_slice(), &mine].concat();
        pooled.sort_unstable_by(f64::total_cmp);
        let limit = pooled[pooled.len() * 95 / 100];
        let (expected, seen) = (Moments::below(limit, &baseline), Moments::below(limit, &mine));
        let error = (expected.error_squared() + seen.error_squared()).sqrt();
        let median_of = |values: &[f64]| values[values.len() / 2];
        let median = median_of(&mine);
        Self {
            name,
            median,
            difference: median / median_of(&baseline) - 1.0,
            t: (seen.mean - expected.mean) / error,
            resolution: T * error / expected.mean,
        }
    }
}

/// For people.
pub fn table(comparisons: &[Comparison]) -> String {
    let line = |row: &Comparison| {
        let Comparison { name, median, difference, t, resolution } = row;
        let (median, difference, resolution) = (median * 1e3, difference * 1e2, resolution * 1e2);
        format!("{name:<20} {median:>9.3} ms {difference:>+8.2} % {t:>+8.2} {resolution:>8.2} %\n")
    };
    let head = format!("{:<20} {:>12} {:>10} {:>8} {:>10}\n", "", "median", "difference", "t", "resolution");
    head + &comparisons.iter().map(line).collect::<String>()
}

fn sorted(durations: &[Duration]) -> Vec<f64> {
    let mut seconds: Vec<_> = durations.iter().map(Duration::as_secs_f64).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    seconds
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn below(limit: f64, sorted: &[f64]) -> Self {
        let kept = &sorted[..sorted.partition_point(|value| *value < limit)];
        let count = f64::from(u32::try_from(kept.len()).expect("as many samples as can be taken"));
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, variance }
    }

    fn error_squared(&self) -> f64 {
        self.variance / self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRng;
    use vestibule_domain::Rng;

    /// From `shortest` to twice as long, in microseconds, and now and then ten times as long.
    fn durations(seed: u64, shortest: u64, count: usize) -> Vec<Duration> {
        let rng = SeededRng::from_seed(seed);
        let mut draw = |_| {
            let [number, rare] = (&rng as &dyn Rng).bytes::<2>();
            let micros = shortest + shortest * u64::from(number) / 255;
            Duration::from_micros(if rare < 5 { micros * 10 } else { micros })
        };
        (0..count).map(&mut draw).collect()
    }

    fn compared(baseline: u64, mine: u64, count: usize) -> Comparison {
        Comparison::new("mine", &durations(1, baseline, count), &durations(2, mine, count))
    }

    #[test]
    fn samples_of_one_kind_are_alike() {
        let comparison = compared(10_000, 10_000, 2_000);
        assert!(comparison.is_alike(), "{comparison:?}");
        assert!(!compared(10_000, 10_000, 100).is_plainly_different());
        let same = durations(1, 10_000, 100);
        let itself = Comparison::new("itself", &same, &same);
        assert_eq!((itself.difference, itself.t), (0.0, 0.0));
    }

    #[test]
    fn a_small_difference_shows_in_many_samples_and_a_great_one_in_few() {
        assert!(!compared(10_000, 10_500, 2_000).is_alike());
        assert!(!compared(10_000, 10_500, 2_000).is_plainly_different());
        let missing = compared(10_000, 1_000, 100);
        assert!(missing.is_plainly_different(), "{missing:?}");
        assert!(missing.t < -T && missing.difference < -0.8, "{missing:?}");
    }

    #[test]
    fn numbers_are_those_of_the_textbook() {
        let millis = |values: std::ops::Range<u64>| values.map(Duration::from_millis).collect::<Vec<_>>();
        // 1 to 19 and 2 to 20, of which 19 and 20 fall away: means 9.5 and 10, variances 28.5 and 25.5.
        let comparison = Comparison::new("mine", &millis(1..20), &millis(2..21));
        let error = (28.5_f64 / 18.0 + 25.5 / 17.0).sqrt();
        assert!((comparison.t - 0.5 / error).abs() < 1e-9, "{comparison:?}");
        assert!((comparison.difference - 0.1).abs() < 1e-9, "{comparison:?}");
    }
}
