//! The memory that hashes are computed in.

use super::choice::Implementation;
use super::cost::Cost;
use super::input::Input;
use super::reference::ReferenceMemory;
use super::vectorized::VectorizedMemory;
use zeroize::Zeroize;

/// Why a hash could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum ComputationError {
    #[error(transparent)]
    Reference(#[from] argon2::Error),
    #[error(transparent)]
    Vectorized(#[from] argon2_rust::Error),
}

/// One for each thread, kept from hash to hash: taking tens of megabytes from the system for each costs a tenth of its
/// time.
pub(super) struct Arena {
    implementation: Implementation,
    memory: Memory,
    most_kib: u32,
    is_clean: bool,
    written_kib: u64,
}

enum Memory {
    Reference(ReferenceMemory),
    Vectorized(VectorizedMemory),
}

impl Arena {
    /// Takes `most_kib` with the first hash.
    pub(super) fn new(implementation: Implementation, most_kib: u32) -> Self {
        let memory = match implementation {
            Implementation::Reference => Memory::Reference(ReferenceMemory::new(most_kib)),
            Implementation::Vectorized { .. } => Memory::Vectorized(VectorizedMemory::new(most_kib)),
        };
        Self { implementation, memory, most_kib, is_clean: true, written_kib: 0 }
    }

    /// A hash that needs more than is kept gets memory of its own for as long as it takes.
    pub(super) fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), ComputationError> {
        self.written_kib += cost.work();
        if cost.memory_kib > self.most_kib {
            return Self::new(self.implementation, cost.memory_kib).hash(cost, input, tag);
        }
        self.is_clean = false;
        let outcome = match &mut self.memory {
            Memory::Reference(memory) => memory.hash(cost, input, tag).map_err(Into::into),
            Memory::Vectorized(memory) => memory.hash(cost, input, tag).map_err(Into::into),
        };
        clear_stack();
        outcome
    }

    /// What the last hash left behind is derived from a password. The next one overwrites it, so this is for when none
    /// comes; it takes up to half as long as a hash.
    pub(super) fn wipe(&mut self) {
        if self.is_clean {
            return;
        }
        match &mut self.memory {
            Memory::Reference(memory) => memory.wipe(),
            Memory::Vectorized(memory) => memory.wipe(),
        }
        self.is_clean = true;
    }

    /// Gives everything back to the system, wiped.
    pub(super) fn release(&mut self) {
        self.wipe();
        match &mut self.memory {
            Memory::Reference(memory) => memory.release(),
            Memory::Vectorized(memory) => memory.release(),
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.is_clean
    }

    pub(super) fn holds_memory(&self) -> bool {
        self.size_kib() > 0
    }

    /// Of what is kept now.
    fn size_kib(&self) -> usize {
        match &self.memory {
            Memory::Reference(memory) => memory.size_kib(),
            Memory::Vectorized(memory) => memory.size_kib(),
        }
    }

    /// Written by all hashes so far: their work.
    pub(super) fn written_kib(&self) -> u64 {
        self.written_kib
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// The password was here, and the first digest, which is as good as the password to whoever finds it.
#[inline(never)]
fn clear_stack() {
    [0_u8; 16 * 1024].zeroize();
}

#[cfg(test)]
mod tests;
