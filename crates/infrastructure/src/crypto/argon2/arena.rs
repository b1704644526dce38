//! The memory that hashes are computed in.

use super::choice::Implementation;
use super::cost::Cost;
use super::input::Input;
use super::reference::ReferenceMemory;
use super::vectorized::VectorizedMemory;

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
    written_kib: u64,
}

enum Memory {
    Reference(ReferenceMemory),
    Vectorized(VectorizedMemory),
}

impl Memory {
    fn new(implementation: Implementation) -> Self {
        match implementation {
            Implementation::Reference => Self::Reference(ReferenceMemory::default()),
            Implementation::Vectorized { .. } => Self::Vectorized(VectorizedMemory::default()),
        }
    }

    fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), ComputationError> {
        match self {
            Self::Reference(memory) => Ok(memory.hash(cost, input, tag)?),
            Self::Vectorized(memory) => Ok(memory.hash(cost, input, tag)?),
        }
    }
}

impl Arena {
    /// Takes memory with the first hash, and keeps no more than `most_kib`.
    pub(super) fn new(implementation: Implementation, most_kib: u32) -> Self {
        Self { implementation, memory: Memory::new(implementation), most_kib, written_kib: 0 }
    }

    /// A hash that needs more than is kept gets memory of its own for as long as it takes.
    pub(super) fn hash(&mut self, cost: Cost, input: Input<'_>, tag: &mut [u8]) -> Result<(), ComputationError> {
        self.written_kib += cost.work();
        if cost.memory_kib > self.most_kib {
            return Memory::new(self.implementation).hash(cost, input, tag);
        }
        self.memory.hash(cost, input, tag)
    }

    /// What the last hash left behind is derived from a password.
    pub(super) fn wipe(&mut self) {
        match &mut self.memory {
            Memory::Reference(memory) => memory.wipe(),
            // Has been wiped.
            Memory::Vectorized(_) => {}
        }
    }

    /// Gives everything back to the system, wiped.
    pub(super) fn release(&mut self) {
        match &mut self.memory {
            Memory::Reference(memory) => memory.release(),
            Memory::Vectorized(memory) => memory.release(),
        }
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

#[cfg(test)]
mod tests;
