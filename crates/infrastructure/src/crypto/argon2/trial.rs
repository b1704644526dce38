//! Hashing for the sake of its time.

use super::arena::{Arena, ComputationError};
use super::choice::Implementation;
use super::cost::Cost;
use super::phc::{SALT_BYTES, StoredHash};
use super::recipe::Recipe;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Hashes in this thread, in memory that is given back when it is dropped.
pub struct Trial {
    arena: Arena,
    cost: Cost,
}

impl Trial {
    /// Takes no memory yet.
    pub fn new(implementation: Implementation, cost: Cost) -> Self {
        Self { arena: Arena::new(implementation, cost.memory_kib), cost }
    }

    /// Computes one hash. The first also takes the memory.
    pub fn hash(&mut self) -> Result<Duration, ComputationError> {
        let began = Instant::now();
        let recipe = Recipe { cost: self.cost, pepper: None };
        black_box(StoredHash::compute(&mut self.arena, recipe, b"a password to try", [0; SALT_BYTES])?);
        Ok(began.elapsed())
    }
}
