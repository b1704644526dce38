//! Parameters for a time.

use super::cost::Cost;
use std::time::Duration;

/// The cost whose hash takes about as long as `target`, and how long it takes: memory first, of which attackers have
/// less than time, and more passes only where there can be no more memory. Never below the minimum, however long that
/// takes.
pub fn suggest<E>(
    target: Duration,
    mut measure: impl FnMut(Cost) -> Result<Duration, E>,
) -> Result<(Cost, Duration), E> {
    let mut cost = Cost::MINIMUM;
    let mut took = measure(cost)?;
    // What fits the caches is quicker than what does not: a guess is measured, and makes the next one better.
    for _ in 0..3 {
        let better = of_work(scaled(cost.work(), target, took));
        if better == cost {
            break;
        }
        cost = better;
        took = measure(cost)?;
    }
    Ok((cost, took))
}

fn scaled(work: u64, target: Duration, took: Duration) -> u64 {
    let scaled = u128::from(work) * target.as_nanos() / took.as_nanos().max(1);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// In whole mebibytes, as a person would write it.
fn of_work(work: u64) -> Cost {
    const MIB: u64 = 1_024;
    let (least, most) = (Cost::MINIMUM, Cost::MAXIMUM);
    let memory =
        (work / u64::from(least.iterations) / MIB * MIB).clamp(least.memory_kib.into(), most.memory_kib.into());
    let iterations = (work / memory).clamp(least.iterations.into(), most.iterations.into());
    Cost {
        memory_kib: u32::try_from(memory).unwrap_or(most.memory_kib),
        iterations: u32::try_from(iterations).unwrap_or(most.iterations),
        parallelism: least.parallelism,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Half as fast with more than 32 MiB.
    fn machine(cost: Cost) -> Duration {
        let nanoseconds_per_kib = if cost.memory_kib > 32_768 { 400 } else { 200 };
        Duration::from_nanos(cost.work() * nanoseconds_per_kib)
    }

    fn suggested(target: u64) -> (Cost, Duration) {
        suggest(Duration::from_millis(target), |cost| Ok::<_, Infallible>(machine(cost))).unwrap()
    }

    #[test]
    fn memory_grows_first_and_the_time_comes_near_the_target() {
        let (cost, took) = suggested(100);
        assert_eq!((cost.iterations, cost.parallelism), (2, 1));
        assert!(took.abs_diff(Duration::from_millis(100)) < Duration::from_millis(2), "{cost}: {took:?}");
    }

    #[test]
    fn passes_grow_when_there_can_be_no_more_memory() {
        let (cost, took) = suggested(500);
        assert_eq!(cost, Cost { memory_kib: 262_144, iterations: 4, parallelism: 1 });
        assert!(took < Duration::from_millis(500), "{took:?}");
    }

    #[test]
    fn the_bounds_hold_whatever_is_asked_for() {
        assert_eq!(suggested(0).0, Cost::MINIMUM);
        assert_eq!(suggested(1).0, Cost::MINIMUM);
        assert_eq!(suggested(1_000_000).0, Cost { parallelism: 1, ..Cost::MAXIMUM });
        let timeless = suggest(Duration::MAX, |_| Ok::<_, Infallible>(Duration::ZERO));
        assert_eq!(timeless.unwrap().0, Cost { parallelism: 1, ..Cost::MAXIMUM });
    }
}
