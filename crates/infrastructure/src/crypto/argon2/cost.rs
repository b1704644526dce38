//! What one hash costs.

use super::Argon2Error;
use std::fmt;

/// The parameters of argon2id (RFC 9106, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// 19,456 to 262,144.
    pub memory_kib: u32,
    /// 2 to 10.
    pub iterations: u32,
    /// 1 to 16. Computed one after the other: it is other logins that use the other cores.
    pub parallelism: u32,
}

impl Cost {
    /// The least that OWASP's Password Storage Cheat Sheet allows.
    pub const MINIMUM: Self = Self { memory_kib: 19_456, iterations: 2, parallelism: 1 };
    /// What costs more is an attack or a mistake: a quarter of a gigabyte and about two seconds.
    pub const MAXIMUM: Self = Self { memory_kib: 256 * 1024, iterations: 10, parallelism: 16 };

    pub(super) fn check(self) -> Result<Self, Argon2Error> {
        let settings = [
            ("memory_kib", self.memory_kib, Self::MINIMUM.memory_kib, Self::MAXIMUM.memory_kib),
            ("iterations", self.iterations, Self::MINIMUM.iterations, Self::MAXIMUM.iterations),
            ("parallelism", self.parallelism, Self::MINIMUM.parallelism, Self::MAXIMUM.parallelism),
        ];
        for (setting, given, minimum, maximum) in settings {
            if given < minimum {
                return Err(Argon2Error::TooCheap { setting, given, minimum });
            }
            if given > maximum {
                return Err(Argon2Error::TooCostly { setting, given, maximum });
            }
        }
        Ok(self)
    }

    /// In at least one dimension.
    pub(super) fn is_below(self, other: Self) -> bool {
        self != self.raised_to(other)
    }

    /// No dimension goes down.
    pub(super) fn raised_to(self, other: Self) -> Self {
        Self {
            memory_kib: self.memory_kib.max(other.memory_kib),
            iterations: self.iterations.max(other.iterations),
            parallelism: self.parallelism.max(other.parallelism),
        }
    }

    /// In KiB written, to which the time is proportional.
    pub(super) fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }

    /// Writes each block once.
    pub(super) fn one_pass(memory_kib: u32) -> Self {
        Self { memory_kib, iterations: 1, parallelism: 1 }
    }

    /// How many blocks of a KiB are used: as many as make four equal parts of each lane (RFC 9106, section 3.2).
    pub(super) fn blocks(self) -> u32 {
        self.memory_kib - self.memory_kib.checked_rem(self.parallelism.saturating_mul(4)).unwrap_or(0)
    }

    /// Parameters for the work that is left when `self` is done and `whole` must have been; to within a thousandth
    /// of the minimum, which is less than the time of two equal hashes differs.
    pub(super) fn remainder(self, whole: Self) -> Option<Self> {
        const NEGLIGIBLE_KIB: u64 = 40;
        let left = whole.work().saturating_sub(self.work());
        if left < NEGLIGIBLE_KIB {
            return None;
        }
        let iterations = left.div_ceil(u64::from(whole.memory_kib));
        Some(Self {
            memory_kib: u32::try_from(left / iterations).ok()?,
            iterations: u32::try_from(iterations).ok()?,
            parallelism: 1,
        })
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory_kib, iterations, parallelism } = self;
        write!(f, "m={memory_kib}, t={iterations}, p={parallelism}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURRENT: Cost = Cost { memory_kib: 32_768, iterations: 3, parallelism: 1 };

    #[test]
    fn below_means_in_any_dimension_and_raising_lowers_none() {
        let wide = Cost { memory_kib: 65_536, iterations: 2, parallelism: 1 };
        assert!(wide.is_below(CURRENT));
        assert_eq!(wide.raised_to(CURRENT), Cost { memory_kib: 65_536, iterations: 3, parallelism: 1 });
        assert!(!CURRENT.is_below(CURRENT));
        assert!(!Cost { parallelism: 4, ..CURRENT }.is_below(CURRENT));
    }

    #[test]
    fn blocks_make_four_equal_parts_of_each_lane() {
        for (memory_kib, parallelism, blocks) in [(4_099, 1, 4_096), (4_100, 2, 4_096), (19_456, 3, 19_452), (8, 0, 8)]
        {
            assert_eq!(Cost { memory_kib, iterations: 1, parallelism }.blocks(), blocks);
        }
    }

    #[test]
    fn what_is_done_and_what_is_left_make_the_whole() {
        for (memory_kib, iterations) in [(8, 1), (1_024, 2), (4_096, 3), (19_456, 2), (32_768, 2), (65_536, 1)] {
            let done = Cost { memory_kib, iterations, parallelism: 1 };
            let left = done.remainder(CURRENT).expect("something is left");
            let sum = done.work() + left.work();
            assert!(sum.abs_diff(CURRENT.work()) < 40, "{done:?} and {left:?} make {sum} of {}", CURRENT.work());
        }
        assert_eq!(CURRENT.remainder(CURRENT), None);
        assert_eq!(Cost::MAXIMUM.remainder(CURRENT), None);
    }
}
