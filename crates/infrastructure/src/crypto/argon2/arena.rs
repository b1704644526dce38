//! The memory that hashes are computed in.

use super::avx2::Avx2Memory;
use super::choice::Implementation;
use super::cost::Cost;
use super::reference::ReferenceMemory;
use super::vectorized::VectorizedMemory;
use std::time::{Duration, Instant};
use vestibule_argon2id::Input;
use zeroize::zeroize_stack;

/// Why a hash could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum ComputationError {
    #[error(transparent)]
    Avx2(#[from] vestibule_argon2id::Error),
    #[error(transparent)]
    Reference(#[from] argon2::Error),
    #[error(transparent)]
    Vectorized(#[from] argon2_rust::Error),
}

/// In bytes.
const CLEARED_STACK: usize = 32 * 1024;

/// One for each thread, kept from hash to hash: taking tens of megabytes from the system for each costs a tenth of its
/// time.
pub(super) struct Arena {
    implementation: Implementation,
    memory: Memory,
    most_kib: u32,
    /// Since when it may have in it what was derived from a password.
    remains_since: Option<Instant>,
    written_kib: u64,
}

enum Memory {
    Avx2(Avx2Memory),
    Reference(ReferenceMemory),
    Vectorized(VectorizedMemory),
}

impl Arena {
    /// How old what a password left may be when another hash begins that does not overwrite all of it.
    const LONGEST_REMAINS: Duration = Duration::from_secs(1);

    /// Takes `most_kib` with the first hash.
    pub(super) fn new(implementation: Implementation, most_kib: u32) -> Self {
        let memory = match implementation {
            Implementation::Avx2(avx2) => Memory::Avx2(Avx2Memory::new(avx2, most_kib)),
            Implementation::Reference => Memory::Reference(ReferenceMemory::new(most_kib)),
            Implementation::Vectorized { .. } => Memory::Vectorized(VectorizedMemory::new(most_kib)),
        };
        Self { implementation, memory, most_kib, remains_since: None, written_kib: 0 }
    }

    /// A hash that needs more than is kept gets memory of its own for as long as it takes.
    pub(super) fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), ComputationError> {
        self.written_kib += cost.work();
        let fits = cost.memory_kib <= self.most_kib;
        if fits && cost.blocks() == Cost::one_pass(self.most_kib).blocks() {
            // It overwrites all.
            self.remains_since = None;
        } else if self.remains_since.is_some_and(|since| since.elapsed() > Self::LONGEST_REMAINS) {
            self.wipe();
        }
        if !fits {
            return Self::new(self.implementation, cost.memory_kib).hash(cost, input, tag);
        }
        self.remains_since.get_or_insert_with(Instant::now);
        let outcome = self.compute(cost, input, tag);
        clear_stack();
        outcome
    }

    /// Never inlined: its frame, and all below, must lie where [`clear_stack`] writes ([`zeroize_stack`]).
    #[inline(never)]
    fn compute(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), ComputationError> {
        match &mut self.memory {
            Memory::Avx2(memory) => Ok(memory.hash(cost, input, tag)?),
            Memory::Reference(memory) => Ok(memory.hash(cost, input, tag)?),
            Memory::Vectorized(memory) => Ok(memory.hash(cost, input, tag)?),
        }
    }

    /// For when no hash follows that overwrites what the last one left.
    pub(super) fn wipe(&mut self) {
        if self.remains_since.take().is_none() {
            return;
        }
        match &mut self.memory {
            Memory::Avx2(memory) => memory.wipe(),
            Memory::Reference(memory) => memory.wipe(),
            Memory::Vectorized(memory) => memory.wipe(),
        }
    }

    /// Not wiped before: it is unmapped, and the system clears it before anybody else has it.
    pub(super) fn release(&mut self) {
        match &mut self.memory {
            Memory::Avx2(memory) => memory.release(),
            Memory::Reference(memory) => memory.release(),
            Memory::Vectorized(memory) => memory.release(),
        }
        self.remains_since = None;
    }

    /// After a panic, which may have left anything anywhere.
    pub(super) fn renew(&mut self) {
        *self = Self::new(self.implementation, self.most_kib);
        clear_stack();
    }

    pub(super) fn is_clean(&self) -> bool {
        self.remains_since.is_none()
    }

    pub(super) fn holds_memory(&self) -> bool {
        self.size_kib() > 0
    }

    /// Of what is kept now.
    fn size_kib(&self) -> usize {
        match &self.memory {
            Memory::Avx2(memory) => memory.size_kib(),
            Memory::Reference(memory) => memory.size_kib(),
            Memory::Vectorized(memory) => memory.size_kib(),
        }
    }

    /// Written by all hashes so far: their work.
    pub(super) fn written_kib(&self) -> u64 {
        self.written_kib
    }
}

/// The password was here, and the first digest, which is as good as the password to whoever finds it. None
/// goes deeper than half of what is cleared.
fn clear_stack() {
    zeroize_stack::<CLEARED_STACK>();
}

#[cfg(test)]
mod tests;
