//! Randomness as an argument.

use std::fmt;

/// A cryptographically secure source. Tests seed it.
pub trait Rng: Send + Sync + fmt::Debug {
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Rng + '_ {
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
